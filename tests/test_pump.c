/* What starts, in which turn, and how a run ends: the pump as whole runs show it. */
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Keys and answers have their turn between so many starts. */
#define STARTS_AT_ONCE 256

static void starts__leave_the_loop_to_others__when_there_are_many(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server;
    uint64_t before = 0;
    unsigned turns = 0;
    struct run r;

    (void)state;
    script.usual.delay_ms = SERVER_UNTIL_RELEASED;
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-600]"));
    r.job.pace.cap = 600;
    run_start(&r);
    while (look(&r)->in_flight < 600) {
        uint64_t now = look(&r)->in_flight;

        assert_in_range(now - before, 0, STARTS_AT_ONCE);
        turns += now > before;
        before = now;
        tell(&r, CONTROL_MARK, 0); /* a key: one turn of the pump, and none of the loop */
    }
    assert_int_equal(turns, 2); /* 256, 512, and the rest by the last */
    server_release(server);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.ok, 600);
    run_end(&r);
    server_stop(server);
}

static void cap__of_nothing__starts_nothing_and_is_no_end(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-3]"));
    run_start(&r);
    until_asked(&r, server, 1);
    tell(&r, CONTROL_PAUSE, 0);
    while (look(&r)->in_flight || look(&r)->storing || !rests(&r)) {
        turn(&r);
    }
    assert_int_equal(look(&r)->state, RUN_PAUSED);
    assert_int_equal(look(&r)->limit.kind, LIMIT_PAUSED);
    assert_false(r.done);
    tell(&r, CONTROL_PAUSE, 0);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.ok, 3);
    run_end(&r);
    server_stop(server);
}

static void start_csv_run(struct run *r, struct server *server)
{
    run_begin(r, server_url(server, "/[1-2000]"));
    r->csv = true;
    run_start(r);
    while (look(r)->state != RUN_NORMALISING) {
        turn(r);
        assert_false(r->done);
    }
}

static void
abort__while_the_table_is_written__leaves_none__and_the_next_session_makes_it(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    start_csv_run(&r, server);
    tell(&r, CONTROL_ABORT, EXIT_TERMINATED);
    tell(&r, CONTROL_ABORT, EXIT_INTERRUPTED); /* a second key; the last word counts */
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_INTERRUPTED);
    assert_int_equal(r.report.ok, 2000);
    assert_int_equal(access(r.csv_path, F_OK), -1);
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.rows, 2000);
    assert_int_equal(access(r.csv_path, F_OK), 0);
    assert_int_equal(server_count(server), 2000);
    run_end(&r);
    server_stop(server);
}

static void drain__while_the_table_is_written__lets_it_be_written(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    start_csv_run(&r, server);
    tell(&r, CONTROL_DRAIN, 0);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.rows, 2000);
    run_end(&r);
    server_stop(server);
}

static void revive__goes_on__after_the_end_and_not_after_a_stop(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("404 No"), .at = 2, .times = 2 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-3]"));
    r.job.retry.attempts = 1;
    run_start(&r);
    run_until_done(&r);
    assert_int_equal(look(&r)->failed, 1);
    r.done = false;
    tell_text(&r, CONTROL_RETRY_FAILED, "");
    assert_int_equal(look(&r)->state, RUN_RUNNING);
    run_until_done(&r);
    assert_int_equal(server_count(server), 4);
    assert_int_equal(look(&r)->failed, 1); /* again */
    r.done = false;
    tell_text(&r, CONTROL_RETRY_FAILED, "");
    tell(&r, CONTROL_DRAIN, 0);
    run_until_done(&r);
    assert_int_equal(look(&r)->failed, 0);
    assert_int_equal(look(&r)->state, RUN_DONE); /* the drain had nothing left to keep back */
    tell_text(&r, CONTROL_RETRY_WAITING, "");
    tell(&r, CONTROL_RETRY, 2);
    assert_int_equal(look(&r)->state, RUN_DONE);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(server_count(server), 5);
    run_end(&r);
    server_stop(server);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts__leave_the_loop_to_others__when_there_are_many),
        cmocka_unit_test(cap__of_nothing__starts_nothing_and_is_no_end),
        cmocka_unit_test(
            abort__while_the_table_is_written__leaves_none__and_the_next_session_makes_it),
        cmocka_unit_test(drain__while_the_table_is_written__lets_it_be_written),
        cmocka_unit_test(revive__goes_on__after_the_end_and_not_after_a_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
