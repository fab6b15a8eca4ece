#include "work/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#define ITEMS 20

struct job {
    struct work_item item; /* first */
    unsigned index;
    bool came_back, cancelled, ran;
};

static atomic_uint now, most;
static unsigned order[ITEMS], order_count;
static uv_sem_t gate;

static void run_counting(struct work_item *item)
{
    unsigned running = atomic_fetch_add(&now, 1) + 1, seen = atomic_load(&most);

    while (running > seen && !atomic_compare_exchange_weak(&most, &seen, running)) {
    }
    ((struct job *)item)->ran = true;
    atomic_fetch_sub(&now, 1);
}

static void run_gated(struct work_item *item)
{
    uv_sem_wait(&gate);
    ((struct job *)item)->ran = true;
}

static void note_done(struct work_item *item, bool cancelled)
{
    struct job *job = (struct job *)item;

    assert_false(job->came_back);
    job->came_back = true;
    job->cancelled = cancelled;
    order[order_count++] = job->index;
}

static void begin(uv_loop_t *loop, struct work *work, unsigned limit)
{
    assert_int_equal(uv_loop_init(loop), 0);
    work_init(work, loop, limit);
    atomic_store(&now, 0);
    atomic_store(&most, 0);
    order_count = 0;
}

static void finish(uv_loop_t *loop, struct work *work)
{
    assert_int_equal(work->running, 0);
    assert_null(work->first);
    assert_int_equal(uv_loop_close(loop), 0);
}

static void submit(struct work *work, struct job *jobs, unsigned count,
                   void (*run)(struct work_item *))
{
    for (unsigned i = 0; i < count; i++) {
        jobs[i] = (struct job){ .item = { .run = run, .done = note_done }, .index = i };
        work_submit(work, &jobs[i].item);
    }
    assert_int_equal(order_count, 0); /* never from within */
}

static void work__keeps_the_limit__when_many_are_submitted(void **state)
{
    struct job jobs[ITEMS];
    struct work work;
    uv_loop_t loop;

    (void)state;
    begin(&loop, &work, 2);
    submit(&work, jobs, ITEMS, run_counting);
    assert_int_equal(work.running, 2);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(order_count, ITEMS);
    assert_in_range(atomic_load(&most), 1, 2);
    for (unsigned i = 0; i < ITEMS; i++) {
        assert_true(jobs[i].ran && jobs[i].came_back && !jobs[i].cancelled);
    }
    finish(&loop, &work);
}

static void work__runs_in_order__when_limit_is_one(void **state)
{
    struct job jobs[ITEMS];
    struct work work;
    uv_loop_t loop;

    (void)state;
    begin(&loop, &work, 1);
    submit(&work, jobs, ITEMS, run_counting);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < ITEMS; i++) {
        assert_int_equal(order[i], i);
    }
    finish(&loop, &work);
}

static void work_cancel__brings_all_back__when_some_run(void **state)
{
    struct job jobs[ITEMS];
    struct work work;
    uv_loop_t loop;
    unsigned ran = 0;

    (void)state;
    assert_int_equal(uv_sem_init(&gate, 0), 0);
    begin(&loop, &work, 2);
    submit(&work, jobs, ITEMS, run_gated);
    work_cancel(&work);
    assert_int_equal(order_count, 0);
    uv_sem_post(&gate);
    uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(order_count, ITEMS);
    for (unsigned i = 0; i < ITEMS; i++) {
        assert_true(jobs[i].came_back);
        assert_int_equal(jobs[i].ran, !jobs[i].cancelled);
        ran += jobs[i].ran;
    }
    assert_int_equal(ran, 2);
    finish(&loop, &work);
    uv_sem_destroy(&gate);
}

static void work_limit__leaves_two__when_pool_is_any_size(void **state)
{
    (void)state;
    assert_int_equal(work_limit_of_pool(1), 1);
    assert_int_equal(work_limit_of_pool(2), 1);
    assert_int_equal(work_limit_of_pool(4), 2);
    assert_int_equal(work_limit_of_pool(130), 128);
}

/* libuv gives its threads stacks of the size that the limit says: none is so large. */
static void pool__says_why__when_its_threads_cannot_be_had(void **state)
{
    struct rlimit before, large;
    uv_loop_t loop;
    struct err err;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
    large = before;
    large.rlim_cur = (rlim_t)1 << 47;
    if (setrlimit(RLIMIT_STACK, &large) != 0) {
        uv_loop_close(&loop);
        skip();
    }
    assert_int_equal(work_pool_start(&loop, &err), RESULT_NOMEM);
    assert_int_equal(setrlimit(RLIMIT_STACK, &before), 0);
    assert_string_equal(err.code, "E-RES1");
    assert_non_null(strstr(err.text, "cannot start 4 threads"));
    assert_int_equal(work_pool_start(&loop, &err), RESULT_OK);
    assert_int_equal(work_pool_start(&loop, &err), RESULT_OK);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool__says_why__when_its_threads_cannot_be_had),
        cmocka_unit_test(work__keeps_the_limit__when_many_are_submitted),
        cmocka_unit_test(work__runs_in_order__when_limit_is_one),
        cmocka_unit_test(work_cancel__brings_all_back__when_some_run),
        cmocka_unit_test(work_limit__leaves_two__when_pool_is_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
