#include "store/ledger_view.h"

static enum result open_view(struct ledger_view *view, struct err *err)
{
    enum result result = ledger_open_readonly(&view->ledger, view->dir, err);

    if (result == RESULT_OK) {
        result = ledger_hold(view->ledger, err);
    }
    if (result != RESULT_OK) {
        ledger_view_close(view);
    }
    return result;
}

enum result ledger_view_read(void *context, uint32_t endpoint, struct record_position *position,
                             struct placed_record *records, size_t max, size_t *count,
                             struct err *err)
{
    struct ledger_view *view = context;
    enum result result = view->ledger ? RESULT_OK : open_view(view, err);

    *count = 0;
    return result == RESULT_OK
               ? ledger_read_endpoint(view->ledger, endpoint, position, records, max, count, err)
               : result;
}

void ledger_view_close(struct ledger_view *view)
{
    if (view->ledger) {
        ledger_let_go(view->ledger);
    }
    ledger_close(view->ledger);
    view->ledger = NULL;
}
