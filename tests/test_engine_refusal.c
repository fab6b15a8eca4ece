/* What servers say that ask for patience, in good and in bad words, and dates that are set meanwhile. */

#include "engine_fixture.h"

#include "engine/named_wait.h"
#include "engine/refusal.h"
#include "plan/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FAST 10 /* a second is a tick of the engine */

struct saying {
    const char *fields; /* of the 429 */
    const char *told;   /* in an event; NULL: nothing is odd */
};

static void retry_after__is_told_and_not_heeded__when_it_is_no_deadline(void **state)
{
    static const struct saying sayings[] = {
        { "Retry-After: abc", "ignored Retry-After \\\"abc\\\"" },
        { "Retry-After: -5", "ignored Retry-After \\\"-5\\\"" },
        { "Retry-After: 2030-01-01", "ignored Retry-After \\\"2030-01-01\\\"" },
        { "Retry-After: 1\x01", "[W-RA1]" },
        { "Retry-After: 1\x1b[2J", "[W-RA1]" },
        { "Retry-After: soon, later", "ignored Retry-After \\\"soon, later\\\"" },
        { "Retry-After: x\r\nRetry-After: 1", "ignored Retry-After \\\"x\\\"" },
        { "Retry-After: 0", NULL },
        { "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", NULL },
        { "RateLimit-Remaining: 0", NULL },                                    /* no reset */
        { "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1500000000", NULL }, /* in the past */
        { "X-RateLimit-Remaining: \x02\r\nX-RateLimit-Reset: \x03", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++) {
        struct script script = { .usual = USUAL, .times = 3 };
        struct fast_clock fast;
        struct server *server;
        char head[128], text[ANSWER_MAX];
        struct run r;

        snprintf(head, sizeof head, "429 No\r\n%s", sayings[i].fields);
        script.odd = compose(text, head, "");
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/[1-20]"));
        r.clock = fast_clock(&fast, 50);
        run_to_its_end(&r);
        if (r.report.exit != EXIT_WELL || r.report.ok != 20 || r.report.attempts != 23) {
            fail_msg("%s: exit %d, %llu ok, %llu requests", sayings[i].fields, r.report.exit,
                     (unsigned long long)r.report.ok, (unsigned long long)r.report.attempts);
        }
        assert_true(r.report.holds > 0); /* no leave to go on as before */
        assert_told(&r, sayings[i].told ? sayings[i].told : "[W-RA1]", sayings[i].told != NULL);
        run_end(&r);
        server_stop(server);
    }
}

/* Longer than --max-wait: nobody sleeps on it without a word. */
static void retry_after__parks_the_host__when_it_is_far_away(void **state)
{
    static const char *const values[] = { "86400",
                                          "9223372036854775807",
                                          "99999999999999999999",
                                          "Fri, 31 Dec 9999 23:59:59 GMT",
                                          "1\r\nRetry-After: 86400",
                                          "1, 86400",
                                          "1\r\nx-ms-retry-after-ms: 86400000",
                                          "1,\r\n 86400" };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct script script = { .usual = USUAL, .times = 1 };
        struct server *server;
        char head[128], text[ANSWER_MAX];
        struct run r;

        snprintf(head, sizeof head, "429 No\r\nRetry-After: %s", values[i]);
        script.odd = compose(text, head, "");
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/[1-5]"));
        r.job.pace.cap = 1;
        run_to_its_end(&r);
        assert_int_equal(r.report.exit, EXIT_DRAINED); /* unattended: resumable, not asleep */
        assert_int_equal(server_count(server), 1);
        assert_int_equal(r.report.early_requests, 0);
        assert_true(r.report.asked_s < 60); /* what was waited, not what was asked for */
        assert_told(&r, "[W-RA2]", true);
        assert_told(&r, "parked until ", true);

        r.attended = true; /* resumed by somebody who decides */
        script.times = 0;
        run_start(&r);
        assert_int_equal(look(&r)->state, RUN_HELD);
        assert_int_equal(server_count(server), 1);
        tell(&r, CONTROL_RETRY, 1);
        until_asked(&r, server, 2);
        run_close(&r);
        assert_int_equal(r.report.early_requests, 1);
        run_end(&r);
        server_stop(server);
    }
}

static void refusal__is_heeded_as_a_limit__when_its_words_say_so(void **state)
{
    static const struct {
        const char *head, *body, *hold;
    } samples[] = {
        { "403 No\r\nContent-Type: application/problem+json",
          "{\"type\":\"https://x#quota-exceeded\"}", "403 without a deadline" },
        { "503 No\r\nContent-Type: application/problem+json; charset=utf-8",
          "{\"type\":\"#temporary-reduced-capacity\"}", "503 without a deadline" },
        { "403 No\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 2", "",
          "403, RateLimit: r=0; t=2" },
        { "403 No\r\nRetry-After: 2", "", "403, Retry-After: 2" },
        { "403 No\r\nRetry-After: 0.35", "", "403, Retry-After: 0.35" },
        { "429 No\r\nRetry-After-Ms: 350", "", "429, Retry-After: 350 ms" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct script script = { .usual = USUAL, .times = 1 };
        struct fast_clock fast;
        struct server *server;
        char text[ANSWER_MAX];
        struct run r;

        script.odd = compose(text, samples[i].head, samples[i].body);
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/[1-20]"));
        r.clock = fast_clock(&fast, FAST);
        run_to_its_end(&r);
        assert_int_equal(r.report.exit, EXIT_WELL);
        assert_int_equal(r.report.ok, 20);
        assert_int_equal(r.report.attempts, 21);
        assert_int_equal(r.report.early_requests, 0);
        assert_int_equal(r.report.hosts_held, 1);
        assert_told(&r, samples[i].hold, true);
        run_end(&r);
        server_stop(server);
    }
}

static void refusal__is_final__when_403_says_nothing_of_a_limit(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("403 No"), .times = 1 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-20]"));
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(r.report.attempts, 20);
    assert_int_equal(r.report.holds, 0);
    run_end(&r);
    server_stop(server);
}

static void abnormal_usage__is_for_the_user_to_decide(void **state)
{
    char text[ANSWER_MAX];
    struct script script = { .usual = USUAL, .times = 1 };
    struct server *server;
    struct run r;

    (void)state;
    script.odd = compose(text, "429 No\r\nContent-Type: application/problem+json",
                         "{\"type\":\"about#abnormal-usage-detected\"}");
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-5]"));
    r.job.pace.cap = 1;
    run_to_its_end(&r); /* nobody is there */
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_int_equal(server_count(server), 1);
    assert_non_null(strstr(r.report.stopped_by, "abnormal usage detected"));

    script.times = 1;
    r.attended = true;
    run_start(&r);
    while (look(&r)->state != RUN_HELD) {
        turn(&r);
    }
    assert_int_equal(look(&r)->limit.kind, LIMIT_HOLD);
    assert_int_equal(look(&r)->limit.by, LIMIT_BY_USER);
    tell_text(&r, CONTROL_HOLD, look(&r)->hosts[0].host);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.ok, 5);
    run_end(&r);
    server_stop(server);
}

/* --- dates that are set ------------------------------------------------------------------------------ */

#define DAYS(n) ((int64_t)(n)*86400 * (int64_t)US_PER_S)

/* A hold of two seconds, named or the moment of a quota, with the date set forth and back in the middle of it. */
static void hold__is_as_long_as_it_was_meant__when_the_date_is_set(void **state)
{
    static const int64_t jumps[] = { DAYS(400), DAYS(-400) };
    const struct server_answer refusals[] = {
        EMPTY_ANSWER("429 No\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                     "Retry-After: Sun, 06 Nov 1994 08:49:39 GMT"),
        EMPTY_ANSWER("429 No\r\nDate: Fri, 14 Jul 2017 02:40:00 GMT\r\n"
                     "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1500000002"),
    };

    (void)state;
    for (size_t n = 0; n < 4; n++) {
        size_t i = n % 2;
        struct script script = { .usual = USUAL, .odd = refusals[n / 2], .times = 1 };
        struct server *server = server_start(play, &script);
        uint64_t first_us, second_us;
        struct fast_clock fast;
        struct run r;

        run_begin(&r, server_url(server, "/[1-30]"));
        r.clock = fast_clock(&fast, 4);
        r.job.pace.cap = 1;
        fast.base_wall_us += jumps[i]; /* before: dates count from the server's own */
        run_start(&r);
        while (!look(&r)->wait_count) {
            turn(&r);
        }
        assert_in_range(look(&r)->waits[0].due_in_us, 1, 2 * US_PER_S + NAMED_WAIT_SLACK_US);
        fast.base_wall_us -= 2 * jumps[i];
        run_until_done(&r);
        run_close(&r);
        assert_int_equal(r.report.exit, EXIT_WELL);
        assert_int_equal(r.report.ok, 30);
        assert_int_equal(r.report.early_requests, 0);
        first_us = fast_clock_us(&fast, server_asked_at(server, 0).at_us);
        second_us = fast_clock_us(&fast, server_asked_at(server, 1).at_us);
        assert_true(second_us - first_us >= 2 * US_PER_S);
        run_end(&r);
        server_stop(server);
    }
}

/* Without a Date of the server's, our own is all there is: a wrong one may park the host, not more. */
static void hold__is_bounded__when_the_date_was_wrong_from_the_start(void **state)
{
    static const int64_t jumps[] = { DAYS(400), DAYS(-400) };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct script script = { .usual = USUAL, .times = 1 };
        struct fast_clock fast;
        struct server *server;
        char head[128], text[ANSWER_MAX];
        time_t then = time(NULL) + 2;
        struct run r;
        struct tm tm;

        gmtime_r(&then, &tm);
        assert_true(strftime(head, sizeof head, "429 No\r\nRetry-After: %a, %d %b %Y %H:%M:%S GMT",
                             &tm) > 0);
        script.odd = compose(text, head, "");
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/[1-30]"));
        r.clock = fast_clock(&fast, FAST);
        r.job.pace.cap = 1;
        fast.base_wall_us += jumps[i];
        run_to_its_end(&r);
        if (jumps[i] > 0) { /* a deadline that seems to be past is none */
            assert_int_equal(r.report.exit, EXIT_WELL);
            assert_int_equal(r.report.ok, 30);
        } else {
            assert_int_equal(r.report.exit, EXIT_DRAINED);
            assert_int_equal(server_count(server), 1);
            assert_told(&r, "[W-RA2]", true);
        }
        run_end(&r);
        server_stop(server);
    }
}

/* A run of an earlier date, resumed: what waits there waits no longer than it was meant to; and no less, while the
 * machine is up, or unless the clock was set ahead. */
static void resume__neither_stalls_nor_bursts__when_the_date_is_set_between(void **state)
{
    static const struct {
        int64_t jump_us;
        uint64_t boots[2]; /* of the two sessions */
        bool waits;
    } cases[] = {
        { DAYS(400), { 0, 0 }, false }, { DAYS(400), { 1, 2 }, false },
        { DAYS(400), { 1, 1 }, true },  { DAYS(-400), { 0, 0 }, true },
        { DAYS(-400), { 1, 2 }, true }, { DAYS(-400), { 1, 1 }, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct script script = { .usual = USUAL,
                                 .odd = EMPTY_ANSWER("429 No\r\nRetry-After: 5"),
                                 .times = 1 };
        struct server *server = server_start(play, &script);
        uint64_t first_us, second_us;
        struct fast_clock fast;
        struct run r;

        run_begin(&r, server_url(server, "/[1-30]"));
        r.clock = fast_clock(&fast, FAST);
        r.job.pace.cap = 1;
        r.boot = cases[i].boots[0];
        run_start(&r);
        while (!look(&r)->wait_count) {
            turn(&r);
        }
        tell(&r, CONTROL_DRAIN, 0);
        run_until_done(&r);
        run_close(&r);
        assert_int_equal(server_count(server), 1);
        fast.base_wall_us += cases[i].jump_us;
        r.boot = cases[i].boots[1];
        run_to_its_end(&r);
        assert_int_equal(r.report.exit, EXIT_WELL);
        assert_int_equal(r.report.ok, 30);
        first_us = fast_clock_us(&fast, server_asked_at(server, 0).at_us);
        second_us = fast_clock_us(&fast, server_asked_at(server, 1).at_us);
        assert_true(!cases[i].waits || second_us - first_us >= 5 * US_PER_S);
        run_end(&r);
        server_stop(server);
    }
}

/* --- a limit of which others spend, too --------------------------------------------------------------- */

#define CROWDED 9
#define CROWDED_URLS 24

/* Of the first few URLs: how often each was refused, and what all had got by then. */
struct crowded {
    unsigned refused, accepted, again;
    struct {
        unsigned times, refused, accepted;
    } url[CROWDED + 1];
};

/* Each of them is refused once, and again when others were refused and others were let in meanwhile. */
static struct server_answer crowded(void *context, const struct server_asked *asked,
                                    unsigned number)
{
    struct crowded *c = context;
    long item = strtol(asked->head + strlen("GET /"), NULL, 10);
    bool is_first, is_limits;

    (void)number;
    if (item > CROWDED) {
        c->accepted++;
        return USUAL;
    }
    is_first = !c->url[item].times;
    is_limits = c->refused > c->url[item].refused && c->accepted > c->url[item].accepted;
    if (!is_first && (!is_limits || c->url[item].times == 2)) {
        c->accepted++;
        return USUAL;
    }
    c->again += !is_first;
    c->url[item].times++;
    c->url[item].refused = ++c->refused;
    c->url[item].accepted = c->accepted;
    return EMPTY_ANSWER("429 No");
}

/* Two tries are all that a URL has; it is refused twice, and has not failed. */
static void refusal__is_no_try_of_its_url__when_the_limit_refuses_others_too(void **state)
{
    struct crowded c = { .refused = 0 };
    struct server *server = server_start(crowded, &c);
    struct fast_clock fast;
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-24]"));
    r.clock = fast_clock(&fast, 400);
    r.job.pace.cap = 1;
    r.job.retry.attempts = 2;
    r.job.retry.backoff_base_us = r.job.retry.backoff_cap_us = 60 * US_PER_S;
    run_to_its_end(&r);
    assert_true(c.again > 0);
    assert_int_equal(r.report.ok, CROWDED_URLS);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.attempts, CROWDED_URLS + c.refused);
    run_end(&r);
    server_stop(server);
}

/* It is bounded, whatever its host says to others. */
static void refusal__is_its_urls_own__at_first_and_alone_and_after_many(void **state)
{
    struct request request = { .host = 0 };
    struct host_table table;
    struct bucket *bucket;
    struct host *host;
    struct url url;
    unsigned free_ones = 0;

    (void)state;
    host_table_init(&table, 0, (struct rate){ 0 });
    assert_int_equal(url_split(STR("http://h.test/"), &url, NULL), RESULT_OK);
    assert_int_equal(host_find(&table, &url, &request.host, NULL), RESULT_OK);
    host = host_at(&table, request.host);
    bucket = host_bucket(host, &request);
    bucket->refused = 1;
    assert_false(refusal_is_limits(host, &request));
    bucket->refused += 1; /* it alone was */
    bucket->accepted += 5;
    assert_false(refusal_is_limits(host, &request));
    bucket->refused += 5; /* nobody was let in */
    assert_false(refusal_is_limits(host, &request));
    for (unsigned i = 0; i < 1000; i++) {
        bucket->refused += 2;
        bucket->accepted += 1;
        free_ones += refusal_is_limits(host, &request);
    }
    assert_int_equal(free_ones, 24);
    host_table_release(&table);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after__is_told_and_not_heeded__when_it_is_no_deadline),
        cmocka_unit_test(retry_after__parks_the_host__when_it_is_far_away),
        cmocka_unit_test(refusal__is_heeded_as_a_limit__when_its_words_say_so),
        cmocka_unit_test(refusal__is_final__when_403_says_nothing_of_a_limit),
        cmocka_unit_test(abnormal_usage__is_for_the_user_to_decide),
        cmocka_unit_test(hold__is_as_long_as_it_was_meant__when_the_date_is_set),
        cmocka_unit_test(hold__is_bounded__when_the_date_was_wrong_from_the_start),
        cmocka_unit_test(resume__neither_stalls_nor_bursts__when_the_date_is_set_between),
        cmocka_unit_test(refusal__is_no_try_of_its_url__when_the_limit_refuses_others_too),
        cmocka_unit_test(refusal__is_its_urls_own__at_first_and_alone_and_after_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
