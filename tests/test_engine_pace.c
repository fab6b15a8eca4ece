/* How fast a run asks: breaker, dead hosts, the time that is left, and the verdict. */
#include "plan/host.h"
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FAST 10 /* a second is a tick of the engine */

/* --- the breaker -------------------------------------------------------------------------------- */

static void breaker__stays_shut__when_few_requests_are_left(void **state)
{
    char url[64];
    struct run r;
    int hold;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/[1-3]", server_refusing_port(&hold));
    run_begin(&r, url);
    r.job.retry.attempts = 2;
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(r.report.failed, 3);
    assert_int_equal(r.report.attempts, 6);
    assert_told(&r, "\"event\":\"breaker\"", false);
    run_end(&r);
    close(hold);
}

/* Nothing ever answered there: half a minute of probes is enough. Its port is refused, so the network is there, and
 * its URLs are what is broken. */
static void breaker__opens_and_its_urls_fail__when_nothing_answers(void **state)
{
    struct fast_clock fast;
    char url[64];
    struct run r;
    int hold;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/[1-40]", server_refusing_port(&hold));
    run_begin(&r, url);
    r.clock = fast_clock(&fast, FAST);
    r.job.retry.attempts = 50;
    r.job.retry.backoff_cap_us = 100 * US_PER_MS;
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(r.report.failed, 40);
    assert_int_equal(r.report.pending, 0);
    /* Those that failed together, and probes ever further apart. */
    assert_in_range(r.report.attempts, HOST_DOWN_FAILURES + 1, HOST_DOWN_FAILURES + 40);
    assert_told(&r, "\"event\":\"breaker\"", true);
    assert_told(&r, "W-DEAD1", true);
    run_end(&r);
    close(hold);
}

/* A name that does not resolve: nobody is hammered, and nobody waits. */
static void breaker__ends_the_run_at_once__when_there_is_no_hope(void **state)
{
    struct run r;

    (void)state;
    run_begin(&r, "http://nobody.invalid/[1-40]");
    r.job.retry.attempts = 50;
    r.job.retry.backoff_cap_us = 100 * US_PER_MS;
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_int_equal(r.report.pending, 40);
    assert_in_range(r.report.attempts, HOST_DOWN_FAILURES, 2 * HOST_DOWN_FAILURES + 5);
    run_end(&r);
}

static const char *port_of(const struct server *server)
{
    return strrchr(server_url(server, ""), ':') + 1;
}

static const struct snapshot_host *host_of(const struct snapshot *s, const struct server *server)
{
    for (size_t i = 0; i < s->host_count; i++) {
        if (strcmp(strrchr(s->hosts[i].host, ':') + 1, port_of(server)) == 0) {
            return &s->hosts[i];
        }
    }
    return NULL;
}

static bool is_told_of_trouble(const struct snapshot *s)
{
    for (size_t i = 0; i < s->event_count; i++) {
        if (strstr(s->events[i].text, "different URLs fail in a row")) {
            return true;
        }
    }
    return false;
}

/* One host answers 500 to everything, the other is well. A status is an answer: each URL of the first
 * runs through its own tries and fails, few at once, and the other host has all the rest of the cap. */
static void broken_host__costs_the_other_one_nothing(void **state)
{
    struct script broken = { .usual = EMPTY_ANSWER("500 No") }, well = { .usual = USUAL };
    struct server *dead = server_start(play, &broken), *alive;
    unsigned looks = 0, most = 0;
    bool is_in_trouble = false;
    char pattern[128];
    struct run r;

    (void)state;
    well.usual.delay_ms = 20;
    alive = server_start(play, &well);
    run_begin(&r, server_url(dead, "/[1-20]"));
    snprintf(pattern, sizeof pattern, "%s", server_url(alive, "/[1-400]"));
    assert_int_equal(
        job_add_source(&r.job.endpoints[0], JOB_SOURCE_PATTERN, str_view(pattern), NULL),
        RESULT_OK);
    r.job.pace.cap = 10;
    r.job.retry.attempts = 3;
    run_start(&r);
    while (!r.done) {
        const struct snapshot *s = look(&r);
        const struct snapshot_host *a = host_of(s, dead), *b = host_of(s, alive);

        is_in_trouble |= is_told_of_trouble(s) && a && a->in_flight <= LANE_TROUBLE_WINDOW;
        if (is_in_trouble && b && b->requests + b->in_flight < 400 && rests(&r)) {
            looks++; /* the first ones are back, and the other still has work */
            most = a && a->in_flight > most ? a->in_flight : most;
            if (s->in_flight < 10) {
                fail_msg("%u and %u in flight of 10", a ? a->in_flight : 0, b->in_flight);
            }
        }
        turn(&r);
    }
    run_close(&r);
    assert_true(looks > 0);
    assert_in_range(most, 0, LANE_TROUBLE_WINDOW + 2); /* it grows by time */
    assert_int_equal(server_count(alive), 400);
    assert_int_equal(server_count(dead), 60);
    assert_int_equal(r.report.ok, 400);
    assert_int_equal(r.report.failed, 20);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE); /* never as if it were for another day */
    assert_told(&r, "\"event\":\"trouble\"", true);
    assert_told(&r, "\"event\":\"breaker\"", false);
    run_end(&r);
    server_stop(dead);
    server_stop(alive);
}

/* A host that never answers among one that does: its URLs are what is wrong, so they end as failed, most of
 * them unasked, and so they do when they alone are asked again. */
static void dead_host__ends_its_urls__while_another_answers(void **state)
{
    struct script usual = { .usual = USUAL };
    struct server *server = server_start(play, &usual);
    struct fast_clock fast;
    char url[128];
    struct run r;
    int hold;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:{%u,%s}/[1-50]", server_refusing_port(&hold),
             port_of(server));
    run_begin(&r, url);
    r.clock = fast_clock(&fast, FAST);
    for (int session = 0; session < 2; session++) {
        run_to_its_end(&r);
        assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
        assert_int_equal(r.report.ok, 50);
        assert_int_equal(r.report.failed, 50);
        assert_int_equal(r.report.pending, 0);
        assert_failure(r.report.failures[0].why, "connect");
        assert_in_range(r.report.session_attempts - r.report.session_ok, HOST_DOWN_FAILURES,
                        HOST_DOWN_FAILURES + 40);
        assert_told(&r, "[W-DEAD1]", true);
        assert_told(&r, "failed: not asked: connection refused; its host has never answered", true);
        r.follow_up = (struct follow_up){ .kind = FOLLOW_UP_FAILED };
    }
    assert_int_equal(server_count(server), 50);
    run_end(&r);
    server_stop(server);
    close(hold);
}

/* A host that dies midway, while another goes on: what is left for it ends as failed within a minute or two. */
static void lost_host__ends_its_urls__while_another_goes_on(void **state)
{
    struct script slow = { .usual = USUAL }, usual = { .usual = USUAL };
    struct server *dying, *server;
    struct fast_clock fast;
    uint64_t from_us;
    char url[128];
    struct run r;
    unsigned came;

    (void)state;
    slow.usual.delay_ms = usual.usual.delay_ms = 10;
    dying = server_start(play, &usual);
    server = server_start(play, &slow);
    snprintf(url, sizeof url, "http://127.0.0.1:{%s,%s}/[1-200]", port_of(dying), port_of(server));
    run_begin(&r, url);
    r.clock = fast_clock(&fast, FAST);
    r.job.pace.cap = 4;
    run_start(&r);
    while (look(&r)->ok < 20) {
        turn(&r);
    }
    server_stop(dying);
    from_us = clock_now_us(&r.clock);
    while (!r.done) {
        turn(&r);
    }
    came = server_count(server);
    assert_int_equal(came, 200);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(r.report.pending, 0);
    assert_int_equal(r.report.ok + r.report.failed, 400);
    assert_in_range(r.report.failed, 1, 199);
    assert_true(clock_now_us(&r.clock) - from_us < 300 * US_PER_S);
    assert_told(&r, "[W-DEAD1]", true);
    assert_told(&r, "its host does not answer any more", true);
    run_end(&r);
    server_stop(server);
}

/* --- waiting ----------------------------------------------------------------------------------- */

/* Turns of the loop while there is nothing to do but to wait: its ticks, and what one of them wakes. */
static void assert_idle(struct run *r, unsigned ticks)
{
    struct clock clock = clock_system();
    uint64_t from_us = clock_now_us(&clock), turns = 0, elapsed_us;

    do {
        turn(r);
        turns++;
        elapsed_us = clock_now_us(&clock) - from_us;
    } while (elapsed_us < ticks * 100 * US_PER_MS);
    if (turns > 3 * (elapsed_us / (100 * US_PER_MS) + 2)) {
        fail_msg("%llu turns in %llu us", (unsigned long long)turns,
                 (unsigned long long)elapsed_us);
    }
}

static void loop__sleeps__while_hosts_are_held_or_down(void **state)
{
    struct script refusing = { .usual = EMPTY_ANSWER("429 No\r\nRetry-After: 3600") };
    struct server *server = server_start(play, &refusing);
    char url[128];
    struct run r;
    int hold;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:{%u,%s}/[1-50]", server_refusing_port(&hold),
             port_of(server));
    run_begin(&r, url);
    r.attended = true;
    r.job.retry.attempts = 50;
    r.job.retry.backoff_base_us = r.job.retry.backoff_cap_us = 60 * US_PER_S;
    run_start(&r);
    while (look(&r)->in_flight || look(&r)->storing || !server_count(server)) {
        turn(&r);
    }
    assert_int_equal(look(&r)->state, RUN_HELD);
    assert_idle(&r, 3);
    run_close(&r);
    run_end(&r);
    server_stop(server);
    close(hold);
}

/* --- what limits it ------------------------------------------------------------------------------ */

/* Some went well, and then nothing moves: nobody can say when it will end. */
static void eta__is_none__while_nothing_moves(void **state)
{
    struct script script = { .usual = USUAL, .at = 9, .times = 100 };
    struct server *server;
    struct run r;

    (void)state;
    script.odd = SERVER_ANSWER("", SERVER_HANG);
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-9]"));
    r.job.pace.cap = 1;
    r.job.network.total_timeout_us = r.job.network.stall_timeout_us = 3600 * US_PER_S;
    run_start(&r);
    until_asked(&r, server, 9);
    while (look(&r)->ok < 8) {
        turn(&r);
    }
    pass_ticks(&r, 1);
    while (!look(&r)->eta_known) { /* for it two seconds must have been seen to pass */
        turn(&r);
    }
    pass_ticks(&r, 8);
    assert_int_equal(look(&r)->ok, 8);
    assert_int_equal(look(&r)->in_flight, 1);
    assert_false(look(&r)->eta_known);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* Under a rate the plan's end is known; what is paused has none. */
static void eta__is_of_the_rate__and_none_while_paused(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;
    const struct snapshot *s;
    double want_us;

    (void)state;
    run_begin(&r, server_url(server, "/[1-1000]"));
    r.job.pace.rate = (struct rate){ 4, US_PER_S };
    run_start(&r);
    pass_ticks(&r, 4);
    do { /* five answers, and two seconds that were seen to pass */
        assert_false(r.done);
        turn(&r);
        s = look(&r);
    } while (s->limit.kind != LIMIT_RATE || !s->eta_known);
    want_us = (double)(s->total - s->ok) / 4 * 1e6;
    if ((double)s->eta_low_us < 0.99 * want_us || (double)s->eta_low_us > 1.01 * want_us) {
        fail_msg("ETA %.1f s, want %.1f s", (double)s->eta_low_us / 1e6, want_us / 1e6);
    }
    tell(&r, CONTROL_PAUSE, 0);
    assert_false(look(&r)->eta_known);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* What is due in an hour is not over in a second, however fast the others were. */
static void eta__is_not_before_the_last_that_waits(void **state)
{
    struct script script = { .usual = USUAL, .at = 1, .times = 1 };
    struct server *server;
    const struct snapshot *s;
    struct run r;

    (void)state;
    script.odd = EMPTY_ANSWER("500 No");
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-200]"));
    r.job.pace.rate = (struct rate){ 20, US_PER_S };
    r.job.retry.backoff_base_us = r.job.retry.backoff_cap_us = UINT64_C(1000) * 3600 * US_PER_S;
    run_start(&r);
    do {
        assert_false(r.done);
        turn(&r);
        s = look(&r);
    } while (!s->eta_known || !s->wait_count || !s->waits[0].due_in_us);
    assert_true(s->eta_low_us >= s->waits[0].due_in_us);
    assert_true(s->eta_high_us >= s->eta_low_us);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* What the report makes of the whole run: 100 requests, and what they had to wait for. */
static void verdict__names_what_the_time_went_into(void **state)
{
    static const struct {
        struct rate rate;
        unsigned cap, delay_ms;
        const char *verdict;
        enum run_limit limit;
    } samples[] = {
        { { 20, US_PER_S }, 50, 0, "rate-bound: ", LIMIT_RATE },
        { { 0, 0 }, 2, 10, "network-bound: ", LIMIT_CAP },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct script script = { .usual = USUAL };
        struct fast_clock fast;
        struct server *server;
        struct run r;

        script.usual.delay_ms = samples[i].delay_ms;
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/[1-100]"));
        r.clock = fast_clock(&fast, FAST);
        r.job.pace.cap = samples[i].cap;
        r.job.pace.rate = samples[i].rate;
        run_to_its_end(&r);
        if (strncmp(r.report.verdict, samples[i].verdict, strlen(samples[i].verdict)) != 0) {
            fail_msg("\"%s\", want \"%s...\"", r.report.verdict, samples[i].verdict);
        }
        assert_true(r.report.limited_s[samples[i].limit] > 0.5 * r.report.wall_s);
        assert_true(r.report.loop_cpu_s > 0 && r.report.loop_cpu_s <= r.report.cpu_s);
        run_end(&r);
        server_stop(server);
    }
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaker__stays_shut__when_few_requests_are_left),
        cmocka_unit_test(breaker__opens_and_its_urls_fail__when_nothing_answers),
        cmocka_unit_test(breaker__ends_the_run_at_once__when_there_is_no_hope),
        cmocka_unit_test(broken_host__costs_the_other_one_nothing),
        cmocka_unit_test(dead_host__ends_its_urls__while_another_answers),
        cmocka_unit_test(lost_host__ends_its_urls__while_another_goes_on),
        cmocka_unit_test(loop__sleeps__while_hosts_are_held_or_down),
        cmocka_unit_test(eta__is_none__while_nothing_moves),
        cmocka_unit_test(eta__is_of_the_rate__and_none_while_paused),
        cmocka_unit_test(eta__is_not_before_the_last_that_waits),
        cmocka_unit_test(verdict__names_what_the_time_went_into),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
