#include "engine/endpoint_stats.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(5000) * US_PER_S)

/* cmocka's tests run on one stack: what is large is static. */
static struct endpoint_stats a;
static struct snapshot_endpoint list[SNAPSHOT_ENDPOINTS_MAX];

static void begin(size_t endpoints)
{
    assert_int_equal(endpoint_stats_init(&a, endpoints, T0, NULL), RESULT_OK);
}

static int end(void **state)
{
    (void)state;
    endpoint_stats_release(&a);
    return 0;
}

static void answer(uint32_t endpoint, int status, uint64_t total_us)
{
    struct answer one = {
        .endpoint = endpoint, .status = status, .throttled = status == 429, .latency_us = total_us
    };

    endpoint_stats_answer(&a, &one);
}

static void stats__are_kept_apart__by_endpoint(void **state)
{
    (void)state;
    begin(2);
    answer(0, 200, 10000);
    answer(0, 429, 10000);
    answer(0, 503, 10000);
    answer(0, 200, 10000);
    answer(1, 200, 90000);
    answer(1, 0, 0); /* none came: it tells nothing of this endpoint's speed */
    endpoint_stats_settled(&a, 0, true);
    endpoint_stats_settled(&a, 0, true);
    endpoint_stats_settled(&a, 1, false);
    endpoint_stats_list(&a, list);
    assert_int_equal(list[0].done, 2);
    assert_int_equal(list[0].failed, 0);
    assert_int_equal(list[1].failed, 1);
    assert_true(list[0].throttled_part > 0.24 && list[0].throttled_part < 0.26);
    assert_true(list[0].server_error_part > 0.24 && list[0].server_error_part < 0.26);
    assert_in_range(list[1].p50_us, 88000, 92000);
    endpoint_stats_revived(&a, 1);
    endpoint_stats_revived(&a, 1); /* never below 0 */
    endpoint_stats_list(&a, list);
    assert_int_equal(list[1].failed, 0);
}

static void stats__are_kept_of_every_endpoint__however_many(void **state)
{
    (void)state;
    begin(SNAPSHOT_ENDPOINTS_MAX);
    for (uint32_t endpoint = 0; endpoint < SNAPSHOT_ENDPOINTS_MAX; endpoint++) {
        for (uint32_t n = 0; n <= endpoint; n++) {
            endpoint_stats_settled(&a, endpoint, true);
        }
    }
    endpoint_stats_list(&a, list);
    for (uint32_t endpoint = 0; endpoint < SNAPSHOT_ENDPOINTS_MAX; endpoint++) {
        assert_int_equal(list[endpoint].done, endpoint + 1);
    }
}

/* What an earlier session has settled makes no rate; a rate comes within ten seconds and goes again,
 * also over a night in which the machine slept. */
static void rate__follows_what_is_settled(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    begin(1);
    for (int i = 0; i < 1000; i++) {
        endpoint_stats_restored(&a, 0, true);
    }
    endpoint_stats_tick(&a, now_us += US_PER_S);
    endpoint_stats_list(&a, list);
    assert_true(list[0].done == 1000 && list[0].requests_per_s < 0.001);
    for (int second = 0; second < 30; second++) {
        for (int i = 0; i < 20; i++) {
            endpoint_stats_settled(&a, 0, true);
        }
        endpoint_stats_tick(&a, now_us += US_PER_S);
    }
    endpoint_stats_list(&a, list);
    assert_true(list[0].requests_per_s > 18 && list[0].requests_per_s < 20.01);
    endpoint_stats_tick(&a, now_us += 30000 * US_PER_S);
    endpoint_stats_list(&a, list);
    assert_true(list[0].requests_per_s < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(stats__are_kept_apart__by_endpoint, end),
        cmocka_unit_test_teardown(stats__are_kept_of_every_endpoint__however_many, end),
        cmocka_unit_test_teardown(rate__follows_what_is_settled, end),
    };

    return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
