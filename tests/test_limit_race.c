/* A number of requests, by plan/bucket and by the plain script (tests/weather/plain_script.py), against
 * limiters made of numbers: never slower by more than a tenth and a second, and never refused more often. */
#include "limit_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CAP 10
#define SEEDS 5
#define STEP_S 0.01
#define MOST_S 600
#define ROOM 1.1
#define ROOM_S 1.0

static struct limit_sim sim;

struct race {
    const char *name;
    unsigned count;
    struct limiter limiter;
    double after_s; /* then it is another; 0: never */
    struct limiter then;
};

struct run {
    double wall_s, refused;
};

static struct run run(const struct race *race, bool is_script)
{
    struct run mean = { 0 };

    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        double passed_s = 0;

        limit_sim_begin(&sim, &race->limiter, CAP);
        sim.random = seed;
        sim.is_script = is_script;
        for (; sim.accepted < race->count && passed_s < MOST_S; passed_s += STEP_S) {
            if (race->after_s > 0 && passed_s >= race->after_s) {
                sim.limiter = race->then;
            }
            limit_sim_live(&sim, STEP_S);
        }
        mean.wall_s += passed_s / SEEDS;
        mean.refused += (double)sim.refused / SEEDS;
    }
    return mean;
}

static void assert_won(const struct race *races, size_t count)
{
    unsigned lost = 0;

    for (size_t i = 0; i < count; i++) {
        struct run ours = run(&races[i], false), script = run(&races[i], true);

        if (ours.wall_s > ROOM * script.wall_s + ROOM_S || ours.refused > script.refused) {
            print_error("%s: %.1f s and %.0f refused, the script %.1f s and %.0f\n", races[i].name,
                        ours.wall_s, ours.refused, script.wall_s, script.refused);
            lost++;
        }
    }
    assert_int_equal(lost, 0);
}

#define ASSERT_WON(races) assert_won(races, sizeof races / sizeof races[0])
#define BUCKET(per_s, tokens)                                                                      \
    .kind = LIMITER_BUCKET, .rate = per_s, .burst = tokens, .latency_ms = 20, .jitter = 0.1
#define WINDOW(per_s, length_s)                                                                    \
    .kind = LIMITER_WINDOW, .rate = per_s, .window_s = length_s, .latency_ms = 20, .jitter = 0.1
#define SLIDING(per_s, length_s)                                                                   \
    .kind = LIMITER_SLIDING, .rate = per_s, .window_s = length_s, .latency_ms = 20, .jitter = 0.1

static void bucket__is_met_as_well_as_by_ten_threads(void **state)
{
    static const struct race races[] = {
        { "80/s, burst 10", 1000, { BUCKET(80, 10) }, 0, { 0 } },
        { "50/s, burst 10", 1000, { BUCKET(50, 10) }, 0, { 0 } },
        { "50/s, no burst", 400, { BUCKET(50, 0) }, 0, { 0 } },
        { "50/s, burst 5, 503", 500, { BUCKET(50, 5), .status = 503 }, 0, { 0 } },
        { "20/s, no burst", 1000, { BUCKET(20, 0) }, 0, { 0 } },
        { "1/s, burst 5", 200, { BUCKET(1, 5) }, 0, { 0 } },
        { "30/s, burst 10, 200 ms",
          1000,
          { .kind = LIMITER_BUCKET, .rate = 30, .burst = 10, .latency_ms = 200, .jitter = 0.3 },
          0,
          { 0 } },
        { "4 at once, 503",
          250,
          { LIMITER_AT_ONCE, .at_once = 4, .latency_ms = 100, .jitter = 0.1, .status = 503 },
          0,
          { 0 } },
    };

    (void)state;
    ASSERT_WON(races);
}

static void bucket_that_names_deadlines__is_met_as_well_as_by_ten_threads(void **state)
{
    static const struct race races[] = {
        { "80/s, burst 10, tells", 1000, { BUCKET(80, 10), .tells = true }, 0, { 0 } },
        { "20/s, burst 20, tells", 500, { BUCKET(20, 20), .tells = true }, 0, { 0 } },
        { "50/s, burst 50, tells", 1000, { BUCKET(50, 50), .tells = true }, 0, { 0 } },
        { "50/s, burst 10, says 1 s", 1000, { BUCKET(50, 10), .named_us = US_PER_S }, 0, { 0 } },
        { "50/s, burst 10, says 2 s",
          1000,
          { BUCKET(50, 10), .named_us = 2 * US_PER_S },
          0,
          { 0 } },
        { "20/s, burst 20, says 5 s", 300, { BUCKET(20, 20), .named_us = 5 * US_PER_S }, 0, { 0 } },
        { "5/s, burst 20, says 60 s", 300, { BUCKET(5, 20), .named_us = 60 * US_PER_S }, 0, { 0 } },
    };

    (void)state;
    ASSERT_WON(races);
}

/* Three holds of five seconds are what it takes; each more costs a sixth of the whole. */
static void rate__is_found_by_three_refusals__when_each_costs_five_seconds(void **state)
{
    static const struct race race = {
        "20/s, burst 20, says 5 s", 300, { BUCKET(20, 20), .named_us = 5 * US_PER_S }, 0, { 0 }
    };
    struct run ours = run(&race, false);

    (void)state;
    if (ours.wall_s > 31) {
        fail_msg("%.1f s, %.0f refused", ours.wall_s, ours.refused);
    }
}

static void window__is_met_as_well_as_by_ten_threads(void **state)
{
    static const struct race races[] = {
        { "40 in 1 s", 400, { WINDOW(40, 1) }, 0, { 0 } },
        { "100 in 2 s", 600, { WINDOW(50, 2) }, 0, { 0 } },
        { "250 in 10 s", 600, { WINDOW(25, 10) }, 0, { 0 } },
        { "60 in 60 s", 100, { WINDOW(1, 60) }, 0, { 0 } },
        { "60 in 60 s, longer", 300, { WINDOW(1, 60) }, 0, { 0 } },
        { "40 in any 1 s", 400, { SLIDING(40, 1) }, 0, { 0 } },
        { "250 in any 10 s", 600, { SLIDING(25, 10) }, 0, { 0 } },
        { "100 in 2 s, tells", 600, { WINDOW(50, 2), .tells = true }, 0, { 0 } },
        { "250 in 10 s, tells", 600, { WINDOW(25, 10), .tells = true }, 0, { 0 } },
        { "60 in 60 s, tells", 100, { WINDOW(1, 60), .tells = true }, 0, { 0 } },
        { "250 in any 10 s, tells", 600, { SLIDING(25, 10), .tells = true }, 0, { 0 } },
    };

    (void)state;
    ASSERT_WON(races);
}

/* Who slows down for each refusal leaves all of it to the other, and takes five times as long. An answer takes no
 * whole number of tokens here: else whoever asks again at once finds the next one each time, by chance. */
#define OTHERS(per_s, tokens, others_per_s)                                                        \
    .kind = LIMITER_BUCKET, .rate = per_s, .burst = tokens, .latency_ms = 50, .jitter = 0.5,       \
    .others = others_per_s

static void bucket_that_others_empty__is_met_as_well_as_by_ten_threads(void **state)
{
    static const struct race races[] = {
        { "50/s, others ask 50/s", 1000, { OTHERS(50, 10, 50) }, 0, { 0 } },
        { "50/s, others ask 45/s", 600, { OTHERS(50, 10, 45) }, 0, { 0 } },
        { "10/s, others ask 10/s", 200, { OTHERS(10, 5, 10) }, 0, { 0 } },
        { "100/s, others ask 100/s", 1500, { OTHERS(100, 10, 100) }, 0, { 0 } },
        { "50/s, others ask 60/s", 600, { OTHERS(50, 10, 60) }, 0, { 0 } },
        { "50/s, others ask 50/s, 503", 1000, { OTHERS(50, 10, 50), .status = 503 }, 0, { 0 } },
    };

    (void)state;
    ASSERT_WON(races);
}

static void limit_that_changes__is_met_as_well_as_by_ten_threads(void **state)
{
    static const struct race races[] = {
        { "80/s, then 40/s", 700, { BUCKET(80, 10) }, 5, { BUCKET(40, 10) } },
        { "50/s, then 15/s", 400, { BUCKET(50, 10) }, 5, { BUCKET(15, 3) } },
        { "50/s, then 75/s", 800, { BUCKET(50, 10) }, 5, { BUCKET(75, 10) } },
        { "50/s, then 100/s", 800, { BUCKET(50, 10) }, 5, { BUCKET(100, 10) } },
        { "50/s, later 100/s", 3000, { BUCKET(50, 10) }, 20, { BUCKET(100, 10) } },
        { "20/s, then 40/s", 800, { BUCKET(20, 20) }, 10, { BUCKET(40, 20) } },
        { "50/s, then none", 1500, { BUCKET(50, 10) }, 5, { LIMITER_NONE, .latency_ms = 20 } },
        { "all refused for 8 s, told, then none",
          2000,
          { LIMITER_SHUT, .latency_ms = 20, .named_us = 8 * US_PER_S },
          8,
          { LIMITER_NONE, .latency_ms = 20 } },
    };

    (void)state;
    ASSERT_WON(races);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket__is_met_as_well_as_by_ten_threads),
        cmocka_unit_test(bucket_that_names_deadlines__is_met_as_well_as_by_ten_threads),
        cmocka_unit_test(rate__is_found_by_three_refusals__when_each_costs_five_seconds),
        cmocka_unit_test(window__is_met_as_well_as_by_ten_threads),
        cmocka_unit_test(bucket_that_others_empty__is_met_as_well_as_by_ten_threads),
        cmocka_unit_test(limit_that_changes__is_met_as_well_as_by_ten_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
