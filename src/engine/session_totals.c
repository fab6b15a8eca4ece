#include "engine/session_totals.h"

#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/totals.h"
#include "store/event_log.h"

void session_totals_restore(struct engine *e, const struct totals *ended)
{
    struct buf tail = { 0 };

    if (event_log_tail(e->options.dir, TOTALS_TAIL, &tail) == RESULT_OK) {
        (void)totals_find(buf_view(&tail),
                          &e->session.before); /* a run of an older version has none */
    }
    buf_release(&tail);
    totals_raise(&e->session.before, ended);
}

void session_totals(const struct engine *e, struct totals *totals)
{
    *totals = e->session.before;
    totals_add(totals, &e->metrics, e->auth.logins);
}

void session_totals_note(struct engine *e)
{
    struct buf fields = { 0 };
    struct totals totals;

    session_totals(e, &totals);
    if (totals_write(&totals, &fields) == RESULT_OK && buf_cstr(&fields)) {
        events_note(&e->events, "totals", fields.data, NULL);
    } /* without memory the next session takes over less */
    buf_release(&fields);
    e->session.totals_due_us = engine_now_us(e) + TOTALS_EVERY_US;
}
