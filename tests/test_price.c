/* What a price is made of: the job's bounds, and a session's report. Numbers are worked out by hand beside each. */
#include "session/price.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct past_pace past_of(const char *report)
{
    struct past_pace past = { .summary = { .planned = 1000, .done = 200, .line_bytes = 40000 } };

    past_pace_of_report(str_view(report), &past);
    return past;
}

static void assert_near(double got, double want)
{
    if (got < want - 0.001 || got > want + 0.001) {
        fail_msg("got %f, want %f", got, want);
    }
}

#define REPORT(wall, limited)                                                                      \
    "{\"wall_s\":" wall ",\"session\":{\"attempts\":220,\"ok\":198,\"failed\":2},\"cap\":10,"      \
    "\"latency_ms\":{\"mean\":500},\"limited_s\":{" limited "}}"

static void past_pace__leaves_out__what_was_no_work(void **state)
{
    struct past_pace past =
        past_of(REPORT("120", "\"PAUSED\":80,\"DRAINING\":18,\"LEARNED RATE\":14,\"CAP\":8"));

    (void)state;
    assert_true(past.is_known);
    assert_near(past.sent_per_s, 10); /* 220 in 120 - 80 - 18 s */
    assert_near(past.sent_per_end, 1.1);
    assert_near(past.answer_s, 0.5);
    assert_int_equal(past.limit, LIMIT_LEARNED);
}

static void past_pace__is_not_known__when_the_report_says_too_little(void **state)
{
    static const char *const reports[] = { "{}", "{\"wall_s\":5}", REPORT("0", ""),
                                           "{\"wall_s\":-1,\"session\":{\"attempts\":1e300}}" };

    (void)state;
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        struct past_pace past = past_of(reports[i]);

        assert_false(past.is_known);
    }
}

static struct price priced(struct job *job, const struct past_pace *past, struct price_plan plan)
{
    struct price price;

    price_make(job, &plan, past, &price);
    return price;
}

#define PLAN                                                                                       \
    (struct price_plan)                                                                            \
    {                                                                                              \
        .requests = 1000, .busiest_host = 600, .hosts = 2                                          \
    }

static void price__is_not_known__before_the_first_session(void **state)
{
    struct job job = { .pace = { .cap = 10 } };
    struct price price = priced(&job, NULL, PLAN);

    (void)state;
    assert_int_equal(price.bound, PRICE_UNKNOWN);
    assert_int_equal(price.left, 1000);
    assert_true(price.total_s < 0 && price.disk_bytes < 0);
}

static void price__is_by_the_rate__without_a_session(void **state)
{
    struct job job = { .pace = { .cap = 10, .rate = { 50, 1000000 } } };
    struct price price = priced(&job, NULL, PLAN);

    (void)state;
    assert_int_equal(price.bound, PRICE_RATE);
    assert_near(price.total_s, 20);
    job.pace.rate_per_host = (struct rate){ 10, 1000000 }; /* 600 of the busiest */
    assert_near(priced(&job, NULL, PLAN).total_s, 60);
}

static void price__follows_the_cap__when_that_bound_the_session(void **state)
{
    struct past_pace past = past_of(REPORT("11", "\"CAP\":11")); /* 20 a second */
    struct job job = { .pace = { .cap = 20 } };
    struct price price = priced(&job, &past, PLAN);

    (void)state;
    assert_int_equal(price.bound, PRICE_CAP);
    assert_int_equal(price.left, 800);
    assert_near(price.total_s, 22); /* 880 sent at 40 a second */
    assert_near(price.disk_bytes, 160000);
    job.pace.cap_per_host = 5; /* two hosts: 10 at once */
    assert_near(priced(&job, &past, PLAN).total_s, 44);
}

static void price__is_as_seen__when_the_server_bound_it(void **state)
{
    struct past_pace past = past_of(REPORT("22", "\"LEARNED RATE\":20")); /* 10 a second */
    struct job job = { .pace = { .cap = 100 } };
    struct price price = priced(&job, &past, PLAN);

    (void)state;
    assert_int_equal(price.bound, PRICE_SEEN);
    assert_near(price.seen_s, 88);
    assert_near(price.cap_s, 4.4); /* 880 x 0.5 s / 100 */
    assert_near(price.total_s, 88.5);
    job.pace.cap = 2; /* now the cap is lower than the limit: 4 a second */
    price = priced(&job, &past, PLAN);
    assert_int_equal(price.bound, PRICE_CAP);
    assert_near(price.total_s, 220);
}

static void price__says_when_a_limit_ends_the_session(void **state)
{
    struct past_pace past = past_of(REPORT("11", "\"CAP\":11"));
    struct job job = { .pace = { .cap = 10 }, .limits = { .max_requests = 440 } };

    (void)state;
    assert_near(priced(&job, &past, PLAN).session_s, 22);
    job.limits.max_duration_us = 5000000;
    assert_near(priced(&job, &past, PLAN).session_s, 5);
    job.limits.max_duration_us = 3600000000;
    job.limits.max_requests = 0;
    assert_true(priced(&job, &past, PLAN).session_s < 0);
}

static void price__is_nothing__when_nothing_is_left(void **state)
{
    struct past_pace past = past_of(REPORT("11", "\"CAP\":11"));
    struct job job = { .pace = { .cap = 10 } };

    (void)state;
    past.summary.done = 1200; /* more than the plan has now */
    assert_int_equal(priced(&job, &past, PLAN).left, 0);
    assert_int_equal(priced(&job, &past, PLAN).bound, PRICE_UNKNOWN);
    assert_true(priced(&job, &past, PLAN).total_s == 0);
    assert_near(priced(&job, &past, PLAN).total_s, 0);
}

static void price_write__has_null__for_what_is_not_known(void **state)
{
    struct job job = { .pace = { .cap = 10 } };
    struct price price = priced(&job, NULL, PLAN);
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(price_write(&price, 1000000, 0, &out), RESULT_OK);
    assert_string_equal(
        buf_cstr(&out),
        "{\"requests\":1000,\"done\":0,\"failed\":0,\"left\":1000,\"may_be_more\":false,\"may_be_"
        "fewer\":false,"
        "\"seconds\":null,\"seconds_by_cap\":null,\"seconds_by_rate\":null,"
        "\"seconds_as_seen\":null,\"session_ends_after\":null,\"ends_at\":null,"
        "\"limited_by\":null,\"answer_s\":null,\"disk_bytes\":null,\"disk_free_bytes\":null}");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_pace__leaves_out__what_was_no_work),
        cmocka_unit_test(past_pace__is_not_known__when_the_report_says_too_little),
        cmocka_unit_test(price__is_not_known__before_the_first_session),
        cmocka_unit_test(price__is_by_the_rate__without_a_session),
        cmocka_unit_test(price__follows_the_cap__when_that_bound_the_session),
        cmocka_unit_test(price__is_as_seen__when_the_server_bound_it),
        cmocka_unit_test(price__says_when_a_limit_ends_the_session),
        cmocka_unit_test(price__is_nothing__when_nothing_is_left),
        cmocka_unit_test(price_write__has_null__for_what_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
