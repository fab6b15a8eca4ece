#include "engine/mark_place.h"

#include "engine/engine_state.h"

enum result mark_places_init(struct engine *e, struct err *err)
{
    unsent_open(&e->marks.unsent, e->options.dir);
    e->marks.has_mutex = uv_mutex_init(&e->marks.mutex) == 0;
    return e->marks.has_mutex ? RESULT_OK : err_nomem(err, "setting up the run");
}

void mark_places_release(struct engine *e)
{
    unsent_close(&e->marks.unsent);
    if (e->marks.has_mutex) {
        uv_mutex_destroy(&e->marks.mutex);
    }
}

void mark_place_take(struct engine *e, struct request *request)
{
    uv_mutex_lock(&e->marks.mutex);
    request->unsent = unsent_put(&e->marks.unsent, request->id, e->options.boot);
    uv_mutex_unlock(&e->marks.mutex);
}

bool mark_place_clear(struct engine *e, struct request *request)
{
    bool is_clear;

    if (!request->unsent) { /* as nearly always */
        return true;
    }
    uv_mutex_lock(&e->marks.mutex);
    is_clear = unsent_clear(&e->marks.unsent, request->unsent);
    uv_mutex_unlock(&e->marks.mutex);
    request->unsent = 0;
    return is_clear;
}
