/* What is too much for a server, by its answer. */
#include "plan/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static enum split_cause cause_of(struct split_view view)
{
    const struct job_endpoint endpoint = { .split = { .is_wanted = true } };

    return split_cause_of(&endpoint, &view);
}

static struct split_view refused(int status, const char *body)
{
    return (struct split_view){ .outcome = OUTCOME_STATUS,
                                .status = status,
                                .attempt = 1,
                                .body = str_view(body),
                                .total = PAGE_TOTAL_UNKNOWN };
}

static void too_much__is_told_by_the_status(void **state)
{
    (void)state;
    assert_int_equal(cause_of(refused(413, "")), SPLIT_TOO_LARGE);
    assert_int_equal(cause_of(refused(422, "")), SPLIT_TOO_MANY);
    assert_int_equal(
        cause_of(refused(422, "{\"detail\":[{\"loc\":[\"query\",\"from\"],\"msg\":\"bad\"}]}")),
        SPLIT_NONE);
    assert_int_equal(cause_of(refused(422, "{\"message\":\"Validation Failed\"}")), SPLIT_NONE);
    for (int status = 100; status <= 599; status++) {
        struct split_view view = refused(status, "no");
        bool is_slow = status == 408 || status == 504 || status == 524;

        if (status != 413 && status != 422) {
            assert_int_equal(cause_of(view), SPLIT_NONE);
            view.attempt = SPLIT_TRIES;
            assert_int_equal(cause_of(view), is_slow ? SPLIT_TOO_LARGE : SPLIT_NONE);
        }
    }
}

/* Sentences of Elasticsearch, GitHub, ArcGIS, an OGC API, and of what has nothing to do with it. */
static void too_many__is_told_in_words(void **state)
{
    static const char *const many[] = {
        "{\"error\":{\"reason\":\"Result window is too large, from + size must be less\"}}",
        "{\"message\":\"Only the first 1000 search results are available\"}",
        "{\"error\":\"Too many results. Please narrow your search\"}",
        "<html>The requested number of items exceeds the maximum</html>",
    };
    static const char *const other[] = { "", "{\"error\":\"invalid date range\"}", "Bad Request",
                                         "{\"message\":\"Too many requests\"}" };

    (void)state;
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        assert_int_equal(cause_of(refused(400, many[i])), SPLIT_TOO_MANY);
        assert_int_equal(cause_of(refused(500, many[i])), SPLIT_TOO_MANY);
        assert_int_equal(cause_of(refused(404, many[i])), SPLIT_NONE);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        assert_int_equal(cause_of(refused(400, other[i])), SPLIT_NONE);
    }
}

static void
too_much__is_told_by_a_timeout_once_it_comes_again__and_by_a_body_over_the_ceiling(void **state)
{
    struct split_view view = { .outcome = OUTCOME_TIMEOUT,
                               .attempt = 1,
                               .total = PAGE_TOTAL_UNKNOWN };

    (void)state;
    assert_int_equal(cause_of(view), SPLIT_NONE);
    view.attempt = SPLIT_TRIES;
    assert_int_equal(cause_of(view), SPLIT_TOO_LARGE);
    view = (struct split_view){ .outcome = OUTCOME_TOO_BIG, .attempt = 1 };
    assert_int_equal(cause_of(view), SPLIT_TOO_LARGE);
    view = (struct split_view){ .outcome = OUTCOME_CONNECT, .attempt = 9 };
    assert_int_equal(cause_of(view), SPLIT_NONE);
}

static void over__is_for_a_good_first_page_that_tells_its_total(void **state)
{
    struct job_endpoint endpoint = { .split = { .is_wanted = true, .over = 1000 } };
    struct split_view view = { .outcome = OUTCOME_OK, .attempt = 1, .total = 1000 };

    (void)state;
    assert_int_equal(split_cause_of(&endpoint, &view), SPLIT_NONE);
    view.total = 1001;
    assert_int_equal(split_cause_of(&endpoint, &view), SPLIT_TOO_MANY);
    view.total = PAGE_TOTAL_UNKNOWN;
    assert_int_equal(split_cause_of(&endpoint, &view), SPLIT_NONE);
    view.total = 1001;
    endpoint.split.over = 0;
    assert_int_equal(split_cause_of(&endpoint, &view), SPLIT_NONE);
}

static void
nothing__is_split_unless_the_job_says_so__nor_a_trial_of_the_page_after_the_last(void **state)
{
    const struct job_endpoint endpoint = { .split = { .is_wanted = false } };
    struct split_view view = refused(413, "");

    (void)state;
    assert_int_equal(split_cause_of(&endpoint, &view), SPLIT_NONE);
    view = refused(422, "");
    view.is_trial = true;
    assert_int_equal(cause_of(view), SPLIT_NONE);
    view.status = 413; /* no end of a listing is told so */
    assert_int_equal(cause_of(view), SPLIT_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_much__is_told_by_the_status),
        cmocka_unit_test(too_many__is_told_in_words),
        cmocka_unit_test(
            too_much__is_told_by_a_timeout_once_it_comes_again__and_by_a_body_over_the_ceiling),
        cmocka_unit_test(over__is_for_a_good_first_page_that_tells_its_total),
        cmocka_unit_test(
            nothing__is_split_unless_the_job_says_so__nor_a_trial_of_the_page_after_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
