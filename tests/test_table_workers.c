/* The workers of a table: how many, at which priority, and how they end when the table is cancelled. */
#include "normalise/file_source.h"
#include "table/table_build.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* Looks at the threads that ask it for pieces. */
struct looking_source {
    struct record_source source;
    struct record_source *inner;
    unsigned asked, quiet; /* of those, by threads of SCHED_IDLE; the build calls under its lock */
};

static enum result looking_next(struct record_source *source, struct record_piece *piece,
                                bool *more, struct err *err)
{
    struct looking_source *s = (struct looking_source *)source;

    s->asked++;
    s->quiet += sched_getscheduler(0) == SCHED_IDLE;
    return s->inner->next(s->inner, piece, more, err);
}

static enum result looking_rewind(struct record_source *source, struct err *err)
{
    struct looking_source *s = (struct looking_source *)source;

    return s->inner->rewind(s->inner, err);
}

static void looking_close(struct record_source *source)
{
    struct looking_source *s = (struct looking_source *)source;

    s->inner->close(s->inner);
}

#define POOL_THREADS 6 /* as main sets it */

/* A job that holds its thread until every thread of the pool has one. */
struct pool_look {
    uv_work_t request;
    pthread_barrier_t *all;
    int policy, nice;
};

static void look_at_thread(uv_work_t *request)
{
    struct pool_look *look = (struct pool_look *)request;

    look->policy = sched_getscheduler(0);
    look->nice = getpriority(PRIO_PROCESS, 0); /* of this thread, on Linux */
    pthread_barrier_wait(look->all);
}

static void assert_pool_is_as_it_was(void)
{
    struct pool_look looks[POOL_THREADS];
    int usual = getpriority(PRIO_PROCESS, 0);
    pthread_barrier_t all;
    uv_loop_t loop;

    assert_int_equal(pthread_barrier_init(&all, NULL, POOL_THREADS), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    for (int i = 0; i < POOL_THREADS; i++) {
        looks[i].all = &all;
        assert_int_equal(uv_queue_work(&loop, &looks[i].request, look_at_thread, NULL), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    pthread_barrier_destroy(&all);
    for (int i = 0; i < POOL_THREADS; i++) {
        assert_int_equal(looks[i].policy, SCHED_OTHER);
        assert_int_equal(looks[i].nice, usual);
    }
}

/* It gives way to everybody, gives the same table, and leaves the pool's threads as they were. */
static void table_run__gives_way__when_in_the_background(void **state)
{
    struct path input = in_folder("in.jsonl"), output = in_folder("t.csv");
    const char *paths[] = { input.text };
    struct buf tables[2] = { { 0 }, { 0 } };

    (void)state;
    put_many_lines("in.jsonl", (size_t)3 << 20);
    for (int background = 0; background < 2; background++) {
        struct looking_source looking = {
            .source = { .next = looking_next, .rewind = looking_rewind, .close = looking_close }
        };
        struct table_run_options options = { .table = { ONE_OUTPUT(output.text), .workers = 3,
                                                        .background = background },
                                             .source = &looking.source };
        struct table_report report;

        assert_int_equal(file_source_open(&looking.inner, paths, 1, NULL, NULL), RESULT_OK);
        assert_int_equal(table_run(&options, &report), RESULT_OK);
        assert_true(looking.asked > 2);
        /* Only a machine so busy that it denies them their share lets others take pieces, too. */
        assert_in_range(looking.quiet, background, background ? looking.asked : 0);
        assert_true(get(output.text, &tables[background]));
        assert_pool_is_as_it_was();
    }
    assert_true(str_equal(buf_view(&tables[0]), buf_view(&tables[1])));
    buf_release(&tables[0]);
    buf_release(&tables[1]);
}

/* Cancelled right away, and in each later turn of the loop. */
static void table_build_cancel__keeps_the_old_table__when_called_at_any_time(void **state)
{
    struct path input = in_folder("in.jsonl"), output = in_folder("t.csv");
    const struct table_options options = { ONE_OUTPUT(output.text) };
    const char *paths[] = { input.text };

    (void)state;
    put_many_lines("in.jsonl", (size_t)3 << 20);
    for (int turns = 0; turns < 6; turns++) {
        struct record_source *source;
        enum result result;

        put("t.csv", STR("old"));
        assert_int_equal(file_source_open(&source, paths, 1, NULL, NULL), RESULT_OK);
        result = cancel_after(turns, &options, source);
        if (result == RESULT_CANCELLED) {
            assert_file("t.csv", "old");
        } else {
            assert_int_equal(result, RESULT_OK); /* it was complete by then */
            assert_true(turns > 1);
        }
        assert_int_equal(count_files(), 2);
    }
}

static void table_build__has_as_many_workers_as_the_memory_does_for__when_more_could(void **state)
{
    static const struct {
        uint64_t memory_bytes;
        unsigned asked, limit, workers;
    } cases[] = {
        { 2 * TABLE_WORKER_BYTES, 0, 8, 2 }, { 2 * TABLE_WORKER_BYTES, 1, 8, 1 },
        { TABLE_WORKER_BYTES / 2, 4, 8, 1 }, { 8 * TABLE_WORKER_BYTES, 4, 8, 4 },
        { 8 * TABLE_WORKER_BYTES, 0, 3, 3 },
    };
    struct path input = in_folder("in.jsonl"), output = in_folder("t.csv");
    const char *paths[] = { input.text };

    (void)state;
    put("in.jsonl", STR("{\"a\":1}\n"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct table_options options = { ONE_OUTPUT(output.text), .workers = cases[i].asked,
                                               .spec = { .memory_bytes = cases[i].memory_bytes } };
        struct watched w = { 0 };
        struct record_source *source;
        struct table_progress progress;
        struct work work;
        uv_loop_t loop;

        assert_int_equal(uv_loop_init(&loop), 0);
        work_init(&work, &loop, cases[i].limit);
        assert_int_equal(file_source_open(&source, paths, 1, NULL, NULL), RESULT_OK);
        assert_int_equal(
            table_build_start(&w.build, &work, &options, source, watched_done, &w, NULL),
            RESULT_OK);
        table_build_progress(w.build, &progress);
        assert_int_equal(progress.workers, cases[i].workers);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(w.calls, 1);
        assert_int_equal(w.result, RESULT_OK);
        assert_int_equal(uv_loop_close(&loop), 0);
    }
}

static void work_cancel__ends_the_build__when_workers_wait(void **state)
{
    struct path input = in_folder("in.jsonl"), output = in_folder("t.csv");
    const struct table_options options = { ONE_OUTPUT(output.text) };
    const char *paths[] = { input.text };
    struct watched w = { 0 };
    struct record_source *source;
    struct work work;
    uv_loop_t loop;

    (void)state;
    put_many_lines("in.jsonl", (size_t)3 << 20);
    assert_int_equal(uv_loop_init(&loop), 0);
    work_init(&work, &loop, 2);
    assert_int_equal(file_source_open(&source, paths, 1, NULL, NULL), RESULT_OK);
    assert_int_equal(table_build_start(&w.build, &work, &options, source, watched_done, &w, NULL),
                     RESULT_OK);
    table_build_cancel(w.build);
    work_cancel(&work);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.result, RESULT_CANCELLED);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(count_files(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(table_run__gives_way__when_in_the_background),
        IN_FOLDER(table_build_cancel__keeps_the_old_table__when_called_at_any_time),
        IN_FOLDER(table_build__has_as_many_workers_as_the_memory_does_for__when_more_could),
        IN_FOLDER(work_cancel__ends_the_build__when_workers_wait),
    };

    setenv("UV_THREADPOOL_SIZE", "6", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
