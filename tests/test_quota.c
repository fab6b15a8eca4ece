/* plan/quota: what headers tell of a limit, when they are well made and when not. */
#include "plan/quota.h"

#include "quota_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct quota q = read_fields(samples[i].fields);
        struct sample got = { .left = q.has_left ? q.left : ABSENT,
                              .reset_us = q.has_reset || q.window_us ? quota_wait_us(&q) : ABSENT,
                              .limit = q.limit,
                              .concurrent = q.concurrent };

        if (got.left != samples[i].left || got.reset_us != samples[i].reset_us ||
            got.limit != samples[i].limit || got.concurrent != samples[i].concurrent) {
            fail_msg("%s: %s: left %llu, reset %llu, limit %llu, concurrent %llu",
                     samples[i].fields[0], samples[i].fields[1], (unsigned long long)got.left,
                     (unsigned long long)got.reset_us, (unsigned long long)got.limit,
                     (unsigned long long)got.concurrent);
        }
    }
}

#define CHECK(samples) check(samples, sizeof(samples) / sizeof(samples)[0])

static void structured__is_read_in_every_draft(void **state)
{
    static const struct sample samples[] = {
        { { "ratelimit", "\"default\";r=50;t=30" }, 50, 30 * S, 0, 0 },
        { { "RateLimit", " \"default\" ; r=50", "ratelimit", "\"x\";r=7;t=2" }, 7, 2 * S, 0, 0 },
        { { "ratelimit", "\"default\";r=50;t=30", "ratelimit-policy", "\"default\";q=100;w=60" },
          50,
          30 * S,
          100,
          0 },
        { { "ratelimit", "\"default\";r=50", "ratelimit-policy", "\"default\";q=100;w=60" },
          50,
          60 * S,
          100,
          0 },
        { { "ratelimit", "limit=100, remaining=50, reset=30" }, 50, 30 * S, 100, 0 },
        { { "ratelimit", "remaining=0,reset=5" }, 0, 5 * S, 0, 0 },
        { { "ratelimit", "\"a\";r=5;t=1;pk=:YWJj:;flag;x=?0;y=tok/en" }, 5, 1 * S, 0, 0 },
        { { "ratelimit", "default;r=5.0;t=1" }, 5, 1 * S, 0, 0 },
        { { "ratelimit", "" }, ABSENT, ABSENT, 0, 0 },
    };

    (void)state;
    CHECK(samples);
}

static void structured__is_ignored_whole__when_any_of_it_is_malformed(void **state)
{
    static const char *const malformed[] = {
        "\"default;r=50;t=30",
        "\"default\";r=50;t=30,",
        "\"default\";r=50;t=",
        "\"default\";r=50;t=30 x",
        "\"d\";r=5;t=1,,\"e\";r=1",
        "\"d\";R=5;t=1",
        "\"d\\x\";r=5;t=1",
        "\"d\x01\";r=5;t=1",
        "\"d\";r=1234567890123456;t=1",
        "\"d\";r=5;t=1.",
        "\"d\";r=5;t=1.2345",
        "\"d\";r=5;t=?2",
        "\"d\";r=5;t=:YW",
        "(\"d\" \"e\");r=5;t=1",
        ";r=5;t=1",
        "remaining=5, reset",
        "remaining=5, =3",
        "-",
        "\"d\";r=5;t=1\x1b]0;x\x07",
        "\xff\xfe",
        "\"d\";r=5;t=--1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        const char *fields[] = { "ratelimit", malformed[i], NULL };
        struct quota q = read_fields(fields);

        /* "reset" without a value is true, which is no number: what stands beside it is good. */
        if (strcmp(malformed[i], "remaining=5, reset") == 0) {
            assert_true(q.has_left && !q.has_reset);
        } else if (q.has_left || q.concurrent) {
            fail_msg("%s gave %llu", malformed[i], (unsigned long long)q.left);
        }
    }
}

static void structured__is_no_quota__when_its_numbers_make_no_sense(void **state)
{
    static const struct sample samples[] = {
        { { "ratelimit", "\"d\";r=-1;t=30" }, ABSENT, 30 * S, 0, 0 },
        { { "ratelimit", "\"d\";r=\"5\";t=30" }, ABSENT, 30 * S, 0, 0 },
        { { "ratelimit", "\"d\";r=5;t=-30" }, 5, ABSENT, 0, 0 },
        { { "ratelimit", "\"d\";r=5;t=999999999999999" }, 5, QUOTA_RESET_MAX_US, 0, 0 },
        { { "ratelimit", "\"d\";t=30" }, ABSENT, 30 * S, 0, 0 }, /* of a 429 that is enough */
    };

    (void)state;
    CHECK(samples);
}

static void concurrent__is_told_apart_from_counts(void **state)
{
    static const struct sample samples[] = {
        { { "ratelimit-policy", "\"peak\";q=10;qu=\"concurrent-requests\"" },
          ABSENT,
          ABSENT,
          0,
          10 },
        { { "ratelimit-policy",
            "\"p\";q=10;qu=\"concurrent-requests\", "
            "\"s\";q=4;qu=\"concurrent-requests\", \"d\";q=9;w=60",
            "ratelimit", "\"d\";r=3;t=6" },
          3,
          6 * S,
          9,
          4 },
        { { "ratelimit-policy", "\"p\";q=0;qu=\"concurrent-requests\"" }, ABSENT, ABSENT, 0, 0 },
        { { "ratelimit-policy", "\"b\";q=5000;w=60;qu=\"content-bytes\"", "ratelimit",
            "\"b\";r=0;t=50" },
          ABSENT,
          ABSENT,
          0,
          0 },
    };

    (void)state;
    CHECK(samples);
}

static void plain__is_read_in_every_family(void **state)
{
    static const struct sample samples[] = {
        { { "RateLimit-Limit", "100", "RateLimit-Remaining", "50", "RateLimit-Reset", "30" },
          50,
          30 * S,
          100,
          0 },
        { { "ratelimit-limit", "10, 10;w=1, 50;w=60", "ratelimit-remaining", "4", "ratelimit-reset",
            "1" },
          4,
          1 * S,
          10,
          0 },
        { { "x-ratelimit-limit", "60", "x-ratelimit-remaining", "7", "x-ratelimit-reset", "9" },
          7,
          9 * S,
          60,
          0 },
        { { "x-rate-limit-limit", "60", "x-rate-limit-remaining", "7", "x-rate-limit-reset", "9" },
          7,
          9 * S,
          60,
          0 },
        { { "x-ratelimit-limit-minute", "60", "x-ratelimit-remaining-minute", "6" },
          6,
          60 * S,
          60,
          0 },
        { { "x-ratelimit-remaining-requests", "6", "x-ratelimit-remaining-tokens", "0",
            "x-ratelimit-reset-requests", "2" },
          6,
          2 * S,
          0,
          0 },
        { { "x-ratelimit-remaining", "6", "x-ratelimit-reset-after", "1.25", "x-ratelimit-reset",
            "1795234501.250" },
          6,
          1250000,
          0,
          0 },
        { { "x-ratelimit-remaining", "6", "x-ratelimit-reset", "0.5" }, 6, 500000, 0, 0 },
    };

    (void)state;
    CHECK(samples);
}

static void reset__is_told_apart_by_size(void **state)
{
    static const struct {
        const char *text;
        uint64_t reset_us;
    } samples[] = {
        { "0", 0 },
        { "41", 41 * S },
        { "3600", 3600 * S },
        { "86400000", 86400000 * S },
        { "315359999", 315359999 * S },
        { "315360000", 0 }, /* no window has ten years: a moment of 1979, which is past */
        { "946684830", 0 }, /* of 2000 */
        { "1000000000", 0 },
        { "1795234530", 30 * S },
        { "1795234530.5", 30500000 },
        { "1795234530000", 30 * S },
        { "1795234530000000", 30 * S },
        { "1795234530000000000", 30 * S },
        { "1795234499", 0 }, /* a moment that is past is now, not 57 years */
        { "1395234499", 0 },
        { "1695234530000", 0 },
        { "1695234530000000000", 0 },
        { "99999999999", QUOTA_RESET_MAX_US },
        { "18446744073709551615", QUOTA_RESET_MAX_US },
        { "Sat, 21 Nov 2026 04:15:30 GMT", 30 * S },
        { "Fri, 31 Dec 9999 23:59:59 GMT", QUOTA_RESET_MAX_US },
        { "18446744073709551616", QUOTA_RESET_MAX_US },
        { "-5", ABSENT },
        { "abc", ABSENT },
        { "30s", 30 * S },
        { "1m2s", 62 * S },
        { "2026-11-21T04:15:30Z", 30 * S },
        { "1.2.3", ABSENT },
        { "1e9", ABSENT },
        { "2030-01-01", ABSENT },
        { "", ABSENT },
        { "3\x01", ABSENT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const char *fields[] = { "x-ratelimit-remaining", "5",  "x-ratelimit-reset",
                                 samples[i].text,         DATE, NULL };
        struct quota q = read_fields(fields);
        uint64_t got = q.has_reset ? q.reset_us : ABSENT;

        if (got != samples[i].reset_us) {
            fail_msg("\"%s\" gave %llu", samples[i].text, (unsigned long long)got);
        }
    }
}

static void reset__counts_from_the_servers_date__when_our_clock_is_wrong(void **state)
{
    static const char *const fields[] = {
        "x-ratelimit-remaining",         "5", "x-ratelimit-reset", "1200000010", "date",
        "Thu, 10 Jan 2008 21:20:00 GMT", NULL
    };

    static const char *const never_set[] = {
        "x-ratelimit-remaining",         "5", "x-ratelimit-reset", "946684830", "date",
        "Sat, 01 Jan 2000 00:00:10 GMT", NULL
    };

    (void)state;
    assert_int_equal(read_fields(fields).reset_us, 10 * S);
    assert_int_equal(read_fields(never_set).reset_us, 20 * S);
}

static void remaining__is_absent__when_it_is_no_count(void **state)
{
    static const char *const texts[] = {
        "-1", "abc", "", "1 2", "0x10", "5.x", "99999999999999999", "\xff"
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *fields[] = { "x-ratelimit-remaining", texts[i], "x-ratelimit-reset", "5",
                                 NULL };

        if (read_fields(fields).has_left) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
    }
}

static void tightest__is_told__when_there_are_several(void **state)
{
    static const struct sample samples[] = {
        { { "ratelimit", "\"burst\";r=90;t=60, \"daily\";r=500;t=86400" }, 500, 86400 * S, 0, 0 },
        { { "ratelimit", "\"burst\";r=0;t=3, \"daily\";r=5;t=80000" }, 0, 3 * S, 0, 0 },
        { { "ratelimit", "\"burst\";r=0;t=3, \"daily\";r=0;t=80000" }, 0, 80000 * S, 0, 0 },
        { { "ratelimit", "\"a\";r=1;t=0, \"b\";r=50;t=60" }, 50, 60 * S, 0, 0 },
        { { "x-ratelimit-remaining", "3", "ratelimit", "\"d\";r=40;t=10" }, 40, 10 * S, 0, 0 },
        { { "x-ratelimit-remaining-minute", "50", "x-ratelimit-remaining-day", "100" },
          100,
          86400 * S,
          0,
          0 },
        { { "x-ratelimit-remaining", "9", "x-ratelimit-remaining", "4", "x-ratelimit-reset", "1",
            "x-ratelimit-reset", "8" },
          4,
          8 * S,
          0,
          0 },
    };

    (void)state;
    CHECK(samples);
}

/* --- real APIs -------------------------------------------------------------------------------------- */

/* Each applies to the request, so the tightest holds; who keeps them apart has their names. */
static void all_policies__are_told__with_their_names(void **state)
{
    static const struct quota_field fields[] = {
        { STR_INIT("ratelimit"), STR_INIT("\"burst\";r=9;t=1, \"daily\";r=5;t=80000") },
        { STR_INIT("ratelimit-policy"), STR_INIT("\"burst\";q=10;w=1, \"daily\";q=1000;w=86400") },
    };
    struct quota quotas[QUOTA_POLICIES_MAX], tightest;

    (void)state;
    assert_int_equal(quota_read_all(fields, 2, NOW_US, quotas), 2);
    assert_true(str_equal(quotas[0].resource, STR("daily")));
    assert_int_equal(quotas[0].left, 5);
    assert_true(str_equal(quotas[1].resource, STR("burst")));
    assert_int_equal(quotas[1].left, 9);
    quota_read(fields, 2, NOW_US, &tightest);
    assert_int_equal(tightest.left, 5);
    assert_true(
        str_equal(tightest.resource, STR("burst"))); /* the first: one name for all answers */
}

static void grain__tells_how_rough_a_reset_is(void **state)
{
    static const struct {
        const char *name, *value;
        bool has_date; /* the answer's ... */
        uint64_t grain_us;
        bool counts; /* ... by which it counts */
    } samples[] = {
        { "x-ratelimit-reset", "7", true, 1 * S, false },
        { "x-ratelimit-reset", "1m2s", true, 1 * S, false },
        { "x-ratelimit-reset", "1795234507", true, 1 * S, true },
        { "x-ratelimit-reset", "1795234507", false, 1 * S, false },
        { "x-ratelimit-reset", "1795234507250", true, 0, true },
        { "x-ratelimit-reset-after", "1.25", true, 0, false },
        { "x-ratelimit-reset", "2026-11-21T04:15:07Z", true, 1 * S, true },
        { "x-ratelimit-reset", "2026-11-21T04:15:07.123Z", true, 0, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const char *fields[] = { "x-ratelimit-remaining",
                                 "5",
                                 samples[i].name,
                                 samples[i].value,
                                 samples[i].has_date ? "date" : "x",
                                 "Sat, 21 Nov 2026 04:15:00 GMT",
                                 NULL };
        struct quota q = read_fields(fields);

        assert_int_equal(q.grain_us, samples[i].grain_us);
        assert_int_equal(q.has_date, samples[i].counts);
        assert_true(!q.has_date || q.date_us == NOW_US);
    }
}

static void cost__is_told_in_requests(void **state)
{
    /* Shopify's GraphQL Admin API */
    struct str body = STR("{\"data\":{\"shop\":{\"name\":\"x\"}},\"extensions\":{\"cost\":{"
                          "\"requestedQueryCost\":101,\"actualQueryCost\":46,\"throttleStatus\":{"
                          "\"maximumAvailable\":1000.0,\"currentlyAvailable\":954,"
                          "\"restoreRate\":50.0}}}}");
    struct str spent =
        STR("{\"errors\":[{\"message\":\"Throttled\"}],\"extensions\":{\"cost\":{"
            "\"requestedQueryCost\":752,\"actualQueryCost\":null,\"throttleStatus\":{"
            "\"maximumAvailable\":1000.0,\"currentlyAvailable\":152,"
            "\"restoreRate\":50.0}}}}");
    static const char *const none[] = {
        "",
        "{}",
        "[\"throttleStatus\"]",
        "{\"extensions\":{\"cost\":{\"throttleStatus\":{}}}}",
        "{\"extensions\":{\"cost\":{\"throttleStatus\":{\"maximumAvailable\":\"1\","
        "\"currentlyAvailable\":1,\"restoreRate\":1}}}}",
        "{\"extensions\":{\"cost\":{\"throttleStatus\":{\"maximumAvailable\":-1,"
        "\"currentlyAvailable\":1,\"restoreRate\":1}}}}",
        "{\"extensions\":{\"cost\":{\"throttleStatus\":{\"maximumAvailable\":1",
    };
    struct quota q;

    (void)state;
    assert_true(quota_read_cost(body, &q));
    assert_int_equal(q.left, 9);
    assert_int_equal(q.limit, 9);
    assert_true(q.refill_per_s > 0.49 && q.refill_per_s < 0.5);
    assert_false(quota_is_spent(&q));
    assert_true(quota_read_cost(spent, &q));
    assert_true(quota_is_spent(&q));
    assert_int_equal(quota_wait_us(&q), 12 * S + 1);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(quota_read_cost(str_view(none[i]), &q));
    }
}

/* --------------------------------------------------------------------------------------------------- */

static void spent__needs_a_time_to_wait_for(void **state)
{
    static const char *const without[] = { "x-ratelimit-remaining", "0", "x-ratelimit-limit", "9",
                                           NULL };
    static const char *const past[] = { "x-ratelimit-remaining", "0", "x-ratelimit-reset",
                                        "1795234400", NULL };
    static const char *const none[] = { "x-ratelimit-remaining", "0", "x-ratelimit-limit", "0",
                                        NULL };
    static const char *const spent[] = { "x-ratelimit-remaining", "0", "x-ratelimit-reset", "7",
                                         NULL };
    struct quota q = read_fields(without);

    (void)state;
    assert_true(q.has_left && !quota_is_spent(&q));
    q = read_fields(past);
    assert_true(q.has_left && !quota_is_spent(&q));
    q = read_fields(none);
    assert_false(q.has_left);
    q = read_fields(spent);
    assert_true(quota_is_spent(&q));
}

static void policies__are_bounded__when_a_server_invents_a_thousand(void **state)
{
    static char text[40000];
    const char *fields[] = { "ratelimit", text, NULL };
    size_t used = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\"p%d\";r=%d;t=60",
                                 i ? ", " : "", i, 1000 - i);
    }
    assert_int_equal(read_fields(fields).left, 1000 - (QUOTA_POLICIES_MAX - 1));
}

static void problem__is_known_by_its_type(void **state)
{
    struct str problem = STR("application/problem+json; charset=utf-8");

    (void)state;
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":\"https://iana.org/assignments/"
                                                     "http-problem-types#quota-exceeded\"}")),
                     QUOTA_PROBLEM_EXCEEDED);
    assert_int_equal(
        quota_problem_read(problem, STR("{\"type\":\"x#temporary-reduced-capacity\"}")),
        QUOTA_PROBLEM_REDUCED);
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":\"abnormal-usage-detected\"}")),
                     QUOTA_PROBLEM_ABNORMAL);
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":\"about:blank\"}")),
                     QUOTA_PROBLEM_NONE);
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":17}")), QUOTA_PROBLEM_NONE);
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":\"quota-exceeded\"")),
                     QUOTA_PROBLEM_NONE);
    assert_int_equal(
        quota_problem_read(STR("application/json"), STR("{\"type\":\"quota-exceeded\"}")),
        QUOTA_PROBLEM_NONE);
    assert_int_equal(quota_problem_read(STR_NONE, STR_NONE), QUOTA_PROBLEM_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structured__is_read_in_every_draft),
        cmocka_unit_test(structured__is_ignored_whole__when_any_of_it_is_malformed),
        cmocka_unit_test(structured__is_no_quota__when_its_numbers_make_no_sense),
        cmocka_unit_test(concurrent__is_told_apart_from_counts),
        cmocka_unit_test(plain__is_read_in_every_family),
        cmocka_unit_test(reset__is_told_apart_by_size),
        cmocka_unit_test(reset__counts_from_the_servers_date__when_our_clock_is_wrong),
        cmocka_unit_test(remaining__is_absent__when_it_is_no_count),
        cmocka_unit_test(tightest__is_told__when_there_are_several),
        cmocka_unit_test(all_policies__are_told__with_their_names),
        cmocka_unit_test(grain__tells_how_rough_a_reset_is),
        cmocka_unit_test(cost__is_told_in_requests),
        cmocka_unit_test(spent__needs_a_time_to_wait_for),
        cmocka_unit_test(policies__are_bounded__when_a_server_invents_a_thousand),
        cmocka_unit_test(problem__is_known_by_its_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
