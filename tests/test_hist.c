#include "base/hist.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

static struct hist *hist_new(void)
{
    struct hist *h = malloc(sizeof *h);

    assert_non_null(h);
    hist_reset(h);
    return h;
}

static void assert_near(uint64_t got, uint64_t want, double tolerance)
{
    double distance = got > want ? (double)(got - want) : (double)(want - got);

    if (distance > tolerance * (double)want) {
        fail_msg("%llu is not within %g of %llu", (unsigned long long)got, tolerance,
                 (unsigned long long)want);
    }
}

static void percentile__is_zero__when_empty(void **state)
{
    struct hist *h = hist_new();

    (void)state;
    assert_int_equal(hist_percentile_us(h, 50), 0);
    assert_int_equal(hist_percentile_us(h, 100), 0);
    assert_true(!(hist_mean_us(h) > 0));
    free(h);
}

static void percentile__is_exact__when_all_values_are_one(void **state)
{
    static const uint64_t values[] = { 0, 1, 31, 32, 33, 1000, 123456789, 3600000000 };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct hist *h = hist_new();

        hist_record(h, values[i]);
        hist_record(h, values[i]);
        assert_int_equal(hist_percentile_us(h, 0), values[i]);
        assert_int_equal(hist_percentile_us(h, 50), values[i]);
        assert_int_equal(hist_percentile_us(h, 100), values[i]);
        assert_int_equal(h->min_us, values[i]);
        assert_int_equal(h->max_us, values[i]);
        free(h);
    }
}

static void percentile__errs_by_two_percent_at_most__when_values_are_spread(void **state)
{
    struct hist *h = hist_new();

    (void)state;
    for (uint64_t us = 1; us <= 100000; us++) {
        hist_record(h, us * 10);
    }
    assert_near(hist_percentile_us(h, 1), 10000, 0.02);
    assert_near(hist_percentile_us(h, 50), 500000, 0.02);
    assert_near(hist_percentile_us(h, 95), 950000, 0.02);
    assert_near(hist_percentile_us(h, 99), 990000, 0.02);
    assert_near(hist_percentile_us(h, 99.9), 999000, 0.02);
    assert_int_equal(hist_percentile_us(h, 100), 1000000);
    assert_near((uint64_t)hist_mean_us(h), 500005, 0.0001);
    free(h);
}

static void
record__keeps_every_magnitude_within_two_percent__when_alone_among_extremes(void **state)
{
    (void)state;
    for (uint64_t us = 1; us < UINT64_C(3600000000); us = us + us / 7 + 1) {
        struct hist *h = hist_new();

        hist_record(h, 0);
        hist_record(h, us);
        hist_record(h, UINT64_C(4000000000));
        assert_near(hist_percentile_us(h, 50), us, 0.02);
        free(h);
    }
}

static void record__keeps_count_and_maximum__when_values_are_beyond_the_range(void **state)
{
    struct hist *h = hist_new();

    (void)state;
    hist_record(h, UINT64_MAX / 4);
    hist_record(h, UINT32_MAX);
    assert_int_equal(h->count, 2);
    assert_true(h->max_us == UINT64_MAX / 4);
    assert_true(hist_percentile_us(h, 50) >= UINT64_C(4200000000));
    free(h);
}

static void add__is_as_if_recorded_in_one__when_joined(void **state)
{
    struct hist *a = hist_new(), *b = hist_new(), *all = hist_new();

    (void)state;
    hist_add(a, b); /* empty ones change nothing */
    assert_int_equal(a->count, 0);
    for (uint64_t us = 1; us < 5000; us++) {
        hist_record(us % 3 ? a : b, us * us);
        hist_record(all, us * us);
    }
    hist_add(a, b);
    assert_memory_equal(a, all, sizeof *a);
    free(a);
    free(b);
    free(all);
}

static void count_between__takes_the_low_end_only__when_bounds_are_buckets(void **state)
{
    struct hist *h = hist_new();

    (void)state;
    for (uint64_t us = 0; us < 32; us++) { /* below 32 every value has its bucket */
        hist_record(h, us);
    }
    hist_record(h, 1 << 20);
    assert_int_equal(hist_count_between(h, 0, 32), 32);
    assert_int_equal(hist_count_between(h, 10, 20), 10);
    assert_int_equal(hist_count_between(h, 20, 20), 0);
    assert_int_equal(hist_count_between(h, 0, UINT64_MAX), 33);
    assert_int_equal(hist_count_between(h, 1 << 20, UINT64_MAX), 1);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentile__is_zero__when_empty),
        cmocka_unit_test(percentile__is_exact__when_all_values_are_one),
        cmocka_unit_test(percentile__errs_by_two_percent_at_most__when_values_are_spread),
        cmocka_unit_test(
            record__keeps_every_magnitude_within_two_percent__when_alone_among_extremes),
        cmocka_unit_test(record__keeps_count_and_maximum__when_values_are_beyond_the_range),
        cmocka_unit_test(add__is_as_if_recorded_in_one__when_joined),
        cmocka_unit_test(count_between__takes_the_low_end_only__when_bounds_are_buckets),
    };

    return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
