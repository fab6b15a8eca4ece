#include "plan/server_clock.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S US_PER_S
#define MS US_PER_MS
#define OFF_US INT64_C(1795234500123456) /* the server's clock, less ours */

static int64_t date_at(uint64_t now_us)
{
    int64_t there_us = (int64_t)now_us + OFF_US;

    return there_us / (int64_t)S * (int64_t)S;
}

static void clock__closes_in__as_dates_tick(void **state)
{
    struct server_clock clock = { 0 };
    uint64_t slack_us = UINT64_MAX, random = 5;

    (void)state;
    for (uint64_t now = 10 * S; now < 60 * S; now += 137 * MS) {
        uint64_t latency_us, there_us;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        latency_us = 20 * MS + (random >> 33) % (30 * MS);
        there_us = now - (random >> 40) % latency_us; /* when the answer was made */
        server_clock_note(&clock, date_at(there_us), latency_us, now);
        assert_true(server_clock_us(&clock, now) <= (int64_t)now + OFF_US);
        assert_true(server_clock_us(&clock, now) + (int64_t)server_clock_slack_us(&clock) >=
                    (int64_t)now + OFF_US);
        assert_true(server_clock_slack_us(&clock) <= slack_us);
        slack_us = server_clock_slack_us(&clock);
    }
    assert_true(slack_us < 100 * MS);
}

static void clock__begins_anew__when_it_was_set(void **state)
{
    static const int64_t jumps[] = { 3600 * INT64_C(1000000), -3600 * INT64_C(1000000), 5000000 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct server_clock clock = { 0 };

        server_clock_note(&clock, date_at(10 * S), 10 * MS, 10 * S);
        server_clock_note(&clock, date_at(20 * S) + jumps[i], 10 * MS, 20 * S);
        assert_true(server_clock_us(&clock, 20 * S) <= (int64_t)(20 * S) + OFF_US + jumps[i]);
        assert_true(server_clock_us(&clock, 20 * S) + (int64_t)server_clock_slack_us(&clock) >=
                    (int64_t)(20 * S) + OFF_US + jumps[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock__closes_in__as_dates_tick),
        cmocka_unit_test(clock__begins_anew__when_it_was_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
