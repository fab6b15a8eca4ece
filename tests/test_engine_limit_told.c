/* What a run says of its limit: the words, the key that changes it, and when it is told again. */
#include "engine/limit_told.h"
#include "plan/host.h"
#include "ui/hints.h"
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_limit(struct run *r, enum run_limit limit, const char *words)
{
    const struct snapshot *s = look(r);
    char text[LIMIT_TEXT_MAX];

    hints_limit(s, text);
    if (s->limit.kind != limit || !strstr(text, words)) {
        fail_msg("limited by \"%s\", want \"%s ... %s\"", text, run_limit_word(limit), words);
    }
    assert_int_equal(strncmp(text, run_limit_word(limit), strlen(run_limit_word(limit))), 0);
    limit_words(&s->limit, NULL, text); /* without a screen there are no keys */
    assert_null(strstr(text, "raises it"));
    assert_null(strstr(text, "asks now"));
    assert_null(strstr(text, "retries)"));
}

static void limit__is_told_in_words_with_its_key(void **state)
{
    struct script slow = { .usual = USUAL };
    struct server *server;
    struct run r;

    (void)state;
    slow.usual.delay_ms = 60000;
    server = server_start(play, &slow);

    run_begin(&r, server_url(server, "/[1-9]"));
    run_start(&r);
    assert_limit(&r, LIMIT_CAP, "CAP 4 (+ raises it)");
    tell(&r, CONTROL_AUTO, 0);
    assert_limit(&r, LIMIT_CAP, "auto turns it");
    tell_text(&r, CONTROL_SWEEP, "4,8");
    assert_limit(&r, LIMIT_CAP, "b ends it");
    assert_int_equal(look(&r)->state, RUN_SWEEP);
    tell(&r, CONTROL_CAP_SET, 4);
    assert_int_equal(look(&r)->state, RUN_RUNNING); /* whoever sets the cap ends the sweep */
    tell(&r, CONTROL_CAP_SET, 5);
    assert_limit(&r, LIMIT_CAP, "CAP 5");
    tell_text(&r, CONTROL_RATE_SET, "1/m");
    tell(&r, CONTROL_CAP_SET, 20);
    assert_limit(&r, LIMIT_RATE, "1/m (t changes it)");
    tell(&r, CONTROL_PAUSE, 0);
    assert_limit(&r, LIMIT_PAUSED, "(p resumes)");
    tell_text(&r, CONTROL_RATE_SET, "off");
    tell(&r, CONTROL_PAUSE, 0);
    assert_limit(&r, LIMIT_HOST_CAP, "(slow start)"); /* no herd */
    tell(&r, CONTROL_CAP_SET, 0);
    assert_limit(&r, LIMIT_PAUSED, "(cap 0; + raises it)");
    tell(&r, CONTROL_DRAIN, 0);
    assert_limit(&r, LIMIT_DRAINING, "(q again aborts)");
    run_close(&r);
    run_end(&r);

    run_begin(&r, server_url(server, "/[1-9]"));
    r.job.pace.cap_per_host = 2;
    run_start(&r);
    assert_limit(&r, LIMIT_HOST_CAP, "2 (--cap-per-host)");
    pass(&r, 7 * US_PER_S); /* what hangs has a name */
    assert_limit(&r, LIMIT_HOST_CAP, "2 (--cap-per-host; GET /1 for 0:0");
    tell_text(&r, CONTROL_HOLD, look(&r)->hosts[0].host);
    assert_limit(&r, LIMIT_HOLD, "by you (H on the host");
    run_close(&r);
    run_end(&r);

    run_begin(&r, server_url(server, "/[1-3]"));
    run_start(&r);
    assert_limit(&r, LIMIT_QUEUE_EMPTY, "in flight)");
    pass(&r, 7 * US_PER_S);
    assert_limit(&r, LIMIT_QUEUE_EMPTY, "in flight; GET /1 for 0:0");
    run_close(&r);
    run_end(&r);

    run_begin(&r, server_url(server, "/[1-9]"));
    r.job.pace.rate_per_host = (struct rate){ 1, 60 * US_PER_S };
    run_start(&r);
    assert_limit(&r, LIMIT_RATE, "(--rate-per-host)");
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* What an answer is, and what the run is limited by when it has been given once. */
static void limit__is_told_in_words__after_an_answer(void **state)
{
    const struct {
        struct server_answer answer;
        enum run_limit limit;
        const char *words;
    } samples[] = {
        { EMPTY_ANSWER("429 No\r\nRetry-After: 3600"), LIMIT_HOLD,
          "(429, Retry-After: 3600; r asks a row" },
        { EMPTY_ANSWER("429 No"), LIMIT_HOLD, "(429 without a deadline; r asks a row" },
        { SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nRateLimit-Limit: 100\r\n"
                        "RateLimit-Remaining: 2\r\nRateLimit-Reset: 4000\r\n\r\n{\"a\":1}",
                        SERVER_KEEP),
          LIMIT_BUDGET, "/100, resets" },
        { EMPTY_ANSWER("500 No"), LIMIT_ALL_WAITING, "(HTTP 500; r asks a row now)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct script script = { .usual = samples[i].answer };
        struct server *server = server_start(play, &script);
        struct fast_clock still;
        struct run r;

        run_begin(&r,
                  server_url(server, samples[i].limit == LIMIT_ALL_WAITING ? "/[1-1]" : "/[1-20]"));
        r.clock = fast_clock(&still, 0); /* a hold of our own is over in a quarter of a second */
        r.attended = true;
        r.job.pace.cap = 1;
        r.job.retry.attempts = 50;
        r.job.retry.backoff_base_us = r.job.retry.backoff_cap_us = LONG_BACKOFF_US;
        run_start(&r);
        while (look(&r)->limit.kind == LIMIT_CAP || look(&r)->limit.kind == LIMIT_QUEUE_EMPTY ||
               look(&r)->in_flight || look(&r)->storing) {
            turn(&r);
        }
        assert_limit(&r, samples[i].limit, samples[i].words);
        run_close(&r);
        run_end(&r);
        server_stop(server);
    }
}

static void limit__has_a_word_of_its_own_each(void **state)
{
    (void)state;
    assert_string_equal(run_limit_word(LIMIT_NONE), "");
    for (int i = LIMIT_CAP; i < LIMIT_COUNT; i++) {
        assert_true(strlen(run_limit_word((enum run_limit)i)) > 2);
        for (int k = LIMIT_CAP; k < i; k++) {
            assert_string_not_equal(run_limit_word((enum run_limit)i),
                                    run_limit_word((enum run_limit)k));
        }
    }
}

/* A limit that stays but has other values is told anew: status shows what holds now. */
static void limit__is_told_again__when_its_values_change(void **state)
{
    struct script slow = { .usual = USUAL };
    struct server *server;
    struct run r;

    (void)state;
    slow.usual.delay_ms = 60000;
    server = server_start(play, &slow);
    run_begin(&r, server_url(server, "/[1-50]"));
    r.job.network.total_timeout_us = r.job.network.stall_timeout_us = 3600 * US_PER_S;
    run_start(&r);
    until_asked(&r, server, 4);
    pass_ticks(&r, 2);
    tell(&r, CONTROL_CAP_SET, 7);
    pass_ticks(&r, 2);
    run_close(&r);
    assert_told(&r, "\"words\":\"CAP 4\"", true);
    assert_told(&r, "\"words\":\"CAP 7\"", true);
    run_end(&r);
    server_stop(server);
}

static void limit_told__is_what_the_last_line_says(void **state)
{
    static const char lines[] =
        "torn\",\"limit\":\"RATE\"}\n"
        "{\"at\":\"2026-11-21T04:15:00.123Z\",\"event\":\"limit\",\"limit\":\"DISK\",\"words\":"
        "\"DISK x\"}\n"
        "{\"at\":\"2026-11-21T04:15:01.123Z\",\"event\":\"start\"}\n"
        "{\"at\":\"2026-11-21T04:15:02.123Z\",\"event\":\"limit\",\"limit\":\"CAP\","
        "\"words\":\"CAP 10 (+ raises it)\"}\n"
        "{\"at\":\"2026-11-21T04:15:03.123Z\",\"event\":\"sample\",\"limit\":\"CAP\",\"cap\":10,"
        "\"in_flight\":7}\n"
        "{\"at\":\"2026-11-21T04:15:04.123Z\",\"event\":\"cap\",\"from\":10,\"cap\":11,"
        "\"text\":\"limit\"}\n";
    struct limit_told told;
    char text[1024];

    (void)state;
    assert_true(limit_told_find(str_view(lines), &told));
    assert_int_equal(told.limit, LIMIT_CAP);
    assert_string_equal(told.words, "CAP 10 (+ raises it)");
    assert_string_equal(told.at, "2026-11-21T04:15:03.123Z");
    assert_true(told.has_cap && told.cap == 11 && told.in_flight == 7);
    snprintf(text, sizeof text, "%s%s", lines,
             "{\"at\":\"2026-11-21T04:15:05.123Z\",\"event\":\"sample\",\"limit\":\"RATE\"}\n");
    assert_true(limit_told_find(str_view(text), &told));
    assert_string_equal(told.words, "RATE");
    snprintf(text, sizeof text, "%s%s", lines,
             "{\"at\":\"2026-11-21T04:15:05.123Z\",\"event\":\"start\"}\n");
    assert_false(limit_told_find(str_view(text), &told));
    assert_false(told.has_cap); /* that was another session's */
    assert_false(
        limit_told_find(STR("{\"at\":7,\"limit\":\"CAP\"}\n[]\n\n{\"limit\":[\"CAP\"]}"), &told));
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit__is_told_in_words_with_its_key),
        cmocka_unit_test(limit__is_told_in_words__after_an_answer),
        cmocka_unit_test(limit__has_a_word_of_its_own_each),
        cmocka_unit_test(limit__is_told_again__when_its_values_change),
        cmocka_unit_test(limit_told__is_what_the_last_line_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
