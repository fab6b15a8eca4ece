/* Sessions that ask a part of what an earlier one has left: which class is meant, and whole runs. */
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NUMBERS_MAX 64

/* --- classes -------------------------------------------------------------------------------------- */

/* `why` as the panel calls it. */
static bool wants(const char *class, struct failure why)
{
    struct follow_up f = { .kind = FOLLOW_UP_NONE };
    struct err err;

    if (follow_up_set_class(&f, class, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(f.kind, FOLLOW_UP_FAILED);
    return follow_up_wants(&f, why);
}

static void class__means__what_the_panel_calls_so(void **state)
{
    (void)state;
    assert_true(wants("5xx", failure_of(OUTCOME_STATUS, 503)));
    assert_false(wants("5xx", failure_of(OUTCOME_STATUS, 404)));
    assert_false(wants("5xx", failure_of(OUTCOME_TIMEOUT, 0)));
    assert_true(wants("404", failure_of(OUTCOME_STATUS, 404)));
    assert_true(wants("HTTP 404", failure_of(OUTCOME_STATUS, 404)));
    assert_false(wants("404", failure_of(OUTCOME_STATUS, 403)));
    assert_true(wants("timeout", failure_of(OUTCOME_TIMEOUT, 0)));
    assert_false(wants("timeout", failure_of(OUTCOME_STATUS, 408)));
    assert_true(wants("bad-json", failure_of(OUTCOME_BAD_JSON, 200)));
    assert_true(wants("dropped-by-you", failure_of(OUTCOME_DROPPED, 0)));
}

static void class__is_refused__when_nothing_is_called_so(void **state)
{
    static const char *const wrong[] = { "", "6xx", "5x", "50", "5000", "xxx", "HTTP", "timeouts" };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct follow_up f = { .kind = FOLLOW_UP_NONE };

        assert_int_equal(follow_up_set_class(&f, wrong[i], &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-ARG1");
        assert_int_equal(f.kind, FOLLOW_UP_NONE);
        assert_int_equal(f.class.class, FAILURE_NONE);
    }
}

static void follow_up__wants_nothing__when_there_is_none(void **state)
{
    struct follow_up f = { .kind = FOLLOW_UP_NONE };

    (void)state;
    assert_false(follow_up_wants(&f, failure_of(OUTCOME_STATUS, 503)));
    f.kind = FOLLOW_UP_MISSING;
    assert_true(follow_up_wants(&f, failure_of(OUTCOME_STATUS, 503)));
}

/* --- runs ----------------------------------------------------------------------------------------- */

/* /N answers 404 or 503 if told so, or hangs. */
struct world {
    struct server *server;
    struct run run;
    unsigned asked[NUMBERS_MAX];
    const char
        *_Atomic how; /* by number: '4' 404, '5' 503, 'h' hangs, 'w' wait for an hour, else well */
};

static struct server_answer play_numbers(void *context, const struct server_asked *asked,
                                         unsigned number)
{
    struct world *w = context;
    unsigned n = asked_number(asked);

    (void)number;
    w->asked[n]++;
    switch (w->how[n - 1]) {
    case '4':
        return EMPTY_ANSWER("404 Not Found");
    case '5':
        return EMPTY_ANSWER("503 Service Unavailable");
    case 'w':
        return EMPTY_ANSWER("429 Later\r\nRetry-After: 3600");
    case 'h':
        return SERVER_ANSWER("", SERVER_HANG);
    default:
        return USUAL;
    }
}

static void begin(struct world *w, const char *how)
{
    char path[32];

    *w = (struct world){ .how = how };
    w->server = server_start(play_numbers, w);
    snprintf(path, sizeof path, "/[1-%zu]", strlen(how));
    run_begin(&w->run, server_url(w->server, path));
    w->run.job.retry.attempts = 1;
}

static void end(struct world *w)
{
    run_end(&w->run);
    server_stop(w->server);
}

/* All answer well from now on; the next session is a follow-up. */
static void follow_up(struct world *w, enum follow_up_kind kind, const char *class)
{
    static const char well[NUMBERS_MAX] = "";

    memset(w->asked, 0, sizeof w->asked);
    w->how = well;
    w->run.follow_up = (struct follow_up){ .kind = kind };
    if (class) {
        assert_int_equal(follow_up_set_class(&w->run.follow_up, class, NULL), RESULT_OK);
    }
}

/* "2:1 5:1": who was asked how often. */
static void assert_asked(const struct world *w, const char *wanted)
{
    char text[NUMBERS_MAX * 8] = "";
    size_t at = 0;

    for (unsigned n = 1; n < NUMBERS_MAX; n++) {
        if (w->asked[n]) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%u:%u", at ? " " : "", n,
                                   w->asked[n]);
        }
    }
    assert_string_equal(text, wanted);
}

static void only_failed__asks_the_failed_ones_again__and_nothing_else(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "..4.5...5");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.failed, 3);
    follow_up(&w, FOLLOW_UP_FAILED, NULL);
    run_to_its_end(&w.run);
    assert_asked(&w, "3:1 5:1 9:1");
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    assert_int_equal(w.run.report.ok, 9);
    assert_int_equal(w.run.report.failed, 0);
    assert_int_equal(w.run.report.pending, 0);
    assert_int_equal(stored_count(&w.run), 9);
    run_to_its_end(&w.run); /* once more: there is nothing */
    assert_asked(&w, "3:1 5:1 9:1");
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    end(&w);
}

static void class__asks_these_again__and_leaves_the_others_failed(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "..4.5...5");
    run_to_its_end(&w.run);
    follow_up(&w, FOLLOW_UP_FAILED, "5xx");
    run_to_its_end(&w.run);
    assert_asked(&w, "5:1 9:1");
    assert_int_equal(w.run.report.ok, 8);
    assert_int_equal(w.run.report.failed, 1);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_failure(w.run.report.failures[0].why, "HTTP 404");
    end(&w);
}

static void only_failed__begins_a_request_anew__with_all_its_tries(void **state)
{
    struct world w;

    (void)state;
    begin(&w, ".5.");
    w.run.job.retry.attempts = 3;
    run_to_its_end(&w.run);
    assert_asked(&w, "1:1 2:3 3:1");
    follow_up(&w, FOLLOW_UP_FAILED, NULL);
    w.how = ".5.";
    run_to_its_end(&w.run);
    assert_asked(&w, "2:3");
    assert_int_equal(w.run.report.failed, 1);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    end(&w);
}

/* The first hangs, so that the rest of the plan is behind a gap when the session is cut off. */
static void stop_midway(struct world *w, const char *how, unsigned asked, unsigned settled)
{
    begin(w, how);
    w->run.job.pace.cap = 2;
    run_start(&w->run);
    until_asked(&w->run, w->server, asked);
    while (look(&w->run)->ok + look(&w->run)->failed < settled) {
        uv_run(&w->run.loop, UV_RUN_ONCE);
    }
    run_close(&w->run);
}

static void only_failed__leaves_the_rest_of_the_plan__which_then_is_pending(void **state)
{
    struct world w;

    (void)state;
    stop_midway(&w, "h.4.h...", 5, 3);
    follow_up(&w, FOLLOW_UP_FAILED, NULL);
    run_to_its_end(&w.run);
    assert_asked(&w, "3:1");
    assert_int_equal(w.run.report.ok, 3);
    assert_int_equal(w.run.report.pending, 5);
    assert_int_equal(w.run.report.exit, EXIT_DRAINED);
    end(&w);
}

static void only_missing__fills_the_gaps__and_leaves_what_was_not_reached(void **state)
{
    struct world w;

    (void)state;
    stop_midway(&w, "h.4.h...", 5, 3);
    follow_up(&w, FOLLOW_UP_MISSING, NULL);
    run_to_its_end(&w.run);
    assert_asked(&w, "1:1 3:1");
    assert_int_equal(w.run.report.ok, 4);
    assert_int_equal(w.run.report.pending, 4);
    assert_int_equal(w.run.report.exit, EXIT_DRAINED);
    follow_up(&w, FOLLOW_UP_NONE, NULL);
    run_to_its_end(&w.run); /* and a session like any other does the rest */
    assert_asked(&w, "5:1 6:1 7:1 8:1");
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    end(&w);
}

/* Whoever asks for the failed ones only does not thereby get round a server's deadline. */
static void only_failed__keeps_a_host_held__by_what_waits(void **state)
{
    struct world w;

    (void)state;
    begin(&w, ".4w.");
    w.run.job.retry.attempts = 2;
    w.run.job.pace.cap = 1;
    w.run.attended = true;
    run_start(&w.run);
    while (look(&w.run)->state != RUN_HELD) {
        uv_run(&w.run.loop, UV_RUN_ONCE);
    }
    run_close(&w.run);
    follow_up(&w, FOLLOW_UP_FAILED, NULL);
    run_start(&w.run);
    assert_int_equal(look(&w.run)->state, RUN_HELD);
    assert_asked(&w, "");
    assert_int_equal(look(&w.run)->wait_count, 0);
    run_close(&w.run);
    end(&w);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class__means__what_the_panel_calls_so),
        cmocka_unit_test(class__is_refused__when_nothing_is_called_so),
        cmocka_unit_test(follow_up__wants_nothing__when_there_is_none),
        cmocka_unit_test(only_failed__asks_the_failed_ones_again__and_nothing_else),
        cmocka_unit_test(class__asks_these_again__and_leaves_the_others_failed),
        cmocka_unit_test(only_failed__begins_a_request_anew__with_all_its_tries),
        cmocka_unit_test(only_failed__leaves_the_rest_of_the_plan__which_then_is_pending),
        cmocka_unit_test(only_missing__fills_the_gaps__and_leaves_what_was_not_reached),
        cmocka_unit_test(only_failed__keeps_a_host_held__by_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
