#include "store/run_pack.h"

#include "store/run_reader.h"

#include <stdlib.h>

struct list {
    struct segment_extent *items;
    size_t count;
};

static enum result collect(void *context, const struct segment_extent *extent, struct err *err)
{
    struct list *list = context;
    struct segment_extent *items = realloc(list->items, (list->count + 2) * sizeof *items);

    if (!items) {
        return err_nomem(err, "packing a run");
    }
    list->items = items;
    items[list->count++] = *extent;
    return RESULT_OK;
}

/* With the run held nobody adds to the last one: it is as closed as the others. */
static enum result pack(struct run_reader *reader, bool held, const atomic_bool *stop,
                        struct segment_pack_report *report, struct err *err)
{
    struct list list = { .items = NULL };
    enum result result = ledger_each_segment(reader->ledger, collect, &list, err);

    if (result == RESULT_OK && list.count) {
        list.items[list.count] = (struct segment_extent){ .number = 0 };
        result = segment_pack_all(reader->raw_fd, list.items, list.count + held, stop, report, err);
    }
    free(list.items);
    return result;
}

enum result run_pack(const char *path, const atomic_bool *stop, bool *live,
                     struct segment_pack_report *report, struct err *err)
{
    struct run_reader reader;
    struct run_dir held = { .fd = -1, .lock_fd = -1 };
    enum result result = run_reader_open(&reader, path, err); /* so that none is made */
    enum result locked;

    *report = (struct segment_pack_report){ .packed = 0 };
    if (result != RESULT_OK) {
        return result;
    }
    locked = run_dir_open(&held, path, err);
    *live = locked == RESULT_BUSY;
    result = *live ? RESULT_OK : locked;
    result = result == RESULT_OK ? pack(&reader, !*live, stop, report, err) : result;
    if (locked == RESULT_OK) {
        run_dir_close(&held);
    }
    run_reader_close(&reader);
    return result;
}
