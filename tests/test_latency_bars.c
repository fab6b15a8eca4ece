/* engine/latency_bars: bars are where the answers are. */

#include "engine/latency_bars.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct hist h;
static uint64_t low_us[SNAPSHOT_LATENCY_BARS], count[SNAPSHOT_LATENCY_BARS];

/* `n` answers, evenly between two times. */
static void answers(unsigned n, uint64_t from_us, uint64_t to_us)
{
    for (unsigned i = 0; i < n; i++) {
        hist_record(&h, from_us + (to_us - from_us) * i / n);
    }
}

static unsigned used(void)
{
    unsigned bars = 0;

    for (size_t i = 0; i < SNAPSHOT_LATENCY_BARS; i++) {
        bars += count[i] > 0;
    }
    return bars;
}

/* Edges grow, nothing is counted twice or left out. */
static void fill(void)
{
    uint64_t sum = 0;

    latency_bars_fill(&h, low_us, count);
    assert_int_equal(low_us[0], 0);
    for (size_t i = 0; i < SNAPSHOT_LATENCY_BARS; i++) {
        assert_true(i == 0 || low_us[i] > low_us[i - 1]);
        sum += count[i];
    }
    assert_int_equal(sum, h.count);
}

static int set_up(void **state)
{
    (void)state;
    hist_reset(&h);
    return 0;
}

static void an_api_of_a_second__has_several_bars__and_the_last_is_empty(void **state)
{
    (void)state;
    answers(1000, 800000, 1300000);
    fill();
    assert_in_range(used(), 5, 12);
    assert_int_equal(count[SNAPSHOT_LATENCY_BARS - 1], 0);
    assert_int_equal(low_us[1] % 50000, 0); /* such as people read */
}

static void bars__fit__whatever_the_latencies_are(void **state)
{
    static const struct {
        uint64_t from_us, to_us;
    } apis[] = { { 250, 900 },        { 2000, 6000 },        { 20000, 90000 },
                 { 100000, 3000000 }, { 5000000, 40000000 }, { 30000000, 60000000 },
                 { 1000, 1000000 } };

    (void)state;
    for (size_t i = 0; i < sizeof apis / sizeof apis[0]; i++) {
        hist_reset(&h);
        answers(1000, apis[i].from_us, apis[i].to_us);
        fill();
        assert_in_range(used(), 4, 12);
        for (size_t bar = 0; bar < SNAPSHOT_LATENCY_BARS; bar++) {
            assert_true(count[bar] < 700); /* none has nearly all */
        }
    }
}

static void a_few_very_slow_ones__do_not_press_the_others_together(void **state)
{
    (void)state;
    answers(1000, 200000, 500000);
    answers(5, 60000000, 90000000);
    fill();
    assert_true(used() >= 5);
    assert_true(count[SNAPSHOT_LATENCY_BARS - 1] <= 5);
}

static void all_alike__or_none__is_no_trouble(void **state)
{
    (void)state;
    fill();
    assert_int_equal(used(), 0);
    answers(100, 1000000, 1000000);
    fill();
    assert_int_equal(used(), 1);
    hist_reset(&h);
    answers(1, 0, 0);
    answers(1, 3600 * US_PER_S, 3600 * US_PER_S);
    answers(1, UINT64_C(1) << 40, UINT64_C(1) << 40);
    fill();
    assert_true(used() >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_api_of_a_second__has_several_bars__and_the_last_is_empty, set_up),
        cmocka_unit_test_setup(bars__fit__whatever_the_latencies_are, set_up),
        cmocka_unit_test_setup(a_few_very_slow_ones__do_not_press_the_others_together, set_up),
        cmocka_unit_test_setup(all_alike__or_none__is_no_trouble, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
