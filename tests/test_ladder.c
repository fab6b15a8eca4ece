#include "engine/ladder.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)

static struct ladder ladder;
static struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX];

static void answer(uint64_t started_us, uint64_t latency_us, bool throttled)
{
    ladder_answer(&ladder, &(struct answer){ .started_us = started_us,
                                             .latency_us = latency_us,
                                             .throttled = throttled });
}

/* `seconds` at `cap` with so many answers a second. */
static uint64_t spend(uint64_t now_us, unsigned cap, unsigned seconds, unsigned per_s,
                      uint64_t latency_us, unsigned throttled)
{
    ladder_enter(&ladder, cap, now_us);
    for (unsigned i = 0; i < seconds * per_s; i++) {
        answer(now_us, latency_us, i < throttled);
    }
    now_us += seconds * US_PER_S;
    ladder_tick(&ladder, true, now_us);
    return now_us;
}

static void list__tells_each_cap_against_the_one_below(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    ladder_init(&ladder, 20, T0);
    now_us = spend(now_us, 20, 10, 100, 200 * US_PER_MS, 0);
    now_us = spend(now_us, 10, 10, 50, 200 * US_PER_MS, 0);
    now_us = spend(now_us, 40, 10, 102, 400 * US_PER_MS, 0);
    now_us = spend(now_us, 80, 10, 120, 800 * US_PER_MS, 60);
    assert_int_equal(ladder_list(&ladder, rungs), 4);
    assert_int_equal(rungs[0].cap, 10);
    assert_string_equal(rungs[0].note, "");
    assert_int_equal(rungs[1].cap, 20);
    assert_int_equal(rungs[1].requests, 1000);
    assert_int_equal(rungs[1].time_us, 10 * US_PER_S);
    assert_true(rungs[1].requests_per_s > 99 && rungs[1].requests_per_s < 101);
    assert_true(rungs[1].ideal_per_s > 99 && rungs[1].ideal_per_s < 101);
    assert_string_equal(rungs[1].note, "+100 % rate");
    assert_string_equal(rungs[2].note, "no faster than 20");
    assert_string_equal(rungs[3].note, "+12 % rate, 5.0 % 429s");
}

static void note__does_not_count__when_the_request_began_under_another_cap(void **state)
{
    (void)state;
    ladder_init(&ladder, 10, T0);
    ladder_enter(&ladder, 20, T0 + US_PER_S);
    answer(T0 + US_PER_S - 1, US_PER_S, false);
    assert_int_equal(ladder_list(&ladder, rungs), 0);
    answer(T0 + US_PER_S, US_PER_S, false);
    assert_int_equal(ladder_list(&ladder, rungs), 1);
    assert_int_equal(rungs[0].requests, 1);
}

static void tick__leaves_out_what_the_cap_is_not_to_blame_for(void **state)
{
    (void)state;
    ladder_init(&ladder, 10, T0);
    ladder_tick(&ladder, true, T0 + US_PER_S);
    ladder_tick(&ladder, false, T0 + 31 * US_PER_S);
    ladder_tick(&ladder, true, T0 + 32 * US_PER_S);
    assert_int_equal(ladder_list(&ladder, rungs), 1);
    assert_int_equal(rungs[0].time_us, 2 * US_PER_S);
}

static void rungs__are_bounded__when_every_cap_is_tried(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    ladder_init(&ladder, 1, T0);
    for (unsigned cap = 1; cap <= 1000; cap++) {
        now_us = spend(now_us, cap, cap == 500 ? 60 : 1, 10, US_PER_MS, 0);
    }
    assert_int_equal(ladder_list(&ladder, rungs), SNAPSHOT_RUNGS_MAX);
    for (size_t i = 0; i < SNAPSHOT_RUNGS_MAX; i++) {
        if (rungs[i].cap == 500) {
            return; /* the one that was used most is still there */
        }
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list__tells_each_cap_against_the_one_below),
        cmocka_unit_test(note__does_not_count__when_the_request_began_under_another_cap),
        cmocka_unit_test(tick__leaves_out_what_the_cap_is_not_to_blame_for),
        cmocka_unit_test(rungs__are_bounded__when_every_cap_is_tried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
