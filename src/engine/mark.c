#include "engine/mark.h"

#include "engine/judge.h"
#include "engine/settle.h"

bool mark_is_needless(const struct engine *e, const struct request *request)
{
    return request->is_marked || judge_asks_safely(e, request);
}

static void give_place_back(struct engine *e, struct request *request)
{
    host_ended(&e->hosts, host_at(&e->hosts, request->host), request, HOST_END_OURS,
               engine_now_us(e));
}

void mark_first(struct engine *e, struct request *request)
{
    if (!settle_mark(e, request, SETTLE_SENDING)) {
        give_place_back(e, request);
        settle_put_back(e, request);
        return;
    }
    e->marking++;
    committer_flush(e->committer); /* nothing else is worth waiting for */
}

void mark_take_back(struct engine *e, struct request *request)
{
    if (!request->is_marked || !settle_mark(e, request, SETTLE_UNSENT)) {
        frontier_forget(e->frontier, request);
    }
}

void mark_is_there(struct engine *e, struct request *request)
{
    request->is_marked = true;
    if (engine_is_active(e) && e->ended_by == EXIT_WELL) { /* draining, too: it is in flight */
        engine_send(e, request);
        return;
    }
    give_place_back(e, request);
    mark_take_back(e, request);
}
