/* When a job that polls asks again: a grid of times, kept whatever happens. */
#include "base/clock.h"
#include "job/job.h"
#include "plan/rounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 INT64_C(1795233600000000) /* 2026-11-21 04:00 UTC */
#define S INT64_C(1000000)
#define EVERY (30 * US_PER_S)

static struct rounds begin(struct job_poll plan)
{
    static const struct rounds_kept none;
    struct rounds r;

    rounds_init(&r, &plan, &none, T0);
    assert_int_equal(rounds_step(&r, false, T0), ROUNDS_BEGIN);
    assert_int_equal(r.kept.started_us, T0);
    assert_int_equal(r.kept.begun, 1);
    assert_int_equal(rounds_number(&r), 0);
    return r;
}

static void step__rests_until_the_next_is_due__then_begins_it(void **state)
{
    struct rounds r = begin((struct job_poll){ .every_us = EVERY });

    (void)state;
    assert_int_equal(rounds_step(&r, false, T0 + 5 * S), ROUNDS_BUSY);
    assert_int_equal(rounds_step(&r, true, T0 + 6 * S), ROUNDS_REST);
    assert_int_equal(rounds_due_us(&r), T0 + 30 * S);
    assert_int_equal(rounds_step(&r, true, T0 + 30 * S - 1), ROUNDS_REST);
    assert_int_equal(rounds_step(&r, true, T0 + 30 * S), ROUNDS_BEGIN);
    assert_int_equal(rounds_number(&r), 1);
    assert_int_equal(r.kept.put, 0);
    assert_int_equal(r.kept.skipped, 0);
    assert_int_equal(rounds_due_us(&r), T0 + 60 * S);
}

/* However late each one begins, the times stay multiples of the interval. */
static void step__does_not_drift__when_rounds_begin_late(void **state)
{
    struct rounds r = begin((struct job_poll){ .every_us = EVERY });

    (void)state;
    for (int64_t round = 1; round <= 1000; round++) {
        assert_int_equal(rounds_due_us(&r), T0 + round * 30 * S);
        assert_int_equal(rounds_step(&r, true, T0 + round * 30 * S + 7 * S), ROUNDS_BEGIN);
    }
    assert_int_equal(r.kept.begun, 1001);
    assert_int_equal(r.kept.skipped, 0);
}

static void step__skips_and_counts__what_comes_due_while_busy(void **state)
{
    struct rounds r = begin((struct job_poll){ .every_us = EVERY });

    (void)state;
    assert_int_equal(rounds_step(&r, false, T0 + 30 * S), ROUNDS_BUSY);
    assert_int_equal(r.kept.skipped, 1);
    assert_int_equal(rounds_step(&r, false, T0 + 31 * S), ROUNDS_BUSY);
    assert_int_equal(r.kept.skipped, 1); /* once */
    assert_int_equal(rounds_step(&r, false, T0 + 60 * S), ROUNDS_BUSY);
    assert_int_equal(r.kept.skipped, 2);
    assert_int_equal(rounds_step(&r, true, T0 + 62 * S), ROUNDS_REST); /* not at once: the grid */
    assert_int_equal(rounds_due_us(&r), T0 + 90 * S);
    assert_int_equal(rounds_step(&r, true, T0 + 90 * S), ROUNDS_BEGIN);
    assert_int_equal(rounds_number(&r), 1);
    assert_int_equal(r.kept.slot, 3);
}

/* The machine slept: what nobody could have asked is skipped, and the latest begins. */
static void step__begins_one_for_many__when_nobody_looked(void **state)
{
    struct rounds r = begin((struct job_poll){ .every_us = EVERY });

    (void)state;
    assert_int_equal(rounds_step(&r, true, T0 + 100 * S), ROUNDS_BEGIN);
    assert_int_equal(r.kept.skipped, 2);
    assert_int_equal(r.kept.slot, 3);
    assert_int_equal(rounds_due_us(&r), T0 + 120 * S);
}

static void step__ends__after_count_rounds(void **state)
{
    struct rounds r = begin((struct job_poll){ .every_us = EVERY, .count = 2 });

    (void)state;
    assert_int_equal(rounds_step(&r, true, T0 + 30 * S), ROUNDS_BEGIN);
    assert_true(rounds_are_over(&r, T0 + 31 * S));
    assert_int_equal(rounds_step(&r, false, T0 + 70 * S), ROUNDS_BUSY);
    assert_int_equal(r.kept.skipped, 0); /* there was no third one to skip */
    assert_int_equal(rounds_step(&r, true, T0 + 71 * S), ROUNDS_OVER);
}

static void step__ends__when_the_next_would_be_after_until(void **state)
{
    struct rounds r = begin((struct job_poll){ .every_us = EVERY, .until_us = T0 + 59 * S });

    (void)state;
    assert_int_equal(rounds_step(&r, true, T0 + 1 * S), ROUNDS_REST);
    assert_int_equal(rounds_step(&r, true, T0 + 30 * S), ROUNDS_BEGIN);
    assert_int_equal(rounds_step(&r, true, T0 + 31 * S), ROUNDS_OVER); /* not only at 60 */
}

static void init__goes_on_in_the_grid__of_an_earlier_session(void **state)
{
    struct job_poll plan = { .every_us = EVERY, .count = 9 };
    struct rounds r = begin(plan), again;

    (void)state;
    assert_int_equal(rounds_step(&r, true, T0 + 30 * S), ROUNDS_BEGIN);
    rounds_init(&again, &plan, &r.kept, T0 + 1000 * S);
    assert_int_equal(rounds_number(&again), 1);
    assert_int_equal(rounds_due_us(&again), T0 + 1020 * S);
    assert_int_equal(rounds_step(&again, true, T0 + 1001 * S), ROUNDS_REST);
    assert_int_equal(rounds_step(&again, true, T0 + 1020 * S), ROUNDS_BEGIN);
    assert_int_equal(rounds_number(&again), 2);
    assert_int_equal(again.kept.skipped, 0); /* nobody was there */
}

static void init__begins_no_slot_twice__when_restarted_within_it(void **state)
{
    struct job_poll plan = { .every_us = EVERY };
    struct rounds r = begin(plan), again;

    (void)state;
    assert_int_equal(rounds_step(&r, true, T0 + 30 * S), ROUNDS_BEGIN);
    rounds_init(&again, &plan, &r.kept, T0 + 31 * S);
    assert_int_equal(rounds_due_us(&again), T0 + 60 * S);
}

static void init__takes_the_grid_along__when_the_clock_was_set_back(void **state)
{
    struct job_poll plan = { .every_us = EVERY };
    struct rounds r = begin(plan), again;

    (void)state;
    assert_int_equal(rounds_step(&r, true, T0 + 30 * S), ROUNDS_BEGIN);
    rounds_init(&again, &plan, &r.kept, T0 - 400 * 86400 * S);
    assert_int_equal(rounds_due_us(&again), T0 - 400 * 86400 * S + 30 * S);
    assert_int_equal(rounds_step(&again, true, T0 - 400 * 86400 * S + 31 * S), ROUNDS_BEGIN);
    assert_int_equal(again.kept.slot, 2);
    assert_int_equal(again.kept.skipped, 0);
    rounds_init(&r, &plan, &again.kept, T0 - 400 * 86400 * S + 40 * S); /* and it stays so */
    assert_int_equal(rounds_due_us(&r), T0 - 400 * 86400 * S + 60 * S);
}

static void due__does_not_overflow__at_the_end_of_time(void **state)
{
    struct rounds r = begin((struct job_poll){ .every_us = UINT64_MAX / 2 });

    (void)state;
    assert_int_equal(rounds_due_us(&r), INT64_MAX);
    assert_int_equal(rounds_step(&r, true, INT64_MAX - 1), ROUNDS_REST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__rests_until_the_next_is_due__then_begins_it),
        cmocka_unit_test(step__does_not_drift__when_rounds_begin_late),
        cmocka_unit_test(step__skips_and_counts__what_comes_due_while_busy),
        cmocka_unit_test(step__begins_one_for_many__when_nobody_looked),
        cmocka_unit_test(step__ends__after_count_rounds),
        cmocka_unit_test(step__ends__when_the_next_would_be_after_until),
        cmocka_unit_test(init__goes_on_in_the_grid__of_an_earlier_session),
        cmocka_unit_test(init__begins_no_slot_twice__when_restarted_within_it),
        cmocka_unit_test(init__takes_the_grid_along__when_the_clock_was_set_back),
        cmocka_unit_test(due__does_not_overflow__at_the_end_of_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
