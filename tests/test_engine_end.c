#include "engine_fixture.h"

#include "demo/demo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- ending before the end --------------------------------------------------------------------------- */

static void drain__lets_what_is_in_flight_finish(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server;
    unsigned asked;
    struct run r;

    (void)state;
    script.usual.delay_ms = 10;
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-1000]"));
    run_start(&r);
    until_asked(&r, server, 10);
    asked = server_count(server);
    tell(&r, CONTROL_DRAIN, 0);
    assert_int_equal(look(&r)->state, RUN_DRAINING);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_in_range(r.report.ok, 10, asked + 4); /* no more than the cap was on its way */
    assert_int_equal(r.report.ok, server_count(server));
    assert_int_equal(r.report.pending, 1000 - r.report.ok);
    assert_int_equal(stored_count(&r), r.report.ok);
    run_end(&r);
    server_stop(server);
}

/* A redirect that comes back during a drain starts nothing more, and ends the run from within
 * libcurl's own call. */
static void drain__ends__when_the_last_answer_is_a_redirect(void **state)
{
    struct script script = { .usual = EMPTY_ANSWER("302 Found\r\nLocation: /x") };
    struct server *server;
    struct run r;

    (void)state;
    script.usual.delay_ms = SERVER_UNTIL_RELEASED;
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/start"));
    r.close_when_done = true;
    run_start(&r);
    until_asked(&r, server, 1);
    tell(&r, CONTROL_DRAIN, 0);
    server_release(server);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_int_equal(r.report.pending, 1);
    run_end(&r);
    server_stop(server);
}

static void abort__and_resume__equal_an_uninterrupted_run(void **state)
{
    struct demo_options options = { .seed = 7, .latency_us = 2000 };
    struct demo *demo;
    char url[128], *whole, *parts;
    size_t whole_count, parts_count;
    struct run r;
    unsigned sessions = 0;

    (void)state;
    assert_int_equal(demo_start(&demo, &options, NULL), RESULT_OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/posts/[1-300]", demo_port(demo));
    run_begin(&r, url);
    run_to_its_end(&r);
    whole = stored(&r, &whole_count);
    run_end(&r);

    run_begin(&r, url);
    do {
        uint64_t answered;

        run_start(&r);
        answered = look(&r)->ok + look(&r)->storing;
        while (!r.done && look(&r)->ok + look(&r)->storing < answered + 40) {
            uv_run(&r.loop, UV_RUN_ONCE);
        }
        if (!r.done) {
            tell(&r, CONTROL_ABORT, EXIT_TERMINATED);
            assert_int_equal(look(&r)->in_flight, 0);
            run_until_done(&r);
        }
        run_close(&r);
        assert_int_equal(r.report.exit, r.report.pending ? EXIT_TERMINATED : r.report.exit);
        sessions++;
    } while (r.report.pending);
    assert_in_range(sessions, 3, 300);
    parts = stored(&r, &parts_count);
    assert_int_equal(parts_count, whole_count);
    assert_string_equal(parts, whole);
    free(whole);
    free(parts);
    run_end(&r);
    demo_stop(demo);
}

static void bad_weather__changes_no_body(void **state)
{
    struct demo_options clear = { .seed = 7 }, storm = clear;
    struct demo *demo;
    char url[128], *texts[2];
    size_t counts[2];

    (void)state;
    storm.fail = 0.05;
    storm.truncate = 0.05;
    for (int i = 0; i < 2; i++) {
        struct run r;

        assert_int_equal(demo_start(&demo, i ? &storm : &clear, NULL), RESULT_OK);
        snprintf(url, sizeof url, "http://127.0.0.1:%u/gzip/posts/[1-150]", demo_port(demo));
        run_begin(&r, url);
        r.job.pace.cap = 20;
        run_to_its_end(&r);
        assert_int_equal(r.report.exit, EXIT_WELL);
        assert_int_equal(r.report.ok, 150);
        assert_int_equal(r.report.retried > 0, i);
        texts[i] = stored(&r, &counts[i]);
        run_end(&r);
        demo_stop(demo);
    }
    assert_int_equal(counts[0], 150);
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

/* The process was stopped: what died of it costs no try, even the last. */
static void stop__costs_no_try__when_a_transfer_died_of_it(void **state)
{
    struct script script = { .usual = USUAL, .odd = SERVER_ANSWER("", SERVER_CLOSE), .times = 1 };
    struct server *server;
    struct run r;

    (void)state;
    script.odd.delay_ms = SERVER_UNTIL_RELEASED;
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/one"));
    r.job.retry.attempts = 1;
    run_start(&r);
    until_asked(&r, server, 1);
    engine_continued(r.engine, 60 * US_PER_S);
    server_release(server);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.ok, 1);
    assert_int_equal(server_count(server), 2);
    run_end(&r);
    server_stop(server);
}

/* --- closing, whenever ------------------------------------------------------------------------------- */

static void close__leaves_nothing__in_any_phase(void **state)
{
    struct script script = { .usual = SERVER_ANSWER("", SERVER_HANG) };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-100]"));
    run_open(&r); /* before the start */
    run_close(&r);
    run_start(&r); /* nothing has left yet */
    run_close(&r);
    run_start(&r); /* all wait for an answer */
    until_asked(&r, server, 4);
    run_close(&r);
    run_start(&r); /* draining for ever */
    tell(&r, CONTROL_DRAIN, 0);
    run_close(&r);
    assert_int_equal(r.report.pending, 100);
    run_end(&r);
    server_stop(server);
}

static void close_while_bodies_are_read(size_t bytes)
{
    struct script script = { .usual = { .then = SERVER_KEEP } };
    struct server *server;
    struct run r;

    script.usual.bytes = large_answer(bytes, true, &script.usual.len);
    server = server_start(play, &script);
    for (unsigned more = 0; more < 8; more++) {
        size_t ok;

        run_begin(&r, server_url(server, "/[1-100]"));
        r.job.pace.cap = 8;
        run_start(&r);
        while (look(&r)->storing <= more) { /* on the pool or with the committer */
            uv_run(&r.loop, UV_RUN_ONCE);
        }
        run_close(&r);
        ok = stored_count(&r); /* those that were complete are kept, none twice */
        assert_in_range(ok, 0, 99);
        run_end(&r);
    }
    server_stop(server);
    free((void *)(uintptr_t)script.usual.bytes);
}

static void close__waits_for_what_is_on_the_pool_and_in_the_store(void **state)
{
    (void)state;
    close_while_bodies_are_read(1U << 20);  /* each goes there alone */
    close_while_bodies_are_read(20U << 10); /* many go together */
}

static void close__waits_for_a_table_under_way(void **state)
{
    struct demo_options options = { .seed = 7 };
    struct demo *demo;
    char url[128];
    struct run r;

    (void)state;
    assert_int_equal(demo_start(&demo, &options, NULL), RESULT_OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/posts/[1-2000]", demo_port(demo));
    run_begin(&r, url);
    r.attended = true;
    run_start(&r);
    while (look(&r)->ok < 500) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    tell(&r, CONTROL_NORMALISE, 0);
    assert_int_not_equal(look(&r)->normalise.state, NORMALISE_IDLE);
    run_close(&r);
    run_end(&r);
    demo_stop(demo);
}

static void new__leaves_something_to_close__when_the_ledger_is_of_another_plan(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r, other;
    struct err err;

    (void)state;
    run_begin(&r, server_url(server, "/[1-10]"));
    run_to_its_end(&r);
    run_begin(&other, server_url(server, "/[1-5]"));
    assert_int_equal(job_finish(&other.job, NULL), RESULT_OK);
    assert_int_equal(run_try_open(&r, &other.job, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-IN5");
    run_close(&r);
    run_end(&other);
    run_end(&r);
    server_stop(server);
}

/* --- tables ------------------------------------------------------------------------------------------- */

static size_t lines_of(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t count = 0;
    int c;

    if (!file) {
        return 0;
    }
    while ((c = fgetc(file)) != EOF) {
        count += c == '\n';
    }
    fclose(file);
    return count;
}

static void csv__is_written_at_the_end__also_when_n_was_pressed_just_before(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server;
    struct run r;

    (void)state;
    script.usual.delay_ms = 3; /* that the run is still under way */
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-300]"));
    r.csv = true;
    run_start(&r);
    while (look(&r)->ok < 100) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    tell(&r, CONTROL_NORMALISE, 0);
    while (look(&r)->ok < 280) { /* and again whenever one has ended */
        if (look(&r)->normalise.state == NORMALISE_IDLE) {
            tell(&r, CONTROL_NORMALISE, 0);
        }
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.rows, 300);
    assert_string_equal(report_table_path(&r.report, "csv"), r.csv_path);
    assert_int_equal(lines_of(r.csv_path), 301);
    assert_in_range(lines_of(r.table_path), 2, 301);
    run_end(&r);
    server_stop(server);
}

static void drain__waits_for_a_table_under_way__and_makes_none_of_its_own(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server;
    struct run r;

    (void)state;
    script.usual.delay_ms = 3;
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-3000]"));
    r.csv = true;
    run_start(&r);
    while (look(&r)->ok < 100) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    tell(&r, CONTROL_NORMALISE, 0);
    tell(&r, CONTROL_DRAIN, 0);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_int_equal(lines_of(r.csv_path), 0);
    assert_in_range(lines_of(r.table_path), 101, 3001);
    run_end(&r);
    server_stop(server);
}

static void csv__that_finds_nothing__is_incomplete_and_not_a_broken_disk(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-3]"));
    r.csv = true;
    r.job.endpoints[0].records = str_dup(STR("/nothing"));
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(r.report.ok, 3);
    assert_non_null(strstr(r.report.stopped_by, "/nothing"));
    run_end(&r);
    server_stop(server);
}

/* --- shortages ---------------------------------------------------------------------------------------- */

/* A server in a process of its own, which the limit of this one does not touch; ends when `*hold` is
 * closed. */
static pid_t fork_server(struct script *script, uint16_t *port, int *hold)
{
    int up[2], down[2];
    pid_t child;

    assert_int_equal(pipe(up) | pipe(down), 0);
    child = fork();
    if (child == 0) {
        struct server *server = server_start(play, script);
        uint16_t number = (uint16_t)strtoul(strrchr(server_url(server, ""), ':') + 1, NULL, 10);
        char byte;

        close(down[1]);
        if (write(up[1], &number, sizeof number) != sizeof number || read(down[0], &byte, 1) != 0) {
            _exit(1);
        }
        server_stop(server);
        _exit(0);
    }
    close(down[0]);
    close(up[1]);
    assert_int_equal(read(up[0], port, sizeof *port), sizeof *port);
    close(up[0]);
    *hold = down[1];
    return child;
}

static void descriptors_gone__fail_no_request(void **state)
{
    struct script script = { .usual = USUAL };
    struct rlimit before, tight;
    char url[64];
    uint16_t port;
    struct run r;
    int hold, status;
    pid_t child;

    (void)state;
    script.usual.delay_ms = 5;
    child = fork_server(&script, &port, &hold);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/[1-60]", port);
    run_begin(&r, url);
    r.job.pace.cap = 40;
    r.job.retry.attempts = 1;
    run_open(&r);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = 48;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    assert_int_equal(engine_start(r.engine, NULL), RESULT_OK);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.ok, 60);
    assert_int_equal(r.report.retried, 0);
    assert_true(r.report.attempts > 60); /* it was really short */
    assert_int_equal(stored_count(&r), 60);
    run_end(&r);
    close(hold);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file-size limit is a full disk to whoever writes. */
static void disk_full__stops_the_starts_and_loses_nothing(void **state)
{
    struct script script = { .usual = { .then = SERVER_KEEP } };
    struct server *server;
    struct run r;
    unsigned asked;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    script.usual.bytes = large_answer(200000, true, &script.usual.len);
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-40]"));
    run_start(&r);
    limit_file_size(2000000);
    while (!look(&r)->storage_trouble || look(&r)->in_flight) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->state, RUN_DISK_FULL);
    assert_int_equal(look(&r)->limit.kind, LIMIT_DISK);
    asked = server_count(server);
    for (int i = 0; i < 5; i++) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(server_count(server), asked);
    tell(&r, CONTROL_DRAIN, 0);
    run_until_done(&r);
    run_close(&r);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(r.report.exit, EXIT_STORAGE);
    assert_in_range(stored_count(&r), r.report.ok, 39); /* closing makes room for one or two more */

    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(stored_count(&r), 40);
    run_end(&r);
    server_stop(server);
    free((void *)(uintptr_t)script.usual.bytes);
}

static void list__that_shrinks__ends_the_run_and_keeps_what_there_is(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;
    char path[] = "/tmp/test_engine.XXXXXX", *source;
    FILE *file;

    (void)state;
    run_begin(&r, server_url(server, "/first"));
    r.list_fd = mkstemp(path);
    assert_true(r.list_fd >= 0);
    unlink(path);
    file = fdopen(dup(r.list_fd), "w");
    for (int i = 0; i < 20000; i++) {
        fprintf(file, "%s%d\n", server_url(server, "/list/"), i);
    }
    fclose(file);
    source = str_dup(STR("list"));
    assert_int_equal(job_add_source(&r.job.endpoints[0], JOB_SOURCE_LIST, str_view(source), NULL),
                     RESULT_OK);
    free(source);
    run_start(&r);
    assert_int_equal(ftruncate(r.list_fd, 100), 0);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_INTERNAL);
    assert_non_null(strstr(r.report.stopped_by, "shorter"));
    assert_int_equal(stored_count(&r), r.report.ok);
    run_end(&r);
    server_stop(server);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_gone__fail_no_request), /* forks: while there is one thread */
        cmocka_unit_test(drain__lets_what_is_in_flight_finish),
        cmocka_unit_test(drain__ends__when_the_last_answer_is_a_redirect),
        cmocka_unit_test(abort__and_resume__equal_an_uninterrupted_run),
        cmocka_unit_test(bad_weather__changes_no_body),
        cmocka_unit_test(stop__costs_no_try__when_a_transfer_died_of_it),
        cmocka_unit_test(close__leaves_nothing__in_any_phase),
        cmocka_unit_test(close__waits_for_what_is_on_the_pool_and_in_the_store),
        cmocka_unit_test(close__waits_for_a_table_under_way),
        cmocka_unit_test(new__leaves_something_to_close__when_the_ledger_is_of_another_plan),
        cmocka_unit_test(csv__is_written_at_the_end__also_when_n_was_pressed_just_before),
        cmocka_unit_test(drain__waits_for_a_table_under_way__and_makes_none_of_its_own),
        cmocka_unit_test(csv__that_finds_nothing__is_incomplete_and_not_a_broken_disk),
        cmocka_unit_test(disk_full__stops_the_starts_and_loses_nothing),
        cmocka_unit_test(list__that_shrinks__ends_the_run_and_keeps_what_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
