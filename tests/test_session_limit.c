#include "plan/session_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct job_limits parsed(const char *text)
{
    struct job_limits limits = { .max_fail_by = JOB_MAX_FAIL_NONE };

    assert_int_equal(job_parse_max_fail(str_view(text), &limits, NULL), RESULT_OK);
    return limits;
}

static void max_fail__is_passed__by_one_more(void **state)
{
    struct job_limits limits = parsed("3");

    (void)state;
    assert_false(session_limit_fail(&limits, 0, 3, true));
    assert_true(session_limit_fail(&limits, 100, 4, false));
    limits = parsed("0");
    assert_false(session_limit_fail(&limits, 9, 0, true));
    assert_true(session_limit_fail(&limits, 0, 1, false));
    limits = (struct job_limits){ .max_fail_by = JOB_MAX_FAIL_NONE };
    assert_false(session_limit_fail(&limits, 0, 1000, true));
}

static void max_fail__of_a_part__needs_some_that_are_settled(void **state)
{
    struct job_limits limits = parsed("5%");

    (void)state;
    assert_false(session_limit_fail(&limits, 0, 19, false));
    assert_true(session_limit_fail(&limits, 0, 20, false));
    assert_true(session_limit_fail(&limits, 0, 1, true)); /* there will be no more */
    assert_false(session_limit_fail(&limits, 95, 5, false));
    assert_true(session_limit_fail(&limits, 94, 6, false));
    limits = parsed("0.1%");
    assert_false(session_limit_fail(&limits, 999, 1, false));
    assert_true(session_limit_fail(&limits, 998, 1, false));
    limits = parsed("100%");
    assert_false(session_limit_fail(&limits, 0, 1000, true));
}

static void max_fail__is_written__as_it_was_given(void **state)
{
    static const char *const good[] = { "0", "100", "5%", "0.1%", "2.25%", "0.001%", "100%", "0%" };
    static const char *const bad[] = { "",         "%",           "-1",   "5 %",        "1.2345%",
                                       "100.001%", ".5%",         "5.%",  "1e3",        "1.5",
                                       "5%%",      "9999999999%", "five", "4294967297%" };
    char text[UNITS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct job_limits limits = parsed(good[i]);

        job_format_max_fail(&limits, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct job_limits limits = { .max_requests = 7 };

        assert_int_equal(job_parse_max_fail(str_view(bad[i]), &limits, NULL), RESULT_INVALID);
        assert_int_equal(limits.max_fail_by, JOB_MAX_FAIL_NONE);
    }
}

static void others__are_reached__at_their_number(void **state)
{
    struct job_limits none = { .max_requests = 0 };
    struct job_limits limits = { .max_requests = 10, .max_duration_us = 5 };

    (void)state;
    assert_false(session_limit_requests(&none, UINT64_MAX));
    assert_false(session_limit_duration(&none, UINT64_MAX));
    assert_false(session_limit_requests(&limits, 9));
    assert_true(session_limit_requests(&limits, 10));
    assert_false(session_limit_duration(&limits, 4));
    assert_true(session_limit_duration(&limits, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_fail__is_passed__by_one_more),
        cmocka_unit_test(max_fail__of_a_part__needs_some_that_are_settled),
        cmocka_unit_test(max_fail__is_written__as_it_was_given),
        cmocka_unit_test(others__are_reached__at_their_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
