#include "engine/accounts.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(5000) * US_PER_S)

/* cmocka's tests run on one stack: what is large is static. */
static struct accounts a;
static struct snapshot_endpoint list[SNAPSHOT_ENDPOINTS_MAX];

static void begin(size_t endpoints)
{
    assert_int_equal(accounts_init(&a, endpoints, T0, NULL), RESULT_OK);
}

static int end(void **state)
{
    (void)state;
    accounts_release(&a);
    return 0;
}

static void answer(uint32_t endpoint, int status, uint64_t total_us)
{
    struct response r = { .status = status, .timing = { .total_us = total_us } };

    accounts_answered(&a, endpoint, &r);
}

static void accounts__are_kept_apart__by_endpoint(void **state)
{
    (void)state;
    begin(2);
    answer(0, 200, 10000);
    answer(0, 429, 10000);
    answer(0, 503, 10000);
    answer(0, 200, 10000);
    answer(1, 200, 90000);
    answer(1, 0, 0); /* none came: it tells nothing of this endpoint's speed */
    accounts_settled(&a, 0, true);
    accounts_settled(&a, 0, true);
    accounts_settled(&a, 1, false);
    accounts_list(&a, list);
    assert_int_equal(list[0].done, 2);
    assert_int_equal(list[0].failed, 0);
    assert_int_equal(list[1].failed, 1);
    assert_true(list[0].throttled_part > 0.24 && list[0].throttled_part < 0.26);
    assert_true(list[0].server_error_part > 0.24 && list[0].server_error_part < 0.26);
    assert_in_range(list[1].p50_us, 88000, 92000);
    accounts_revived(&a, 1);
    accounts_revived(&a, 1); /* never below 0 */
    accounts_list(&a, list);
    assert_int_equal(list[1].failed, 0);
}

static void accounts__are_kept_of_every_endpoint__however_many(void **state)
{
    (void)state;
    begin(SNAPSHOT_ENDPOINTS_MAX);
    for (uint32_t endpoint = 0; endpoint < SNAPSHOT_ENDPOINTS_MAX; endpoint++) {
        for (uint32_t n = 0; n <= endpoint; n++) {
            accounts_settled(&a, endpoint, true);
        }
    }
    accounts_list(&a, list);
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
        accounts_restored(&a, 0, true);
    }
    accounts_tick(&a, now_us += US_PER_S);
    accounts_list(&a, list);
    assert_true(list[0].done == 1000 && list[0].requests_per_s < 0.001);
    for (int second = 0; second < 30; second++) {
        for (int i = 0; i < 20; i++) {
            accounts_settled(&a, 0, true);
        }
        accounts_tick(&a, now_us += US_PER_S);
    }
    accounts_list(&a, list);
    assert_true(list[0].requests_per_s > 18 && list[0].requests_per_s < 20.01);
    accounts_tick(&a, now_us += 30000 * US_PER_S);
    accounts_list(&a, list);
    assert_true(list[0].requests_per_s < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(accounts__are_kept_apart__by_endpoint, end),
        cmocka_unit_test_teardown(accounts__are_kept_of_every_endpoint__however_many, end),
        cmocka_unit_test_teardown(rate__follows_what_is_settled, end),
    };

    return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
