/* plan/frontier_steer: requests that a user or a redirect asks for out of turn. */
#include "plan/frontier.h"

#include "base/clock.h"
#include "plan/host_hold.h"
#include "frontier_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_back__asks_the_redirects_host__before_all_others(void **state)
{
    struct plan p;
    struct request *request;
    uint32_t planned;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-3]");
    plan_open(&p);
    request = next(&p, T0);
    planned = request->host;
    host_ended(&p.hosts, host_of(&p, request), request, HOST_END_WELL, T0);
    request->redirect_url = str_dup(STR("https://other.example/x"));
    request->hops = 1;
    assert_int_equal(frontier_put_back(p.frontier, request, NULL), RESULT_OK);
    assert_int_equal(frontier_parked(p.frontier), 1);
    assert_ptr_equal(next(&p, T0), request);
    assert_int_not_equal(request->host, planned);
    assert_string_equal(host_of(&p, request)->origin, "https://other.example:443");
    assert_int_equal(host_at(&p.hosts, planned)->refs, 0);

    /* Its next try begins at the planned URL again. */
    host_ended(&p.hosts, host_of(&p, request), request, HOST_END_WELL, T0);
    free(request->redirect_url);
    request->redirect_url = NULL;
    assert_int_equal(frontier_wait(p.frontier, request, T0 + 1), RESULT_OK);
    assert_int_equal(request->host, planned);
    plan_end(&p);
}

static void urge__asks_before_all_others__though_the_host_is_held(void **state)
{
    struct request *request;
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-9]");
    plan_open(&p);
    for (uint64_t id = 1; id <= 3; id++) {
        request = next(&p, T0);
        assert_int_equal(request->id, id);
        wait_until(&p, request, T0 + id * US_PER_S);
    }
    host_hold_named(host_of(&p, request), request, T0 + 60 * US_PER_S, T0,
                    &(struct due){ .by = DUE_RETRY_AFTER, .status = 429 });
    assert_int_equal(frontier_find_wait(p.frontier, 2)->id, 2);
    assert_null(frontier_find_wait(p.frontier, 4));
    assert_null(frontier_take(p.frontier, 4));
    request = frontier_take(p.frontier, 2);
    assert_int_equal(request->id, 2);
    assert_null(frontier_take(p.frontier, 2));
    assert_int_equal(frontier_waiting(p.frontier), 2);
    frontier_urge(p.frontier, request);
    assert_int_equal(frontier_waiting(p.frontier), 3);
    assert_int_equal(frontier_find_wait(p.frontier, 2)->id, 2);
    request = next(&p, T0);
    assert_int_equal(request->id, 2);
    settle(&p, request);
    assert_int_equal(answer_of(&p, T0), FRONTIER_HELD);
    plan_end(&p);
}

/* Due, but kept back by its host: it stands in the host's queue, no longer in the heap. */
static void take__finds_a_parked_request(void **state)
{
    struct request *request;
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-5]");
    plan_open(&p);
    request = next(&p, T0);
    wait_until(&p, request, T0 + US_PER_S);
    host_hold_user(host_at(&p.hosts, 0), true, T0);
    assert_int_equal(answer_of(&p, T0 + 2 * US_PER_S), FRONTIER_HELD);
    assert_int_equal(frontier_parked(p.frontier), 5);
    for (uint64_t id = 5; id >= 1; id--) {
        request = frontier_take(p.frontier, id);
        assert_int_equal(request->id, id);
        frontier_forget(p.frontier, request);
    }
    assert_int_equal(frontier_parked(p.frontier), 0);
    assert_int_equal(frontier_waiting(p.frontier), 0);
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    plan_end(&p);
}

static bool is_odd(void *context, const struct request *request)
{
    unsigned *looks = context;

    (*looks)++;
    return request->id % 2 == 1;
}

/* In the heap, and in the queue of a host that is held; those that were not tried yet wait for nothing. */
static void urge_all__looks_at_each_once__wherever_it_waits(void **state)
{
    struct request *request;
    unsigned looks = 0;
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-9]");
    plan_open(&p);
    for (uint64_t id = 1; id <= 6; id++) { /* three of them are soon due */
        request = next(&p, T0);
        wait_until(&p, request, T0 + (id <= 3 ? 1 : 100) * US_PER_S);
    }
    host_hold_user(host_at(&p.hosts, 0), true, T0);
    assert_int_equal(answer_of(&p, T0 + 2 * US_PER_S), FRONTIER_HELD);
    assert_int_equal(frontier_parked(p.frontier), 6);
    assert_int_equal(frontier_waiting(p.frontier), 6);
    assert_int_equal(frontier_urge_all(p.frontier, is_odd, &looks), 3);
    assert_int_equal(looks, 6);
    assert_int_equal(frontier_waiting(p.frontier), 6);
    assert_int_equal(frontier_urge_all(p.frontier, is_odd, &looks), 0);
    for (int i = 0; i < 3; i++) {
        request = next(&p, T0 + 2 * US_PER_S);
        assert_int_equal(request->id % 2, 1);
        settle(&p, request);
    }
    assert_int_equal(answer_of(&p, T0 + 2 * US_PER_S), FRONTIER_HELD);
    host_hold_user(host_at(&p.hosts, 0), false, T0);
    for (int i = 0; i < 6; i++) {
        settle(&p, next(&p, T0 + 200 * US_PER_S));
    }
    assert_int_equal(answer_of(&p, T0 + 200 * US_PER_S), FRONTIER_EMPTY);
    plan_end(&p);
}

static void again__asks_settled_requests_once_more__in_a_list_too(void **state)
{
    struct request *request;
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://a/3\nhttp://a/4\n");
    plan_open(&p);
    for (int i = 0; i < 4; i++) {
        settle(&p, next(&p, T0));
    }
    assert_int_equal(frontier_again(p.frontier, 5), RESULT_NOT_FOUND);
    assert_int_equal(frontier_again(p.frontier, 0), RESULT_NOT_FOUND);
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(frontier_again(p.frontier, 2), RESULT_OK);
        assert_int_equal(frontier_again(p.frontier, 3), RESULT_OK);
        request = next(&p, T0);
        assert_string_equal(request->url.data, "http://a/2");
        assert_int_equal(request->attempt, 1);
        settle(&p, request);
        settle(&p, next(&p, T0));
        assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    }
    plan_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_back__asks_the_redirects_host__before_all_others),
        cmocka_unit_test(urge__asks_before_all_others__though_the_host_is_held),
        cmocka_unit_test(take__finds_a_parked_request),
        cmocka_unit_test(urge_all__looks_at_each_once__wherever_it_waits),
        cmocka_unit_test(again__asks_settled_requests_once_more__in_a_list_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
