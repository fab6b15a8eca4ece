#include "plan/retry.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct job_retry policy(uint64_t base_us, uint64_t cap_us)
{
    return (struct job_retry){ .attempts = 6,
                               .backoff_base_us = base_us,
                               .backoff_cap_us = cap_us,
                               .max_wait_us = 600 * US_PER_S };
}

static void backoff__doubles_to_its_cap__when_tries_go_on(void **state)
{
    struct job_retry p = policy(1 * US_PER_S, 30 * US_PER_S);
    const uint64_t want_s[] = { 1, 2, 4, 8, 16, 30, 30 };
    uint64_t ceiling;

    (void)state;
    for (uint32_t attempt = 1; attempt <= 7; attempt++) {
        retry_backoff_us(&p, attempt, 0, &ceiling);
        assert_int_equal(ceiling, want_s[attempt - 1] * US_PER_S);
    }
    retry_backoff_us(&p, UINT32_MAX, 0, &ceiling);
    assert_int_equal(ceiling, 30 * US_PER_S);
    retry_backoff_us(&p, 0, 0, &ceiling);
    assert_int_equal(ceiling, 1 * US_PER_S);
}

static void backoff__reaches_both_ends__when_random_does(void **state)
{
    struct job_retry p = policy(1000, 4000);

    (void)state;
    assert_int_equal(retry_backoff_us(&p, 1, 0, NULL), 0);
    assert_int_equal(retry_backoff_us(&p, 1, 1000, NULL), 1000);
    assert_int_equal(retry_backoff_us(&p, 1, 1001, NULL), 0);
    assert_int_equal(retry_backoff_us(&p, 9, 4000, NULL), 4000);
}

static void backoff__is_spread_evenly__when_random_is(void **state)
{
    struct job_retry p = policy(1000, 30000);
    unsigned tenth[10] = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t random = i * UINT64_C(0x9E3779B97F4A7C15);
        uint64_t wait = retry_backoff_us(&p, 6, random ^ random >> 29, NULL);

        assert_in_range(wait, 0, 30000);
        tenth[wait < 30000 ? wait / 3000 : 9]++;
    }
    for (int i = 0; i < 10; i++) {
        assert_in_range(tenth[i], 9000, 11000);
    }
}

static void backoff__does_not_overflow__when_its_bounds_are_the_largest(void **state)
{
    struct job_retry p = policy(UINT64_C(1) << 62, UINT64_MAX);
    uint64_t ceiling;

    (void)state;
    assert_int_equal(retry_backoff_us(&p, 60, 7, &ceiling), 7);
    assert_true(ceiling == UINT64_MAX);
    p = policy(0, 0);
    assert_int_equal(retry_backoff_us(&p, 60, 12345, &ceiling), 0);
    assert_int_equal(ceiling, 0);
}

/* RFC 9110 section 15: a 5xx that has no entry of its own is as 500. */
static bool is_retried(int status)
{
    static const int for_good[] = { 501, 505, 506, 507, 510, 511 };

    for (size_t i = 0; i < sizeof for_good / sizeof for_good[0]; i++) {
        if (for_good[i] == status) {
            return false;
        }
    }
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* A deadline or words of a limit make it the host's. */
static bool is_put_off(int status)
{
    return status == 403 || status == 420 || status == 430 || status == 503 || status == 509 ||
           status == 529;
}

static void verdict__is_again__when_the_status_is_temporary(void **state)
{
    struct job_retry p = policy(1, 1);

    (void)state;
    for (int status = 100; status <= 999; status++) {
        struct attempt a = { .outcome = OUTCOME_STATUS,
                             .status = status,
                             .attempt = 1,
                             .idempotent = true,
                             .sent = true };
        enum verdict want = is_retried(status) ? VERDICT_AGAIN : VERDICT_FINAL;

        if (retry_judge(&a, &p) != want) {
            fail_msg("%d: verdict %d, want %d", status, retry_judge(&a, &p), want);
        }
        a.has_deadline = true;
        want = is_retried(status) || is_put_off(status) ? VERDICT_AGAIN : VERDICT_FINAL;
        assert_int_equal(retry_judge(&a, &p), want);
        a.has_deadline = false;
        a.is_limit = true; /* the body says so */
        if (retry_judge(&a, &p) != want) {
            fail_msg("%d with Retry-After: verdict %d, want %d", status, retry_judge(&a, &p), want);
        }
        a.attempt = p.attempts;
        assert_int_equal(retry_judge(&a, &p), VERDICT_FINAL);
    }
}

/* RFC 9110 section 9.2.2: a POST that may have been acted on is not repeated by us. */
static void verdict__is_final__when_a_post_was_sent_and_may_have_been_acted_on(void **state)
{
    struct job_retry p = policy(1, 1);

    (void)state;
    for (int status = 100; status <= 599; status++) {
        struct attempt a = {
            .outcome = OUTCOME_STATUS, .status = status, .attempt = 1, .sent = true
        };
        bool unacted = status == 425 || status == 429;

        assert_int_equal(retry_judge(&a, &p), unacted ? VERDICT_AGAIN : VERDICT_FINAL);
        a.has_deadline = true;
        unacted = unacted || is_put_off(status); /* so not acted on */
        assert_int_equal(retry_judge(&a, &p), unacted ? VERDICT_AGAIN : VERDICT_FINAL);
    }
}

static void verdict__follows_the_outcome(void **state)
{
    static const struct {
        enum outcome outcome;
        enum verdict get, post_sent, post_unsent;
    } table[] = {
        { OUTCOME_OK, VERDICT_DONE, VERDICT_DONE, VERDICT_DONE },
        { OUTCOME_REDIRECT, VERDICT_REDIRECT, VERDICT_REDIRECT, VERDICT_REDIRECT },
        { OUTCOME_DNS, VERDICT_AGAIN, VERDICT_FINAL, VERDICT_AGAIN },
        { OUTCOME_CONNECT, VERDICT_AGAIN, VERDICT_FINAL, VERDICT_AGAIN },
        { OUTCOME_TLS, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
        { OUTCOME_TIMEOUT, VERDICT_AGAIN, VERDICT_FINAL, VERDICT_AGAIN },
        { OUTCOME_SHORT_BODY, VERDICT_AGAIN, VERDICT_FINAL, VERDICT_AGAIN },
        { OUTCOME_BAD_JSON, VERDICT_AGAIN, VERDICT_FINAL, VERDICT_AGAIN },
        { OUTCOME_TOO_BIG, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
        { OUTCOME_ENCODING, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
        { OUTCOME_PROTOCOL, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
        { OUTCOME_REFUSED, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
        { OUTCOME_LOCAL, VERDICT_FREE, VERDICT_FINAL, VERDICT_FREE },
        { OUTCOME_CANCELLED, VERDICT_FREE, VERDICT_FREE, VERDICT_FREE },
        { OUTCOME_DROPPED, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
        { OUTCOME_NO_RECORDS, VERDICT_AGAIN, VERDICT_FINAL, VERDICT_AGAIN },
        { OUTCOME_RULE, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
        { OUTCOME_WRONG_TYPE, VERDICT_AGAIN, VERDICT_FINAL, VERDICT_AGAIN },
        { OUTCOME_LIMIT, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
        { OUTCOME_NOT_READY, VERDICT_FINAL, VERDICT_FINAL, VERDICT_FINAL },
    };
    struct job_retry p = policy(1, 1);

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct attempt a = {
            .outcome = table[i].outcome, .attempt = 1, .idempotent = true, .sent = true
        };

        if (retry_judge(&a, &p) != table[i].get) {
            fail_msg("GET, %s: %d", outcome_name(a.outcome), retry_judge(&a, &p));
        }
        a.idempotent = false;
        if (retry_judge(&a, &p) != table[i].post_sent) {
            fail_msg("POST sent, %s: %d", outcome_name(a.outcome), retry_judge(&a, &p));
        }
        a.sent = false;
        if (retry_judge(&a, &p) != table[i].post_unsent) {
            fail_msg("POST not sent, %s: %d", outcome_name(a.outcome), retry_judge(&a, &p));
        }
        a.attempt = p.attempts;
        if (table[i].get == VERDICT_AGAIN) {
            assert_int_equal(retry_judge(&a, &p), VERDICT_FINAL);
        }
    }
}

/* What was sent, must not be sent twice, and has no whole answer. */
static void attempt__is_doubtful__when_nobody_can_say_what_became_of_it(void **state)
{
    (void)state;
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        struct attempt a = { .outcome = (enum outcome)outcome, .attempt = 1, .sent = true };
        bool unanswered = outcome == OUTCOME_CONNECT || outcome == OUTCOME_TIMEOUT ||
                          outcome == OUTCOME_SHORT_BODY || outcome == OUTCOME_LOCAL;

        assert_int_equal(retry_is_doubtful(&a), unanswered);
        a.sent = false;
        assert_false(retry_is_doubtful(&a));
        a.sent = a.idempotent = true;
        assert_false(retry_is_doubtful(&a));
    }
}

static void method_is_idempotent__knows_the_methods(void **state)
{
    static const char *const yes[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };
    static const char *const no[] = { "POST", "PATCH", "get", "GETX", "", "PROPFIND" };

    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        assert_true(retry_method_is_idempotent(str_view(yes[i])));
        assert_false(retry_method_is_idempotent(str_view(no[i])));
    }
}

static void holds_host__is_for_429_and_what_is_put_off(void **state)
{
    (void)state;
    for (int status = 100; status <= 599; status++) {
        struct attempt a = { .outcome = OUTCOME_STATUS, .status = status };
        bool is_held = status == 429 || is_put_off(status);

        assert_int_equal(retry_holds_host(&a), status == 429);
        a.has_deadline = true;
        assert_int_equal(retry_holds_host(&a), is_held);
        a = (struct attempt){ .outcome = OUTCOME_STATUS, .status = status, .is_limit = true };
        assert_int_equal(retry_holds_host(&a), is_held);
        a.outcome = OUTCOME_BAD_JSON;
        assert_false(retry_holds_host(&a));
    }
}

static void verdict__goes_by_the_jobs_statuses__when_it_names_some(void **state)
{
    const struct job_retry policy = {
        .attempts = 3, .statuses = { 404, 500, -503 }, .status_count = 3, .replaces_statuses = true
    };
    struct attempt a = {
        .outcome = OUTCOME_STATUS, .attempt = 1, .idempotent = true, .sent = true
    };

    (void)state;
    a.status = 404;
    assert_int_equal(retry_judge(&a, &policy), VERDICT_AGAIN);
    a.status = 500;
    assert_int_equal(retry_judge(&a, &policy), VERDICT_AGAIN);
    a.status = 502;
    assert_int_equal(retry_judge(&a, &policy), VERDICT_FINAL);
    a.status = 429; /* what a server says of itself is not lost with a list */
    assert_int_equal(retry_judge(&a, &policy), VERDICT_AGAIN);
    a.status = 503;
    assert_int_equal(retry_judge(&a, &policy), VERDICT_FINAL);
    a.idempotent = false; /* a list does not make a POST safe to repeat */
    a.status = 500;
    assert_int_equal(retry_judge(&a, &policy), VERDICT_FINAL);
}

static void verdict__goes_by_the_usual_statuses__when_the_job_only_changes_them(void **state)
{
    const struct job_retry policy = { .attempts = 3, .statuses = { 403, -500 }, .status_count = 2 };

    (void)state;
    for (int status = 300; status <= 599; status++) {
        bool want = status == 403 || (is_retried(status) && status != 500);

        if (retry_wants_status(&policy, status) != want) {
            fail_msg("%d: want %d", status, want);
        }
    }
}

static void verdict__is_again_once__when_a_page_stands_where_data_should(void **state)
{
    struct job_retry p = { .attempts = 6 };
    struct attempt a = {
        .outcome = OUTCOME_WRONG_TYPE, .status = 200, .idempotent = true, .sent = true
    };

    (void)state;
    a.attempt = 1;
    assert_int_equal(retry_judge(&a, &p), VERDICT_AGAIN);
    a.attempt = 2;
    assert_int_equal(retry_judge(&a, &p), VERDICT_FINAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff__doubles_to_its_cap__when_tries_go_on),
        cmocka_unit_test(backoff__reaches_both_ends__when_random_does),
        cmocka_unit_test(backoff__is_spread_evenly__when_random_is),
        cmocka_unit_test(backoff__does_not_overflow__when_its_bounds_are_the_largest),
        cmocka_unit_test(verdict__is_again__when_the_status_is_temporary),
        cmocka_unit_test(verdict__is_final__when_a_post_was_sent_and_may_have_been_acted_on),
        cmocka_unit_test(verdict__follows_the_outcome),
        cmocka_unit_test(attempt__is_doubtful__when_nobody_can_say_what_became_of_it),
        cmocka_unit_test(method_is_idempotent__knows_the_methods),
        cmocka_unit_test(holds_host__is_for_429_and_what_is_put_off),
        cmocka_unit_test(verdict__is_again_once__when_a_page_stands_where_data_should),
        cmocka_unit_test(verdict__goes_by_the_jobs_statuses__when_it_names_some),
        cmocka_unit_test(verdict__goes_by_the_usual_statuses__when_the_job_only_changes_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
