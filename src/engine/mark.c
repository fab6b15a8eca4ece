#include "engine/mark.h"

#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/judge_end.h"
#include "engine/mark_place.h"
#include "engine/settle.h"

enum result marks_init(struct engine *e, struct err *err)
{
    e->marks.end = &e->marks.first;
    return mark_places_init(e, err);
}

void marks_release(struct engine *e)
{
    mark_places_release(e);
}

bool mark_is_needless(const struct engine *e, const struct request *request)
{
    return request->is_marked || judge_asks_safely(e, request);
}

static void give_place_back(struct engine *e, struct request *request)
{
    host_ended(&e->hosts, host_at(&e->hosts, request->host), request, HOST_END_OURS,
               engine_now_us(e));
}

bool mark_begins(void *engine, struct response *response)
{
    return mark_place_clear(engine, response->request);
}

void mark_first(struct engine *e, struct request *request)
{
    mark_place_take(e, request);
    if (!settle_mark(e, request, SETTLE_SENDING)) {
        give_place_back(e, request);
        settle_put_back(e, request);
        return;
    }
    e->marks.under_way++;
    committer_flush(e->committer); /* nothing else is worth waiting for */
}

struct request *mark_next(struct engine *e)
{
    struct request *request = e->marks.first;

    if (!request) {
        return NULL;
    }
    e->marks.first = request->next;
    if (!e->marks.first) {
        e->marks.end = &e->marks.first;
    }
    request->next = NULL;
    e->marks.under_way--;
    return request;
}

void mark_leave(struct engine *e, struct request *request)
{
    give_place_back(e, request);
    settle_leave(e, request);
}
