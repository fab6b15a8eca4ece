#include "engine/work.h"

#include "base/str.h"

#include <assert.h>
#include <stdlib.h>

#define POOL_DEFAULT 4  /* libuv's, when the environment says nothing */
#define POOL_MAX 1024   /* libuv's ceiling */
#define POOL_RESERVED 2 /* for name lookups and file calls */

unsigned work_limit_of_pool(unsigned pool_threads)
{
    return pool_threads > POOL_RESERVED ? pool_threads - POOL_RESERVED : 1;
}

unsigned work_pool_threads(void)
{
    const char *text = getenv("UV_THREADPOOL_SIZE");
    uint64_t size;

    if (!text) {
        return POOL_DEFAULT;
    }
    if (!str_to_u64(str_view(text), &size) || size == 0) {
        return 1;
    }
    return size < POOL_MAX ? (unsigned)size : POOL_MAX;
}

void work_init(struct work *work, uv_loop_t *loop, unsigned limit)
{
    assert(limit > 0);
    *work = (struct work){ .loop = loop, .limit = limit };
    work->last = &work->first;
}

static void on_run(uv_work_t *request)
{
    struct work_item *item = request->data;

    item->run(item);
}

/* A cancelled item goes through the pool as well, so that it comes back like all others. */
static void on_skip(uv_work_t *request)
{
    (void)request;
}

static void start_waiting(struct work *work);

static void come_back(uv_work_t *request, int status, bool skipped)
{
    struct work_item *item = request->data;
    struct work *work = item->work;

    work->running--;
    start_waiting(work);
    item->done(item, skipped || status == UV_ECANCELED);
}

static void on_done(uv_work_t *request, int status)
{
    come_back(request, status, false);
}

static void on_skipped(uv_work_t *request, int status)
{
    come_back(request, status, true);
}

static void start(struct work *work, struct work_item *item, bool skip)
{
    int status;

    work->running++;
    item->request.data = item;
    status = uv_queue_work(work->loop, &item->request, skip ? on_skip : on_run,
                           skip ? on_skipped : on_done);
    assert(status == 0); /* fails only for a NULL function */
    (void)status;
}

static struct work_item *take_first(struct work *work)
{
    struct work_item *item = work->first;

    work->first = item->next;
    if (!work->first) {
        work->last = &work->first;
    }
    return item;
}

static void start_waiting(struct work *work)
{
    while (work->first && work->running < work->limit) {
        start(work, take_first(work), false);
    }
}

void work_submit(struct work *work, struct work_item *item)
{
    item->work = work;
    item->next = NULL;
    *work->last = item;
    work->last = &item->next;
    start_waiting(work);
}

void work_cancel(struct work *work)
{
    while (work->first) {
        start(work, take_first(work), true);
    }
}

unsigned work_running(const struct work *work)
{
    return work->running;
}

bool work_idle(const struct work *work)
{
    return work->running == 0 && !work->first;
}
