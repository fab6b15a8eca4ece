#include "work/work.h"

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

static void wait_at_gate(void *gate)
{
    uv_sem_wait(gate);
}

/* As many threads as the pool has, all at the same time. The C library keeps the stacks of those that
 * have ended, so what was possible for them is for the pool's. */
static int try_threads(unsigned count)
{
    uv_thread_t *threads = calloc(count, sizeof *threads);
    unsigned started = 0;
    uv_sem_t gate;
    int code = UV_ENOMEM;

    if (!threads || (code = uv_sem_init(&gate, 0)) != 0) {
        free(threads);
        return code;
    }
    while (started < count &&
           (code = uv_thread_create(&threads[started], wait_at_gate, &gate)) == 0) {
        started++;
    }
    for (unsigned i = 0; i < started; i++) {
        uv_sem_post(&gate);
    }
    for (unsigned i = 0; i < started; i++) {
        uv_thread_join(&threads[i]);
    }
    uv_sem_destroy(&gate);
    free(threads);
    return code;
}

static void on_nothing(uv_work_t *request)
{
    (void)request;
}

static void on_nothing_done(uv_work_t *request, int status)
{
    (void)request;
    (void)status;
}

enum result work_pool_start(uv_loop_t *loop, struct err *err)
{
    unsigned count = work_pool_threads();
    int code = try_threads(count);
    uv_work_t request;

    if (code != 0) {
        return err_set(err, RESULT_NOMEM, "E-RES1",
                       "cannot start %u threads for tables and checks: %s; "
                       "UV_THREADPOOL_SIZE=1 asks for one only",
                       count, uv_strerror(code));
    }
    (void)uv_queue_work(loop, &request, on_nothing, on_nothing_done);
    uv_run(loop, UV_RUN_DEFAULT);
    return RESULT_OK;
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
