/* plan/frontier: what comes next, from seeds and retries, over several hosts. */
#include "plan/frontier.h"

#include "base/clock.h"
#include "plan/host_hold.h"
#include "frontier_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void next__follows_the_plans_order__when_sources_are_several(void **state)
{
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-2]");
    plan_list(&p, "http://b/x\n\n# none\n{\"name\":\"second\",\"url\":\"http://b/y?q=1\"}\n");
    plan_pattern(&p, "http://c/only");
    plan_list(&p, "http://d/1\nhttp://d/2\n");
    plan_open(&p);
    assert_int_equal(frontier_total(p.frontier), 7);
    assert_next(&p, 1, "1", "http://a/1");
    assert_next(&p, 2, "2", "http://a/2");
    assert_next(&p, 3, "x", "http://b/x");
    assert_next(&p, 4, "second", "http://b/y?q=1");
    assert_next(&p, 5, "only", "http://c/only");
    assert_next(&p, 6, "1", "http://d/1");
    assert_next(&p, 7, "2", "http://d/2");
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    assert_true(frontier_wake_us(p.frontier, T0) == TIME_NEVER);
    plan_end(&p);
}

static void next__encodes_bytes_beyond_ascii(void **state)
{
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/caf\xc3\xa9?q=\xe2\x82\xac\n");
    plan_open(&p);
    assert_next(&p, 1, "caf\xc3\xa9?q=\xe2\x82\xac", "http://a/caf%C3%A9?q=%E2%82%AC");
    plan_end(&p);
}

static void plan__costs_nothing__when_it_has_a_million_million_urls(void **state)
{
    struct plan p;
    struct request *request;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-1000000]/[1-1000000]");
    plan_open(&p);
    assert_true(frontier_total(p.frontier) == UINT64_C(1000000000000));
    assert_next(&p, 1, "1,1", "http://a/1/1");
    assert_next(&p, 2, "1,2", "http://a/1/2");
    assert_int_equal(frontier_make(p.frontier, UINT64_C(999999999999), &request, NULL), RESULT_OK);
    assert_string_equal(request->url.data, "http://a/1000000/999999");
    frontier_forget(p.frontier, request);
    assert_int_equal(frontier_make(p.frontier, UINT64_C(1000000000001), &request, NULL),
                     RESULT_NOT_FOUND);
    assert_int_equal(frontier_make(p.frontier, 0, &request, NULL), RESULT_NOT_FOUND);
    plan_end(&p);
}

static void next__goes_on_after_the_ledger__when_the_plan_is_enormous(void **state)
{
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-1000000]/[1-1000000]");
    plan_open(&p);
    assert_int_equal(frontier_restore(p.frontier,
                                      &(struct frontier_row){ .id = UINT64_C(999999999998) }, T0,
                                      NULL),
                     RESULT_OK);
    assert_next(&p, 1, "1,1", "http://a/1/1"); /* the gap before it comes first */
    plan_end(&p);
}

static void next__passes_by_a_held_host__when_another_is_open(void **state)
{
    struct plan p;
    struct request *first, *other;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://b/1\nhttp://a/3\nhttp://b/2\n");
    plan_open(&p);
    first = next(&p, T0);
    host_hold_named(host_of(&p, first), first, T0 + 30 * US_PER_S, T0,
                    &(struct due){ .by = DUE_RETRY_AFTER, .status = 429 });
    other = next(&p, T0);
    assert_string_equal(other->url.data, "http://b/1");
    settle(&p, other);
    other = next(&p, T0);
    assert_string_equal(other->url.data, "http://b/2");
    settle(&p, other);
    assert_int_equal(answer_of(&p, T0), FRONTIER_HELD);
    assert_int_equal(frontier_parked(p.frontier), 2);
    assert_int_equal(frontier_wake_us(p.frontier, T0), T0 + 30 * US_PER_S);
    assert_true(frontier_wake_is_named(p.frontier, T0));
    assert_int_equal(answer_of(&p, T0 + 30 * US_PER_S - 1), FRONTIER_HELD);
    settle(&p, first);
    other = next(&p, T0 + 30 * US_PER_S);
    assert_string_equal(other->url.data, "http://a/2");
    settle(&p, other);
    other =
        next(&p, T0 + 30 * US_PER_S); /* what comes after a hold is a matter of what it taught */
    assert_string_equal(other->url.data, "http://a/3");
    settle(&p, other);
    assert_int_equal(answer_of(&p, T0 + 30 * US_PER_S), FRONTIER_EMPTY);
    plan_end(&p);
}

static const struct due throttled = { .by = DUE_HOST_HOLD, .status = 429 };

static void refuse(struct plan *p, struct request *request, uint64_t now_us)
{
    struct host *host = host_of(p, request);
    struct learned_answer answer = host_answer_of(request, now_us);

    host_ended(&p->hosts, host, request, HOST_END_REFUSED, now_us);
    bucket_refused(host_bucket(host, request), &answer, 0, &throttled, 0, now_us);
}

/* The bucket of what was refused keeps its requests back, not those of another host. */
static void next__says_learned__when_a_refusal_taught_a_rate(void **state)
{
    struct plan p;
    struct request *refused, *request;
    uint64_t now_us = T0;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://a/3\nhttp://b/1\n");
    plan_open(&p);
    refused = next(&p, T0);
    refuse(&p, refused, T0 + US_PER_MS);
    assert_int_equal(frontier_wait(p.frontier, refused, T0 + US_PER_S), RESULT_OK);
    request = next(&p, T0 + US_PER_MS);
    assert_string_equal(request->url.data, "http://b/1");
    settle(&p, request);
    assert_int_equal(answer_of(&p, T0 + US_PER_MS), FRONTIER_HELD);
    assert_false(frontier_wake_is_named(p.frontier, T0 + US_PER_MS));
    now_us = frontier_wake_us(p.frontier, T0 + US_PER_MS);
    assert_in_range(now_us, T0 + LEARNED_HOLD_US / 2, T0 + 2 * LEARNED_HOLD_US);
    request = next(&p, now_us);
    assert_string_equal(request->url.data, "http://a/2");
    assert_int_equal(answer_of(&p, now_us), FRONTIER_LEARNED);
    assert_in_range(frontier_wake_us(p.frontier, now_us), now_us + 1, now_us + 2 * US_PER_S);
    settle(&p, request);
    plan_end(&p);
}

/* Five different URLs of /broken/ fail: few of it at once, and /well/ goes on as before. */
static void next__goes_on_with_the_other_lane__when_one_is_in_trouble(void **state)
{
    struct plan p;
    struct request *list[20];
    unsigned broken = 0, well = 0;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/broken/[1-100]");
    plan_pattern(&p, "http://a/well/[1-100]");
    plan_open(&p);
    for (int i = 0; i < LANE_TROUBLE_FAILURES; i++) {
        struct request *request = next(&p, T0);

        assert_int_equal(host_ended(&p.hosts, host_of(&p, request), request, HOST_END_BROKEN, T0),
                         i + 1 == LANE_TROUBLE_FAILURES ? HOST_NEWS_TROUBLE : HOST_NEWS_NONE);
        assert_int_equal(frontier_wait(p.frontier, request, T0 + 60 * US_PER_S), RESULT_OK);
    }
    for (int i = 0; i < 20; i++) {
        list[i] = next(&p, T0);
        broken += strstr(list[i]->url.data, "broken") != NULL;
        well += strstr(list[i]->url.data, "well") != NULL;
    }
    assert_in_range(broken, 1, LANE_TROUBLE_WINDOW); /* the first of them are spaced */
    assert_int_equal(well, 20 - broken);
    for (int i = 0; i < 20; i++) {
        settle(&p, list[i]);
    }
    plan_end(&p);
}

static void next__says_trouble__when_nothing_else_is_left(void **state)
{
    struct plan p;
    struct request *request;
    uint64_t wake_us;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-100]");
    plan_open(&p);
    for (int i = 0; i < LANE_TROUBLE_FAILURES; i++) {
        request = next(&p, T0);
        host_ended(&p.hosts, host_of(&p, request), request, HOST_END_BROKEN, T0);
        assert_int_equal(frontier_wait(p.frontier, request, T0 + 60 * US_PER_S), RESULT_OK);
    }
    request = next(&p, T0); /* a fresh one tells whether it is over */
    assert_int_equal(request->attempt, 1);
    assert_int_equal(answer_of(&p, T0), FRONTIER_TROUBLE);
    wake_us = frontier_wake_us(p.frontier, T0);
    assert_int_equal(wake_us, T0 + LANE_TROUBLE_SPACE_US);
    assert_false(frontier_wake_is_named(p.frontier, T0));
    settle(&p, request);
    settle(&p, next(&p, wake_us));
    plan_end(&p);
}

static void next__takes_turns__when_several_hosts_are_full(void **state)
{
    struct plan p;
    struct request *a, *b;

    (void)state;
    plan_begin(&p, 1);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://a/3\nhttp://b/1\nhttp://b/2\n");
    plan_open(&p);
    a = next(&p, T0);
    b = next(&p, T0);
    assert_string_equal(b->url.data, "http://b/1");
    assert_int_equal(answer_of(&p, T0), FRONTIER_HOST_FULL);
    settle(&p, a);
    settle(&p, b);
    a = next(&p, T0);
    b = next(&p, T0);
    assert_int_not_equal(a->host, b->host);
    settle(&p, a);
    settle(&p, b);
    assert_next(&p, 3, "3", "http://a/3");
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    plan_end(&p);
}

static void parked__are_bounded__when_the_only_host_is_held(void **state)
{
    struct plan p;
    struct request *first;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-1000000]");
    plan_open(&p);
    first = next(&p, T0);
    host_hold_named(host_of(&p, first), first, T0 + US_PER_S, T0,
                    &(struct due){ .by = DUE_RETRY_AFTER, .status = 429 });
    for (int i = 0; i < 3; i++) {
        assert_int_equal(answer_of(&p, T0), FRONTIER_HELD);
        assert_int_equal(frontier_parked(p.frontier), FRONTIER_PARKED_MAX);
    }
    settle(&p, first);
    for (uint64_t id = 2; id < 2 * FRONTIER_PARKED_MAX; id++) { /* and none is lost by it */
        struct request *request = next(&p, T0 + US_PER_S);

        assert_int_equal(request->id, id);
        settle(&p, request);
    }
    plan_end(&p);
}

static void new__tells_the_line__when_a_list_is_bad(void **state)
{
    struct plan p;
    struct frontier_options options;
    struct err err;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nftp://a/2\n");
    options = (struct frontier_options){ &p.job, &p.hosts, p.list_fds, false };
    assert_int_equal(frontier_new(&p.frontier, &options, &err), RESULT_INVALID);
    assert_non_null(strstr(err.text, "2"));
    p.frontier = NULL;
    plan_end(&p);
}

static void next__says_error__when_a_list_became_shorter(void **state)
{
    struct plan p;
    struct request *request;
    struct err err;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\n");
    plan_open(&p);
    assert_int_equal(ftruncate(p.list_fds[0], 0), 0);
    assert_int_equal(frontier_next(p.frontier, T0, &request, &err), FRONTIER_ERROR);
    assert_null(request);
    plan_end(&p);
}

/* Ten thousand URLs of a host that is down, then twenty of another: these are asked before the down host is up, and
 * of the others none is lost and none comes twice. */
static void parked__of_a_host_that_is_down__do_not_keep_the_plan_from_going_on(void **state)
{
    static bool seen[10021];
    struct plan p;
    struct request *first;
    struct host *down;
    unsigned made = 0;

    (void)state;
    memset(seen, 0, sizeof seen);
    plan_begin(&p, 0);
    plan_pattern(&p, "http://down/[1-10000]");
    plan_pattern(&p, "http://up/[1-20]");
    plan_open(&p);
    first = next(&p, T0);
    down = host_at(&p.hosts, first->host);
    down->down_until_us = T0 + 60 * US_PER_S;
    down->down_due = (struct due){ .by = DUE_BREAKER };
    for (unsigned turns = 0; made < 20; turns++) {
        struct request *request;

        assert_true(turns < 40); /* each makes no more than there is room for */
        if (frontier_next(p.frontier, T0, &request, NULL) == FRONTIER_REQUEST) {
            assert_in_range(request->id, 10001, 10020);
            seen[request->id] = true;
            frontier_forget(p.frontier, request);
            made++;
        }
        assert_true(frontier_parked(p.frontier) <= FRONTIER_PARKED_MAX);
    }
    while (answer_of(&p, T0) != FRONTIER_HELD) {
    }
    down->down_until_us = 0;
    seen[1] = true;
    for (made = 1; made < 10000; made++) {
        struct request *request = next(&p, T0);

        assert_in_range(request->id, 2, 10000);
        assert_false(seen[request->id]);
        seen[request->id] = true;
        frontier_forget(p.frontier, request);
    }
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    frontier_forget(p.frontier, first);
    plan_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next__follows_the_plans_order__when_sources_are_several),
        cmocka_unit_test(next__encodes_bytes_beyond_ascii),
        cmocka_unit_test(plan__costs_nothing__when_it_has_a_million_million_urls),
        cmocka_unit_test(next__goes_on_after_the_ledger__when_the_plan_is_enormous),
        cmocka_unit_test(next__passes_by_a_held_host__when_another_is_open),
        cmocka_unit_test(next__says_learned__when_a_refusal_taught_a_rate),
        cmocka_unit_test(next__goes_on_with_the_other_lane__when_one_is_in_trouble),
        cmocka_unit_test(next__says_trouble__when_nothing_else_is_left),
        cmocka_unit_test(next__takes_turns__when_several_hosts_are_full),
        cmocka_unit_test(parked__are_bounded__when_the_only_host_is_held),
        cmocka_unit_test(parked__of_a_host_that_is_down__do_not_keep_the_plan_from_going_on),
        cmocka_unit_test(new__tells_the_line__when_a_list_is_bad),
        cmocka_unit_test(next__says_error__when_a_list_became_shorter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
