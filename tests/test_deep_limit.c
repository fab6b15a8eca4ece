/* Listings whose server refuses all pages from one on. */
#include "plan/deep_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct page_at page(uint64_t chain, uint32_t ordinal)
{
    return (struct page_at){ .chain = chain, .ordinal = ordinal, .expected = 300 };
}

/* Pages `from` up to, not with, `to` fail. Returns how often the limit was told. */
static unsigned fail_pages(struct deep_limits *d, uint64_t chain, uint32_t from, uint32_t to,
                           int status)
{
    unsigned told = 0;

    for (; from < to; from++) {
        struct page_at at = page(chain, from);

        told += deep_limit_failed(d, &at, status);
    }
    return told;
}

static bool cuts(const struct deep_limits *d, uint64_t chain, uint32_t ordinal)
{
    struct page_at at = page(chain, ordinal);

    return deep_limit_cuts(d, &at);
}

static void limit__is_met__when_pages_in_a_row_are_refused(void **state)
{
    struct deep_limits d = { .uses = 0 };

    (void)state;
    assert_int_equal(fail_pages(&d, 7, 10, 10 + DEEP_LIMIT_PAGES - 1, 422), 0);
    assert_false(cuts(&d, 7, 200));
    assert_int_equal(fail_pages(&d, 7, 20, 30, 422), 1); /* told once */
    assert_true(cuts(&d, 7, 11));
    assert_true(cuts(&d, 7, 200));
    assert_false(cuts(&d, 7, 10)); /* the first of them may be asked again by hand */
    assert_false(cuts(&d, 7, 5));
    assert_false(cuts(&d, 8, 200));
}

static void limit__is_none__when_a_page_after_them_comes(void **state)
{
    struct deep_limits d = { .uses = 0 };
    struct page_at before = page(7, 9), after = page(7, 12);

    (void)state;
    fail_pages(&d, 7, 10, 12, 404);
    deep_limit_came(&d, &before);
    fail_pages(&d, 7, 13, 15, 404);
    deep_limit_came(&d, &after);
    assert_int_equal(fail_pages(&d, 7, 15, 19, 404), 0);
    assert_false(cuts(&d, 7, 200));
}

static void limit__is_none__of_other_failures(void **state)
{
    static const int statuses[] = { 401, 408, 425, 429, 500, 503 };
    struct deep_limits d = { .uses = 0 };
    struct page_at uncounted = { .chain = 9, .ordinal = 50 };

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        assert_int_equal(fail_pages(&d, 7, 10, 30, statuses[i]), 0);
    }
    for (int i = 0; i < 20; i++) { /* one after the other, now this status, now that */
        assert_int_equal(fail_pages(&d, 8, 10, 11, i % 2 ? 400 : 403), 0);
        assert_false(deep_limit_failed(&d, &uncounted, 422));
    }
    assert_false(cuts(&d, 7, 200) || cuts(&d, 8, 200));
}

static void limits__forget__the_listing_that_was_used_longest_ago(void **state)
{
    struct deep_limits d = { .uses = 0 };

    (void)state;
    for (uint64_t chain = 1; chain <= DEEP_LIMIT_LISTINGS + 1; chain++) {
        assert_int_equal(fail_pages(&d, chain, 10, 20, 422), 1);
    }
    assert_false(cuts(&d, 1, 200));
    assert_true(cuts(&d, 2, 200));
    assert_true(cuts(&d, DEEP_LIMIT_LISTINGS + 1, 200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit__is_met__when_pages_in_a_row_are_refused),
        cmocka_unit_test(limit__is_none__when_a_page_after_them_comes),
        cmocka_unit_test(limit__is_none__of_other_failures),
        cmocka_unit_test(limits__forget__the_listing_that_was_used_longest_ago),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
