#include "engine/recall.h"

#include "engine/engine_state.h"

const struct failed_row *recall_row(struct engine *e, uint64_t id)
{
    struct recall *r = &e->detail.recall;

    if (r->id == id) {
        return r->has_row ? &r->row : NULL;
    }
    if (!r->asked && e->phase > ENGINE_NEW && e->phase < ENGINE_CLOSING) {
        r->asked = id;
        committer_read_failed(e->committer, id);
    }
    return NULL;
}

void recall_answered(void *context, uint64_t id, const struct failed_row *row)
{
    struct engine *e = context;
    struct recall *r = &e->detail.recall;

    r->asked = 0;
    r->id = r->is_stale ? 0 : id;
    r->is_stale = false;
    r->has_row = row && failed_row_copy(&r->row, row, &r->texts) == RESULT_OK;
}

void recall_forget(struct engine *e, uint64_t id)
{
    if (e->detail.recall.id == id) {
        e->detail.recall.id = 0;
    }
    e->detail.recall.is_stale |= e->detail.recall.asked == id;
}

void recall_release(struct engine *e)
{
    buf_release(&e->detail.recall.texts);
}
