#include "plan/lane.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(1000) * US_PER_S)

static struct request *make(uint64_t id, uint32_t attempt)
{
    struct request *request = request_new(id, 0, STR("k"), STR("http://a/"));

    assert_non_null(request);
    request->attempt = attempt;
    return request;
}

static void push(struct lane *lane, uint64_t id, uint32_t attempt)
{
    lane_push(lane, make(id, attempt), attempt ? LANE_PLACE_TRIED : LANE_PLACE_FRESH);
}

/* Starts the next one and returns its id; 0 when there is none. */
static uint64_t start_next(struct lane *lane, uint64_t now_us)
{
    struct request *request = lane_pop(lane);
    uint64_t id = request ? request->id : 0;

    if (request) {
        lane_started(lane, request_is_retry(request), false, now_us);
        request_free(request);
    }
    return id;
}

static bool fail_one(struct lane *lane, bool is_first, uint64_t now_us)
{
    lane_started(lane, !is_first, false, now_us);
    lane_ended(lane);
    return lane_failed(lane, is_first, now_us);
}

static void well_one(struct lane *lane, uint64_t now_us)
{
    lane_started(lane, false, false, now_us);
    lane_ended(lane);
    lane_well(lane, now_us);
}

static void get_into_trouble(struct lane *lane, uint64_t now_us)
{
    for (int i = 1; i <= LANE_TROUBLE_FAILURES; i++) {
        assert_int_equal(fail_one(lane, true, now_us), i == LANE_TROUBLE_FAILURES);
    }
}

/* --- order ------------------------------------------------------------------------------------- */

static void pop__gives_each_kind_in_its_order(void **state)
{
    struct lane lane = { 0 };

    (void)state;
    for (uint64_t id = 1; id <= 4; id++) {
        push(&lane, id, 0);
    }
    for (uint64_t id = 1; id <= 4; id++) {
        assert_int_equal(start_next(&lane, T0), id);
    }
    assert_int_equal(start_next(&lane, T0), 0);
    assert_int_equal(lane.ready_count, 0);
}

static void pop__takes_turns__when_there_are_retries_and_first_tries(void **state)
{
    static const uint64_t want[] = { 11, 1, 12, 2, 13, 3, 4, 5 };
    struct lane lane = { 0 };

    (void)state;
    for (uint64_t id = 1; id <= 5; id++) {
        push(&lane, id, 0);
    }
    for (uint64_t id = 11; id <= 13; id++) {
        push(&lane, id, 2);
    }
    assert_int_equal(lane.ready_count, 8);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        bool is_retry = request_is_retry(lane_first(&lane));

        assert_int_equal(start_next(&lane, T0), want[i]);
        assert_int_equal(is_retry, want[i] > 10);
        assert_int_equal(lane_wants_fresh(&lane), is_retry);
    }
    assert_int_equal(lane.ready_count, 0);
}

/* A redirect's further hop, or what our own shortage kept back: no retry, and it waits for nobody. */
static void pop__gives_what_is_next_first__whatever_is_ready(void **state)
{
    struct lane lane = { 0 };
    struct request *hop = make(7, 1);

    (void)state;
    hop->hops = 1;
    push(&lane, 1, 0);
    push(&lane, 11, 1);
    lane.retry_was_last = true;
    lane_push(&lane, hop, LANE_PLACE_NEXT);
    assert_false(request_is_retry(lane_first(&lane)));
    assert_int_equal(start_next(&lane, T0), 7);
    assert_int_equal(start_next(&lane, T0), 11);
    assert_int_equal(start_next(&lane, T0), 1);
}

static void pop__gives_first_tries_only__when_in_trouble(void **state)
{
    struct lane lane = { 0 };

    (void)state;
    get_into_trouble(&lane, T0);
    for (uint64_t id = 1; id <= 3; id++) {
        push(&lane, id, 0);
        push(&lane, id + 10, 1);
    }
    assert_int_equal(start_next(&lane, T0), 1);
    assert_int_equal(start_next(&lane, T0), 2);
    assert_int_equal(start_next(&lane, T0), 3);
    assert_int_equal(start_next(&lane, T0), 11); /* when there is no other, they tell too */
    assert_int_equal(start_next(&lane, T0), 12);
    assert_int_equal(start_next(&lane, T0), 13);
}

static void take__leaves_the_others_in_order(void **state)
{
    (void)state;
    for (uint64_t out = 1; out <= 6; out++) {
        struct lane lane = { 0 };
        struct request *taken;

        for (uint64_t id = 1; id <= 6; id++) {
            push(&lane, id, id <= 3);
        }
        taken = lane_take(&lane, out);
        assert_non_null(taken);
        assert_int_equal(taken->id, out);
        assert_null(taken->next);
        assert_null(lane_take(&lane, out));
        assert_int_equal(lane.ready_count, 5);
        lane_push(&lane, taken,
                  out <= 3 ? LANE_PLACE_TRIED : LANE_PLACE_FRESH); /* the ends are right */
        for (uint64_t tried = 0, fresh = 3, i = 0; i < 4; i++) {
            uint64_t id = start_next(&lane, T0);

            assert_true(id > (id <= 3 ? tried : fresh) || id == out);
            if (id != out) {
                *(id <= 3 ? &tried : &fresh) = id;
            }
        }
        assert_int_not_equal(start_next(&lane, T0), 0);
        assert_int_not_equal(start_next(&lane, T0), 0);
        assert_int_equal(start_next(&lane, T0), 0);
    }
}

/* --- trouble ------------------------------------------------------------------------------------- */

static void trouble__is_none__when_single_urls_fail(void **state)
{
    struct lane lane = { 0 };

    (void)state;
    for (int i = 0; i < 1000; i++) {
        if (i % LANE_TROUBLE_FAILURES == 0) {
            well_one(&lane, T0);
        } else {
            assert_false(fail_one(&lane, true, T0));
        }
        assert_int_equal(lane_wait_us(&lane, false, T0), 0);
    }
}

/* The same URL again and again is one URL. */
static void trouble__is_none__when_retries_fail(void **state)
{
    struct lane lane = { 0 };

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_false(fail_one(&lane, i < LANE_TROUBLE_FAILURES - 1, T0));
    }
    assert_int_equal(lane_wait_us(&lane, false, T0), 0);
}

static void trouble__begins__when_first_tries_fail_in_a_row(void **state)
{
    struct lane lane = { 0 };

    (void)state;
    get_into_trouble(&lane, T0);
    assert_false(fail_one(&lane, true, T0)); /* told once */
    assert_true(lane.trouble_since_us == T0);
}

/* As many as were in flight together fail together: a bad moment of a second is no trouble yet. */
static void trouble__waits_for_all_that_were_in_flight_together(void **state)
{
    struct lane lane = { 0 };

    (void)state;
    for (int i = 0; i < 20; i++) {
        lane_started(&lane, false, false, T0);
    }
    for (int i = 1; i <= 20; i++) {
        lane_ended(&lane);
        assert_int_equal(lane_failed(&lane, true, T0), i == 11);
    }
}

static void trouble__lets_few_start_at_once_and_spaces_them(void **state)
{
    struct lane lane = { 0 };
    uint64_t now_us = T0;

    (void)state;
    get_into_trouble(&lane, T0);
    assert_int_equal(lane_wait_us(&lane, false, now_us), 0);
    lane_started(&lane, false, false, now_us);
    assert_int_equal(lane_wait_us(&lane, false, now_us), LANE_TROUBLE_SPACE_US);
    assert_int_equal(lane_wait_us(&lane, true, now_us), 0); /* something else of the host is well */
    now_us += LANE_TROUBLE_SPACE_US;
    assert_int_equal(lane_wait_us(&lane, false, now_us), 0);
    lane_started(&lane, false, false, now_us);
    assert_true(lane_wait_us(&lane, false, now_us + LANE_TROUBLE_SPACE_US) >
                0); /* as many as may */
    assert_true(lane_wait_us(&lane, true, now_us + LANE_TROUBLE_SPACE_US) > 0);
}

/* For a minute it is asked often, then ever more seldom, never less than every five seconds. */
static void trouble__spaces_grow_apart_up_to_the_most(void **state)
{
    struct lane lane = { 0 };
    uint64_t now_us = T0, before_us = 0, starts = 0, at_minute = 0;

    (void)state;
    get_into_trouble(&lane, T0);
    while (now_us < T0 + 3600 * US_PER_S) {
        uint64_t wait_us;

        fail_one(&lane, true, now_us);
        starts++;
        at_minute = now_us <= T0 + LANE_TROUBLE_SOON_US ? starts : at_minute;
        wait_us = lane_wait_us(&lane, false, now_us);
        assert_in_range(wait_us, LANE_TROUBLE_SPACE_US, LANE_TROUBLE_SPACE_MAX_US);
        assert_true(wait_us >= before_us);
        before_us = wait_us;
        now_us += wait_us;
    }
    assert_true(before_us == LANE_TROUBLE_SPACE_MAX_US);
    assert_in_range(at_minute, LANE_TROUBLE_SOON_US / LANE_TROUBLE_SPACE_US - 1,
                    LANE_TROUBLE_SOON_US / LANE_TROUBLE_SPACE_US + 1);
    assert_in_range(starts - at_minute, 3500 / 5, 3540 / 5 + 600);
}

/* Two that hang do not own the lane: by one a second more may start. */
static void trouble__window_grows_by_time__when_nothing_ends(void **state)
{
    struct lane lane = { 0 };
    uint64_t now_us = T0;

    (void)state;
    get_into_trouble(&lane, T0);
    for (int i = 0; i < 20; i++) {
        now_us += lane_wait_us(&lane, true, now_us);
        assert_int_equal(lane_wait_us(&lane, true, now_us), 0);
        lane_started(&lane, false, true, now_us);
    }
    assert_in_range(now_us - T0, 17 * US_PER_S, 20 * US_PER_S);
}

static void trouble__is_soon_over__when_it_goes_well_again(void **state)
{
    struct lane lane = { 0 };
    uint64_t now_us = T0;
    unsigned started = 0;

    (void)state;
    get_into_trouble(&lane, T0);
    fail_one(&lane, true, T0);
    while (lane.trouble_since_us) {
        assert_true(started < 10);
        now_us += lane_wait_us(&lane, false, now_us);
        well_one(&lane, now_us);
        started++;
    }
    assert_true(now_us <= T0 + US_PER_S);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(lane_wait_us(&lane, false, now_us), 0);
        lane_started(&lane, false, false, now_us);
    }
}

/* Half of its URLs are broken: it goes on, if slowly, and a success each time opens it more. */
static void trouble__does_not_hold__when_a_part_goes_well(void **state)
{
    struct lane lane = { 0 };
    uint64_t now_us = T0;

    (void)state;
    get_into_trouble(&lane, T0);
    for (int i = 0; i < 1000; i++) {
        now_us += lane_wait_us(&lane, false, now_us);
        if (i % 2) {
            well_one(&lane, now_us);
        } else {
            fail_one(&lane, true, now_us);
        }
    }
    assert_true(now_us - T0 < 1000 * LANE_TROUBLE_SPACE_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pop__gives_each_kind_in_its_order),
        cmocka_unit_test(pop__takes_turns__when_there_are_retries_and_first_tries),
        cmocka_unit_test(pop__gives_what_is_next_first__whatever_is_ready),
        cmocka_unit_test(pop__gives_first_tries_only__when_in_trouble),
        cmocka_unit_test(take__leaves_the_others_in_order),
        cmocka_unit_test(trouble__is_none__when_single_urls_fail),
        cmocka_unit_test(trouble__is_none__when_retries_fail),
        cmocka_unit_test(trouble__begins__when_first_tries_fail_in_a_row),
        cmocka_unit_test(trouble__waits_for_all_that_were_in_flight_together),
        cmocka_unit_test(trouble__lets_few_start_at_once_and_spaces_them),
        cmocka_unit_test(trouble__spaces_grow_apart_up_to_the_most),
        cmocka_unit_test(trouble__window_grows_by_time__when_nothing_ends),
        cmocka_unit_test(trouble__is_soon_over__when_it_goes_well_again),
        cmocka_unit_test(trouble__does_not_hold__when_a_part_goes_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
