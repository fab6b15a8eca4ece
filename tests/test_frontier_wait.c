/* plan/frontier_wait: requests that wait for a deadline, in memory and when a run is opened again. */
#include "plan/frontier.h"

#include "base/clock.h"
#include "frontier_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void wait__comes_back_in_order_of_deadline(void **state)
{
    static const uint64_t order[] = { 5, 2, 9, 1, 7, 3, 8, 4, 10, 6 };
    struct plan p;
    struct request *list[10];

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-10]");
    plan_open(&p);
    for (int i = 0; i < 10; i++) {
        list[i] = next(&p, T0);
    }
    for (int i = 0; i < 10; i++) {
        wait_until(&p, list[i], T0 + order[i] * US_PER_S);
    }
    assert_int_equal(frontier_waiting(p.frontier), 10);
    assert_int_equal(answer_of(&p, T0), FRONTIER_WAITING);
    for (uint64_t i = 1; i <= 10; i++) {
        struct request *request;
        uint64_t due_us = T0 + i * US_PER_S;

        assert_int_equal(frontier_wake_us(p.frontier, T0), due_us);
        assert_int_equal(answer_of(&p, due_us - 1), FRONTIER_WAITING);
        request = next(&p, due_us);
        assert_int_equal(request->due_us, due_us);
        assert_int_equal(order[request->id - 1], i);
        assert_int_equal(request->attempt, 2);
        settle(&p, request);
    }
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    plan_end(&p);
}

/* Many fall due at once, as after a stop: the one that has waited longest goes first, and first tries
 * take turns with them, so that neither waits for all of the other. */
static void wait__keeps_the_order_and_takes_turns_with_first_tries__when_all_are_due(void **state)
{
    struct plan p;
    struct request *list[20];
    uint64_t last_us = 0, last_id = 20;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-60]");
    plan_open(&p);
    for (int i = 0; i < 20; i++) {
        list[i] = next(&p, T0);
    }
    for (uint64_t i = 0; i < 20; i++) {
        wait_until(&p, list[i], T0 + (i * 7 % 20) * 1000 + 1);
    }
    for (int i = 0; i < 40; i++) {
        struct request *request = next(&p, T0 + US_PER_S);

        if (i % 2 == 0) {
            assert_int_equal(request->attempt, 2);
            assert_true(request->due_us > last_us);
            last_us = request->due_us;
        } else {
            assert_int_equal(request->id, ++last_id);
        }
        settle(&p, request);
    }
    assert_next(&p, 41, "41", "http://a/41");
    plan_end(&p);
}

/* Turns are taken with first tries that are parked, too, and nothing is lost when one side ends. */
static void next__gives_all_of_both__when_retries_outnumber_first_tries(void **state)
{
    struct plan p;
    struct request *list[30];
    unsigned fresh = 0, retries = 0;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-40]");
    plan_open(&p);
    for (int i = 0; i < 30; i++) {
        list[i] = next(&p, T0);
    }
    for (int i = 0; i < 30; i++) {
        wait_until(&p, list[i], T0 + 1);
    }
    for (int i = 0; i < 40; i++) {
        struct request *request = next(&p, T0 + 1);

        fresh += request->attempt == 1;
        retries += request->attempt == 2;
        if (i < 20) {
            assert_in_range(fresh + 1, retries, retries + 1);
        }
        settle(&p, request);
    }
    assert_int_equal(fresh, 10);
    assert_int_equal(retries, 30);
    assert_int_equal(answer_of(&p, T0 + 1), FRONTIER_EMPTY);
    plan_end(&p);
}

static void waiting__are_bounded__when_everything_fails(void **state)
{
    struct plan p;
    uint64_t count = 0;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-1000000]");
    plan_open(&p);
    for (;;) {
        struct request *request;
        struct err err;

        if (frontier_next(p.frontier, T0, &request, &err) != FRONTIER_REQUEST) {
            break;
        }
        request->attempt++;
        wait_until(&p, request, T0 + US_PER_S);
        count++;
    }
    assert_int_equal(count, FRONTIER_WAITING_MAX);
    assert_int_equal(answer_of(&p, T0), FRONTIER_WAITING);
    plan_end(&p);
}

/* Every subset of ten ids as settled, the rest as it comes: each exactly once, in order. */
static void restore__leaves_the_gaps__in_any_pattern(void **state)
{
    (void)state;
    for (unsigned settled = 0; settled < 1U << 10; settled++) {
        struct plan p;
        uint64_t want = 1;

        plan_begin(&p, 0);
        plan_pattern(&p, "http://a/[1-4]");
        plan_list(&p, "http://b/5\nhttp://b/6\nhttp://b/7\n");
        plan_pattern(&p, "http://c/[8-10]");
        plan_open(&p);
        for (uint64_t id = 1; id <= 10; id++) {
            if (settled >> (id - 1) & 1) {
                assert_int_equal(
                    frontier_restore(p.frontier, &(struct frontier_row){ .id = id }, T0, NULL),
                    RESULT_OK);
            }
        }
        for (; want <= 10; want++) {
            char key[8];
            struct request *request;

            if (settled >> (want - 1) & 1) {
                continue;
            }
            request = next(&p, T0);
            snprintf(key, sizeof key, "%u", (unsigned)want);
            assert_int_equal(request->id, want);
            assert_string_equal(request->key.data, key);
            settle(&p, request);
        }
        assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
        plan_end(&p);
    }
}

static void restore__keeps_tries_reason_and_deadline__when_a_row_waits(void **state)
{
    struct plan p;
    struct request *request;
    const struct request *list[4];
    struct frontier_row row = {
        .id = 2,
        .waits_until_us = T0 + 5 * US_PER_S,
        .attempt = 3,
        .last = { .outcome = OUTCOME_STATUS, .status = 500, .failure = { FAILURE_STATUS, 500 } },
        .due = { .by = DUE_BACKOFF, .wait_us = 2 * US_PER_S },
        .reason = STR("HTTP 500")
    };

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://a/3\n");
    plan_open(&p);
    assert_int_equal(frontier_restore(p.frontier, &row, T0, NULL), RESULT_OK);
    assert_int_equal(frontier_waits(p.frontier, list, 4), 1);
    assert_string_equal(list[0]->reason, "HTTP 500");
    assert_int_equal(list[0]->last.status, 500);
    assert_int_equal(list[0]->last.failure.class, FAILURE_STATUS);
    assert_int_equal(list[0]->due.by, DUE_BACKOFF);
    assert_int_equal(list[0]->due.wait_us, 2 * US_PER_S);
    assert_next(&p, 1, "1", "http://a/1"); /* our own backoff holds no host */
    assert_next(&p, 3, "3", "http://a/3");
    assert_int_equal(answer_of(&p, T0 + 5 * US_PER_S - 1), FRONTIER_WAITING);
    assert_false(frontier_wake_is_named(p.frontier, T0));
    request = next(&p, T0 + 5 * US_PER_S);
    assert_int_equal(request->attempt, 4);
    assert_int_equal(request->id, 2);
    settle(&p, request);
    plan_end(&p);
}

/* Restarting is no way around a server's word. */
static void restore__holds_the_host__when_its_server_named_the_deadline(void **state)
{
    struct plan p;
    struct frontier_row row = { .id = 1,
                                .waits_until_us = T0 + 5 * US_PER_S,
                                .attempt = 1,
                                .due = { .by = DUE_RETRY_AFTER, .said = "60" } };

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-3]");
    plan_open(&p);
    assert_int_equal(frontier_restore(p.frontier, &row, T0, NULL), RESULT_OK);
    assert_int_equal(answer_of(&p, T0 + 5 * US_PER_S - 1), FRONTIER_HELD);
    assert_true(frontier_wake_is_named(p.frontier, T0));
    settle(&p, next(&p, T0 + 5 * US_PER_S));
    plan_end(&p);
}

static void restore__refuses__when_the_ledger_is_of_another_plan(void **state)
{
    struct plan p;
    struct err err;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-3]");
    plan_open(&p);
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 4 }, T0, &err),
                     RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG3");
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 2 }, T0, &err),
                     RESULT_OK);
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 2 }, T0, &err),
                     RESULT_CORRUPT);
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 0 }, T0, &err),
                     RESULT_CORRUPT);
    plan_end(&p);
}

static void each_wait__visits_what_waiting_counts(void **state)
{
    struct plan p;
    struct request *untried, *tried, *first;
    const struct request *list[8];

    (void)state;
    plan_begin(&p, 1);
    plan_pattern(&p, "http://a/[1-5]");
    plan_open(&p);
    first = next(&p, T0);
    assert_int_equal(answer_of(&p, T0), FRONTIER_HOST_FULL);
    host_ended(&p.hosts, host_of(&p, first), first, HOST_END_WELL, T0);
    tried = next(&p, T0);
    host_ended(&p.hosts, host_of(&p, tried), tried, HOST_END_WELL, T0);
    untried = next(&p, T0);
    untried->attempt = 0; /* our own shortage cost it no try */
    assert_int_equal(frontier_put_back(p.frontier, tried, NULL), RESULT_OK);
    host_ended(&p.hosts, host_of(&p, untried), untried, HOST_END_OURS, T0);
    assert_int_equal(frontier_put_back(p.frontier, untried, NULL), RESULT_OK);
    assert_int_equal(frontier_wait(p.frontier, first, T0 + US_PER_S), RESULT_OK);
    assert_int_equal(frontier_waiting(p.frontier), 2);
    assert_int_equal(frontier_waits(p.frontier, list, 8), 2);
    assert_int_equal(frontier_waits(p.frontier, list, 1), 1);
    assert_int_equal(frontier_waits(p.frontier, list, 0), 0);
    plan_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait__comes_back_in_order_of_deadline),
        cmocka_unit_test(wait__keeps_the_order_and_takes_turns_with_first_tries__when_all_are_due),
        cmocka_unit_test(next__gives_all_of_both__when_retries_outnumber_first_tries),
        cmocka_unit_test(waiting__are_bounded__when_everything_fails),
        cmocka_unit_test(restore__leaves_the_gaps__in_any_pattern),
        cmocka_unit_test(restore__keeps_tries_reason_and_deadline__when_a_row_waits),
        cmocka_unit_test(restore__holds_the_host__when_its_server_named_the_deadline),
        cmocka_unit_test(restore__refuses__when_the_ledger_is_of_another_plan),
        cmocka_unit_test(each_wait__visits_what_waiting_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
