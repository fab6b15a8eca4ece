#include "plan/proxy_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void choose__keeps_a_host_where_it_is__and_spreads_hosts(void **state)
{
    struct proxy_pool pool;
    unsigned used[3] = { 0 };

    (void)state;
    assert_int_equal(proxy_pool_init(&pool, 3), RESULT_OK);
    for (uint32_t host = 0; host < 30; host++) {
        uint32_t proxy = proxy_pool_choose(&pool, host, 1000 + host, 1);

        used[proxy]++;
        assert_int_equal(proxy_pool_choose(&pool, host, 1000 + host, 99), proxy);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(used[i], 10);
    }
    proxy_pool_release(&pool);
}

static void hold__moves_one_host_alone__and_it_stays_there(void **state)
{
    struct proxy_pool pool;
    uint32_t first, second;

    (void)state;
    assert_int_equal(proxy_pool_init(&pool, 2), RESULT_OK);
    first = proxy_pool_choose(&pool, 0, 4, 1);
    assert_int_equal(proxy_pool_choose(&pool, 1, 6, 1), first);
    assert_true(proxy_pool_hold(&pool, 0, 4, first, 100, 1));
    second = proxy_pool_choose(&pool, 0, 4, 2);
    assert_int_not_equal(second, first);
    assert_int_equal(proxy_pool_choose(&pool, 1, 6, 2), first);
    assert_int_equal(proxy_pool_choose(&pool, 0, 4, 101), second);
    /* Both at once: the second hold is the host's own to keep. */
    assert_true(proxy_pool_hold(&pool, 0, 4, second, 300, 101));
    assert_int_equal(proxy_pool_choose(&pool, 0, 4, 102), first);
    assert_false(proxy_pool_hold(&pool, 0, 4, first, 300, 102));
    /* Another host that has the index now knows nothing of it. */
    assert_int_equal(proxy_pool_choose(&pool, 0, 5, 103), 1);
    proxy_pool_release(&pool);
}

static void down__holds_all_pairs__and_tells_when_none_is_left(void **state)
{
    struct proxy_pool pool;

    (void)state;
    assert_int_equal(proxy_pool_init(&pool, 2), RESULT_OK);
    assert_true(proxy_pool_down(&pool, 0, 100, 1));
    assert_int_equal(proxy_pool_choose(&pool, 0, 4, 2), 1);
    /* The other one comes back: what this one was to carry waits for that. */
    assert_true(proxy_pool_down(&pool, 1, UINT64_MAX, 3));
    assert_int_equal(proxy_pool_choose(&pool, 0, 4, 4), 0);
    assert_false(proxy_pool_down(&pool, 0, 300, 101)); /* and that is no other one */
    assert_int_equal(proxy_pool_choose(&pool, 0, 4, 400), 0);
    assert_false(proxy_pool_down(&pool, 0, UINT64_MAX, 401));
    assert_int_equal(proxy_pool_choose(&pool, 0, 4, 402), 0);
    proxy_pool_release(&pool);
}

static void refused__counts_rows__of_the_pair_in_use(void **state)
{
    struct proxy_pool pool;
    uint32_t proxy;

    (void)state;
    assert_int_equal(proxy_pool_init(&pool, 2), RESULT_OK);
    proxy = proxy_pool_choose(&pool, 7, 4, 1);
    assert_int_equal(proxy_pool_refused(&pool, 7, 4), 1);
    assert_int_equal(proxy_pool_refused(&pool, 7, 4), 2);
    proxy_pool_well(&pool, 7, 4);
    assert_int_equal(proxy_pool_refused(&pool, 7, 4), 1);
    assert_true(proxy_pool_hold(&pool, 7, 4, proxy, 50, 1));
    assert_int_not_equal(proxy_pool_choose(&pool, 7, 4, 2), proxy);
    assert_int_equal(proxy_pool_refused(&pool, 7, 4), 1);
    proxy_pool_release(&pool);
    assert_int_equal(proxy_pool_init(&pool, PROXY_POOL_MAX + 1), RESULT_LIMIT);
    proxy_pool_release(&pool);
}

static void failed__says_when_all_have_had_their_turn__however_short_the_holds(void **state)
{
    struct proxy_pool pool;

    (void)state;
    assert_int_equal(proxy_pool_init(&pool, 2), RESULT_OK);
    assert_true(proxy_pool_failed(&pool, 0, 4, 0, 1));
    assert_true(proxy_pool_hold(&pool, 0, 4, 0, 60, 1));
    assert_true(proxy_pool_failed(&pool, 0, 4, 0, 2)); /* in flight with it: counted once */
    assert_false(proxy_pool_failed(&pool, 0, 4, 1, 70));
    proxy_pool_answered(&pool, 0, 4);
    assert_true(proxy_pool_failed(&pool, 0, 4, 1, 71));
    proxy_pool_release(&pool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(choose__keeps_a_host_where_it_is__and_spreads_hosts),
        cmocka_unit_test(hold__moves_one_host_alone__and_it_stays_there),
        cmocka_unit_test(down__holds_all_pairs__and_tells_when_none_is_left),
        cmocka_unit_test(refused__counts_rows__of_the_pair_in_use),
        cmocka_unit_test(failed__says_when_all_have_had_their_turn__however_short_the_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
