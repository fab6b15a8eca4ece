/* plan/host: holds, resources that lanes share, and which lane is next. */
#include "plan/host.h"

#include "base/clock.h"
#include "plan/host_hold.h"
#include "host_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct due refused = { .by = DUE_HOST_HOLD, .status = 429 };

static struct request *make(uint64_t id, uint16_t lane)
{
    struct request *request = request_new(id, 0, STR("k"), STR("http://a/"));

    assert_non_null(request);
    request->lane = lane;
    return request;
}

static void drop_all(struct request **requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        request_free(requests[i]);
    }
}

static unsigned start_all(struct host_table *t, struct host *host, uint64_t now_us, unsigned max)
{
    unsigned count = 0;

    while (count < max && start_if_may(t, host, now_us)) {
        count++;
    }
    return count;
}

static void may_start__is_full__when_the_hosts_cap_is_reached(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 3, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    assert_int_equal(start_all(&t, host, T0, 100), 3);
    assert_int_equal(host_may_start(&t, host, 0, T0), HOST_FULL);
    end(&t, host, HOST_END_WELL, T0);
    assert_int_equal(start_all(&t, host, T0, 100), 1);
    host_table_release(&t);
}

/* --- holds ------------------------------------------------------------------------------------- */

/* Never before a deadline that a server named: looked at to the microsecond. */
static void hold_named__lasts_to_its_deadline_to_the_microsecond(void **state)
{
    struct host_table t;
    struct host_hold hold;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    host_hold_named(host, &any, T0 + 30 * US_PER_S, T0, &why);
    hold = host_hold(host, T0);
    assert_true(hold.until_us == T0 + 30 * US_PER_S);
    assert_true(hold.is_named);
    assert_int_equal(hold.due->by, DUE_RETRY_AFTER);
    assert_int_equal(hold.due->wait_us, 30 * US_PER_S);
    assert_string_equal(hold.due->said, "30");
    assert_int_equal(host_may_start(&t, host, 0, T0), HOST_HELD);
    assert_int_equal(host_may_start(&t, host, 0, T0 + 30 * US_PER_S - 1), HOST_HELD);
    assert_int_equal(host_may_start(&t, host, 0, T0 + 30 * US_PER_S), HOST_MAY);
    hold = host_hold(host, T0 + 30 * US_PER_S);
    assert_true(hold.until_us == 0 && !hold.due);
    host_table_release(&t);
}

static void hold_named__keeps_the_longer__when_two_are_named(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    host_hold_named(host, &any, T0 + 30 * US_PER_S, T0, &why);
    host_hold_named(host, &any, T0 + 5 * US_PER_S, T0, &why);
    assert_true(host_hold(host, T0).until_us == T0 + 30 * US_PER_S);
    host_hold_named(host, &any, T0 + 60 * US_PER_S, T0, &why);
    assert_true(host_hold(host, T0).until_us == T0 + 60 * US_PER_S);
    host_table_release(&t);
}

static void hold_named__is_not_cut_short__when_a_refusal_without_a_deadline_follows(void **state)
{
    struct learned_answer answer = { T0, 1, US_PER_MS, 0 };
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    host_hold_named(host, &any, T0 + 30 * US_PER_S, T0, &why);
    assert_false(bucket_refused(&host->bucket, &answer, 0, &refused, 0, T0 + US_PER_S));
    assert_true(host_hold(host, T0).until_us == T0 + 30 * US_PER_S);
    assert_true(host_hold(host, T0).is_named);
    host_table_release(&t);
}

static void hold_user__holds_until_released_and_never_shortens_a_servers(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    host_hold_user(host, true, T0);
    assert_int_equal(host_may_start(&t, host, 0, T0 + 1000 * US_PER_S), HOST_HELD);
    assert_true(host_hold(host, T0).until_us == TIME_NEVER);
    assert_null(host_hold(host, T0).due);
    host_hold_user(host, false, T0);
    assert_int_equal(start_all(&t, host, T0, 100), 1); /* and slowly from there */
    host_hold_named(host, &any, T0 + 30 * US_PER_S, T0, &why);
    host_hold_user(host, true, T0);
    host_hold_user(host, false, T0);
    assert_int_equal(host_may_start(&t, host, 0, T0 + 30 * US_PER_S - 1), HOST_HELD);
    host_table_release(&t);
}

/* --- resources, each with a bucket of its own ------------------------------------------------------- */

static void resource__holds_its_own_lanes_only(void **state)
{
    struct request core = { .lane = 0 }, search = { .lane = 0 };
    struct host_table t;
    struct host_hold hold;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    search.lane = lane_of(host, 1, "http://a/search/x");
    host_names_resource(host, &search, STR("search"));
    assert_ptr_not_equal(host_bucket(host, &core), host_bucket(host, &search));
    assert_string_equal(host_bucket(host, &search)->name, "search");
    host_hold_named(host, &search, T0 + 30 * US_PER_S, T0, &why);
    assert_int_equal(host_may_start(&t, host, search.lane, T0 + 30 * US_PER_S - 1), HOST_HELD);
    assert_int_equal(host_may_start(&t, host, core.lane, T0), HOST_MAY);
    assert_true(host_hold_of(host, &core, T0).until_us == 0);
    assert_true(host_hold_of(host, &search, T0).until_us == T0 + 30 * US_PER_S);
    host_hold_named(host, &core, T0 + 60 * US_PER_S, T0, &why);
    assert_true(host_hold_of(host, &search, T0).until_us == T0 + 30 * US_PER_S);
    hold = host_hold(host, T0); /* the latest of several */
    assert_true(hold.until_us == T0 + 60 * US_PER_S);
    host_table_release(&t);
}

/* The answer that names it comes when more are in flight: their ends are counted where they now are. */
static void resource__takes_what_is_in_flight_along__when_it_is_named(void **state)
{
    struct request *requests[6];
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    for (size_t i = 0; i < 6; i++) {
        requests[i] = make(i + 1, 0);
        start(&t, host, requests[i], T0);
    }
    assert_int_equal(host->bucket.in_flight, 6);
    for (size_t i = 0; i < 6; i++) {
        host_ended(&t, host, requests[i], HOST_END_WELL, T0);
        host_names_resource(host, requests[i], i % 2 ? STR("a") : STR("b"));
        assert_int_equal(host_bucket(host, &any)->in_flight, 5 - i);
    }
    assert_int_equal(host->bucket.in_flight, 0);
    assert_int_equal(host->other_count, 2);
    assert_int_equal(host->others[0].in_flight + host->others[1].in_flight, 0);
    host_names_resource(host, &any, STR_NONE); /* an answer without the name: the host's own */
    assert_ptr_equal(host_bucket(host, &any), &host->bucket);
    drop_all(requests, 6);
    host_table_release(&t);
}

/* The starts of one bucket are no measure for a request that began in another, which may have seen fewer of
 * them or more. */
static void newer__counts_what_began_later__when_the_lane_has_changed_its_bucket(void **state)
{
    struct request *requests[5], *later;
    struct request other = { .lane = 0 };
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    other.lane = lane_of(host, 1, "http://a/");
    host_names_resource(host, &other, STR("busy"));
    for (size_t i = 0; i < 100; i++) {
        start(&t, host, &other, T0);
        host_ended(&t, host, &other, HOST_END_WELL, T0);
    }
    for (size_t i = 0; i < 5; i++) {
        requests[i] = make(i + 1, 0);
        start(&t, host, requests[i], T0);
    }
    assert_int_equal(host_newer_than(host, requests[1]), 3);
    host_ended(&t, host, requests[0], HOST_END_WELL, T0);
    host_names_resource(host, requests[0], STR("fresh")); /* of which there was no start yet */
    assert_int_equal(host_newer_than(host, requests[0]), 4);
    host_ended(&t, host, requests[1], HOST_END_WELL, T0);
    assert_int_equal(host_newer_than(host, requests[1]), 3);
    host_names_resource(host, requests[1], STR("busy")); /* of which there were many */
    assert_int_equal(host_newer_than(host, requests[1]), 3);
    later = make(6, 0);
    start(&t, host, later, T0);
    start(&t, host, &other, T0);
    assert_int_equal(host_newer_than(host, later), 1);
    for (size_t i = 2; i < 5; i++) {
        host_ended(&t, host, requests[i], HOST_END_OURS, T0);
        assert_int_equal(host_newer_than(host, requests[i]), 4 - i + 2);
    }
    host_names_resource(host, later, STR("fresh")); /* back, with one in flight */
    assert_int_equal(host_newer_than(host, later), 1);
    host_ended(&t, host, later, HOST_END_WELL, T0);
    assert_int_equal(host_newer_than(host, later), 0);
    drop_all(requests, 5);
    request_free(later);
    host_table_release(&t);
}

static void resource__is_shared_by_lanes_that_name_it(void **state)
{
    struct request one = { .lane = 0 }, two = { .lane = 0 };
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    two.lane = lane_of(host, 1, "http://a/");
    host_names_resource(host, &one, STR("core"));
    host_names_resource(host, &two, STR("core"));
    assert_ptr_equal(host_bucket(host, &one), host_bucket(host, &two));
    host_hold_named(host, &one, T0 + US_PER_S, T0, &why);
    assert_int_equal(host_may_start(&t, host, two.lane, T0), HOST_HELD);
    host_table_release(&t);
}

/* A server may make up a name with every answer, as long as it likes. */
static void resource__names_are_bounded__when_every_answer_has_another(void **state)
{
    struct request request = { .lane = 0 };
    char name[200];
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    for (unsigned i = 0; i < 1000; i++) {
        start(&t, host, &request, T0);
        snprintf(name, sizeof name, "%u-%0150u", i, i);
        host_names_resource(host, &request, str_view(name));
        assert_true(strlen(host_bucket(host, &request)->name) < BUCKET_NAME_MAX);
        host_ended(&t, host, &request, HOST_END_WELL, T0);
        assert_int_equal(host_bucket(host, &request)->in_flight, 0);
    }
    assert_int_equal(host->other_count, HOST_BUCKETS_MAX - 1);
    host_names_resource(host, &request, STR("0-")); /* not a name that is there */
    snprintf(name, sizeof name, "%u-%0150u", 3U, 3U);
    host_names_resource(host, &request, str_view(name)); /* one that is, for all its length */
    assert_ptr_equal(host_bucket(host, &request), &host->others[3]);
    host_table_release(&t);
}

/* --- lanes ------------------------------------------------------------------------------------------- */

static void lane__is_told_by_endpoint_and_first_telling_segment(void **state)
{
    struct host_table t;
    struct host *host;
    uint16_t items;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    items = lane_of(host, 0, "http://a/items/1");
    assert_int_equal(lane_of(host, 0, "http://a/items/2?x=/y/z"), items);
    assert_int_equal(lane_of(host, 0, "http://a/api/v2/items/3"),
                     items); /* before all that it serves */
    assert_int_not_equal(lane_of(host, 0, "http://a/users/1"), items);
    assert_int_not_equal(lane_of(host, 1, "http://a/items/1"), items);
    assert_int_equal(lane_of(host, 0, "http://a/17"), 0); /* the last segment is an id */
    assert_int_equal(lane_of(host, 0, "http://a/18?items/"), 0);
    assert_int_equal(lane_of(host, 0, "http://a"), 0);
    host_table_release(&t);
}

/* Ids as first segments: those beyond the bound share the endpoint's own lane. */
static void lanes__are_bounded__when_every_path_is_another(void **state)
{
    struct host_table t;
    struct host *host;
    char url[64];

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    for (unsigned i = 0; i < 1000; i++) {
        uint16_t lane;

        snprintf(url, sizeof url, "http://a/%u/x", i);
        lane = lane_of(host, 0, url);
        assert_int_equal(lane_of(host, 0, url), lane);
        if (i >= HOST_SEGMENTS_MAX) {
            assert_int_equal(lane, 0);
        }
    }
    assert_int_equal(host->lane_count, 1 + HOST_SEGMENTS_MAX);
    host_table_release(&t);
}

static void lanes__are_shared__when_there_are_more_endpoints_than_lanes(void **state)
{
    struct request *requests[200];
    struct host_table t;
    struct host *host;
    enum host_answer kept;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    for (uint32_t i = 0; i < 200; i++) {
        uint16_t lane = lane_of(host, i, "http://a/things/1");

        requests[i] = request_new(i + 1, i, STR("k"), STR("http://a/things/1"));
        assert_non_null(requests[i]);
        requests[i]->lane = lane;
        host_push(host, requests[i], LANE_PLACE_FRESH);
    }
    assert_int_equal(host->lane_count, HOST_LANES_MAX);
    assert_int_equal(host->ready_count, 200);
    for (unsigned i = 0; i < 200; i++) { /* each comes out once */
        struct request *request = host_next(&t, host, T0, &kept);

        assert_non_null(request);
        assert_ptr_equal(request, requests[request->id - 1]);
        requests[request->id - 1] = NULL;
        start(&t, host, request, T0);
        host_ended(&t, host, request, HOST_END_WELL, T0);
        request_free(request);
    }
    assert_null(host_next(&t, host, T0, &kept));
    assert_int_equal(kept, HOST_MAY);
    assert_int_equal(host->ready_count, 0);
    host_table_release(&t);
}

/* Lanes in turn: the endpoint with most work does not keep the other waiting. */
static void next__takes_lanes_in_turn(void **state)
{
    struct request *requests[30];
    enum host_answer kept;
    struct host_table t;
    struct host *host;
    uint16_t lane;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    lane = lane_of(host, 1, "http://a/");
    for (unsigned i = 0; i < 30; i++) {
        requests[i] = make(i + 1, i < 25 ? 0 : lane);
        host_push(host, requests[i], LANE_PLACE_FRESH);
    }
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(host_next(&t, host, T0, &kept)->lane, i % 2 ? lane : 0);
    }
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(host_next(&t, host, T0, &kept)->lane, 0);
    }
    drop_all(requests, 30);
    host_table_release(&t);
}

static void next__passes_by_a_held_resource__when_another_lane_is_open(void **state)
{
    struct request *requests[4];
    enum host_answer kept;
    struct host_table t;
    struct host_wake wake;
    struct host *host;
    uint16_t lane;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    lane = lane_of(host, 1, "http://a/");
    for (unsigned i = 0; i < 4; i++) {
        requests[i] = make(i + 1, i % 2 ? lane : 0);
        host_push(host, requests[i], LANE_PLACE_FRESH);
    }
    host_names_resource(host, requests[1], STR("search"));
    host_hold_named(host, requests[1], T0 + 30 * US_PER_S, T0, &why);
    assert_ptr_equal(host_next(&t, host, T0, &kept), requests[0]);
    assert_ptr_equal(host_next(&t, host, T0, &kept), requests[2]);
    assert_null(host_next(&t, host, T0, &kept));
    assert_int_equal(kept, HOST_HELD);
    wake = host_wake(&t, host, T0);
    assert_true(wake.at_us == T0 + 30 * US_PER_S && wake.is_named);
    assert_ptr_equal(host_next(&t, host, T0 + 30 * US_PER_S, &kept), requests[1]);
    assert_ptr_equal(host_pop(host), requests[3]);
    assert_null(host_pop(host));
    drop_all(requests, 4);
    host_table_release(&t);
}

static void take__finds_it_in_any_lane(void **state)
{
    struct request *requests[6];
    struct host_table t;
    struct host *host;
    uint16_t lane;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    lane = lane_of(host, 1, "http://a/");
    for (unsigned i = 0; i < 6; i++) {
        requests[i] = make(i + 1, i % 2 ? lane : 0);
        host_push(host, requests[i], i % 3 ? LANE_PLACE_FRESH : LANE_PLACE_TRIED);
    }
    for (unsigned i = 6; i > 0; i--) {
        assert_int_equal(host->ready_count, i);
        assert_ptr_equal(host_take(host, i), requests[i - 1]);
        assert_null(host_take(host, i));
    }
    assert_int_equal(host->ready_count, 0);
    drop_all(requests, 6);
    host_table_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(may_start__is_full__when_the_hosts_cap_is_reached),
        cmocka_unit_test(hold_named__lasts_to_its_deadline_to_the_microsecond),
        cmocka_unit_test(hold_named__keeps_the_longer__when_two_are_named),
        cmocka_unit_test(hold_named__is_not_cut_short__when_a_refusal_without_a_deadline_follows),
        cmocka_unit_test(hold_user__holds_until_released_and_never_shortens_a_servers),
        cmocka_unit_test(resource__holds_its_own_lanes_only),
        cmocka_unit_test(resource__takes_what_is_in_flight_along__when_it_is_named),
        cmocka_unit_test(newer__counts_what_began_later__when_the_lane_has_changed_its_bucket),
        cmocka_unit_test(resource__is_shared_by_lanes_that_name_it),
        cmocka_unit_test(resource__names_are_bounded__when_every_answer_has_another),
        cmocka_unit_test(lane__is_told_by_endpoint_and_first_telling_segment),
        cmocka_unit_test(lanes__are_bounded__when_every_path_is_another),
        cmocka_unit_test(lanes__are_shared__when_there_are_more_endpoints_than_lanes),
        cmocka_unit_test(next__takes_lanes_in_turn),
        cmocka_unit_test(next__passes_by_a_held_resource__when_another_lane_is_open),
        cmocka_unit_test(take__finds_it_in_any_lane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
