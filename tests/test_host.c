#include "plan/host.h"
#include "plan/host_hold.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)
static const struct due why = { .by = DUE_RETRY_AFTER, .status = 429, .said = "30" };
static const struct due refused = { .by = DUE_HOST_HOLD, .status = 429 };

static struct url parts(const char *text)
{
    struct url url;

    assert_int_equal(url_split(str_view(text), &url, NULL), RESULT_OK);
    return url;
}

static uint32_t find(struct host_table *t, const char *text)
{
    struct url url = parts(text);
    uint32_t index;

    assert_int_equal(host_find(t, &url, &index, NULL), RESULT_OK);
    return index;
}

static uint16_t lane_of(struct host *host, uint32_t endpoint, const char *text)
{
    struct url url = parts(text);
    uint16_t lane;

    assert_int_equal(host_lane(host, endpoint, &url, &lane), RESULT_OK);
    assert_true(lane < host->lane_count);
    return lane;
}

/* With a lane, and a request that names it, as each host in use has. */
static struct host *referred(struct host_table *t, const char *text)
{
    uint32_t index = find(t, text);

    host_ref(t, index);
    assert_int_equal(lane_of(host_at(t, index), 0, text), 0);
    return host_at(t, index);
}

static void start(struct host_table *t, struct host *host, struct request *request, uint64_t now_us)
{
    t->now_us = now_us;
    host_started(t, host, request);
    request->attempt++;
}

static bool start_if_may(struct host_table *t, struct host *host, uint64_t now_us)
{
    if (host_may_start(t, host, 0, now_us) != HOST_MAY) {
        return false;
    }
    start(t, host, &(struct request){ 0 }, now_us);
    return true;
}

static void end(struct host_table *t, struct host *host, enum host_end how, uint64_t now_us)
{
    host_ended(t, host, &(struct request){ .attempt = 1, .started_us = now_us }, how, now_us);
}

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

static void find__gives_one_entry__when_the_origin_is_the_same(void **state)
{
    struct host_table t;
    uint32_t index;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    index = find(&t, "http://Example.org/a");
    assert_int_equal(find(&t, "http://example.org:80/b?c"), index);
    assert_int_not_equal(find(&t, "https://example.org/a"), index);
    assert_int_not_equal(find(&t, "http://example.org:8080/a"), index);
    assert_int_not_equal(find(&t, "http://example.com/a"), index);
    host_table_release(&t);
}

static void label__leaves_out_the_port__when_it_is_the_schemes_own(void **state)
{
    struct host_table t;
    char shown[64];

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    snprintf(shown, sizeof shown, "%.*s",
             STR_ARG(host_at(&t, find(&t, "https://api.example.org/"))->label));
    assert_string_equal(shown, "api.example.org");
    snprintf(shown, sizeof shown, "%.*s", STR_ARG(host_at(&t, find(&t, "http://h:8080/"))->label));
    assert_string_equal(shown, "h:8080");
    snprintf(shown, sizeof shown, "%.*s", STR_ARG(host_at(&t, find(&t, "http://h:443/"))->label));
    assert_string_equal(shown, "h:443");
    host_table_release(&t);
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

static const struct request any; /* of the first lane, so of the host's own bucket */

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

/* --- first contacts, and the table ------------------------------------------------------------------------ */

static void first_contacts__are_bounded__when_all_hosts_are_new(void **state)
{
    struct host_table t;
    struct host *hosts[HOST_FIRST_CONTACTS_MAX + 2];
    char url[64];

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    for (unsigned i = 0; i < HOST_FIRST_CONTACTS_MAX + 2; i++) {
        snprintf(url, sizeof url, "http://h%u/", i);
        hosts[i] = referred(&t, url);
        assert_int_equal(start_if_may(&t, hosts[i], T0), i < HOST_FIRST_CONTACTS_MAX);
    }
    /* A host that is being resolved already may be asked more. */
    assert_true(start_if_may(&t, hosts[0], T0));
    assert_int_equal(t.first_contacts, HOST_FIRST_CONTACTS_MAX);

    end(&t, hosts[0], HOST_END_WELL, T0);
    assert_int_equal(t.first_contacts, HOST_FIRST_CONTACTS_MAX - 1);
    assert_true(start_if_may(&t, hosts[HOST_FIRST_CONTACTS_MAX], T0));
    assert_false(start_if_may(&t, hosts[HOST_FIRST_CONTACTS_MAX + 1], T0));

    end(&t, hosts[1], HOST_END_SILENT,
        T0); /* never reached: its place is free, it is still unknown */
    assert_false(hosts[1]->contacted);
    assert_true(start_if_may(&t, hosts[HOST_FIRST_CONTACTS_MAX + 1], T0));
    assert_false(start_if_may(&t, hosts[1], T0));
    host_table_release(&t);
}

static void first_contacts__come_to_nothing__when_all_have_ended(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    start(&t, host, &(struct request){ 0 }, T0);
    start(&t, host, &(struct request){ 0 }, T0);
    end(&t, host, HOST_END_SILENT, T0);
    assert_int_equal(t.first_contacts, 1);
    end(&t, host, HOST_END_SILENT, T0);
    assert_int_equal(t.first_contacts, 0);
    start(&t, host, &(struct request){ 0 }, T0);
    start(&t, host, &(struct request){ 0 }, T0);
    end(&t, host, HOST_END_WELL, T0);
    end(&t, host, HOST_END_SILENT, T0);
    assert_int_equal(t.first_contacts, 0);
    assert_true(host->contacted);
    host_table_release(&t);
}

static void table__stays_small__when_a_hundred_thousand_hosts_come_and_go(void **state)
{
    struct host_table t;
    char url[64];

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t index;

        snprintf(url, sizeof url, "http://host-%u.example/", i);
        index = find(&t, url);
        host_ref(&t, index);
        start(&t, host_at(&t, index), &(struct request){ 0 }, T0);
        end(&t, host_at(&t, index), HOST_END_WELL, T0 + i);
        host_unref(&t, index);
    }
    assert_in_range(t.count, 1, HOST_TABLE_IDLE_MAX + 1);
    assert_in_range(t.idle, 1, HOST_TABLE_IDLE_MAX);
    host_table_release(&t);
}

/* Those whose 429 is remembered may not be forgotten before their time, and must be after it; the
 * count of idle ones has to survive both. */
static void table__remembers_holds_and_forgets_them__when_their_time_is_over(void **state)
{
    struct host_table t;
    char url[64];
    uint32_t count;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t index;

        snprintf(url, sizeof url, "http://host-%u.example/", i);
        index = find(&t, url);
        host_ref(&t, index);
        start(&t, host_at(&t, index), &(struct request){ 0 }, T0);
        host_hold_named(host_at(&t, index), &any, T0 + 30 * US_PER_S, T0, &why);
        end(&t, host_at(&t, index), HOST_END_REFUSED, T0);
        host_unref(&t, index);
    }
    assert_int_equal(t.count, 5000);
    assert_int_equal(t.idle, 5000);
    assert_true(host_hold(host_at(&t, find(&t, "http://host-7.example/")), T0).is_named);
    count = t.count;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t index;

        snprintf(url, sizeof url, "http://later-%u.example/", i);
        index = find(&t, url);
        host_ref(&t, index);
        start(&t, host_at(&t, index), &(struct request){ 0 }, T0);
        end(&t, host_at(&t, index), HOST_END_WELL, T0 + 3600 * US_PER_S);
        host_unref(&t, index);
    }
    assert_in_range(t.count, count, 2 * count + HOST_TABLE_IDLE_MAX);
    assert_in_range(t.idle, 1, t.count);
    assert_true(host_hold(host_at(&t, find(&t, "http://host-7.example/")), T0).until_us ==
                0); /* a new entry */
    host_table_release(&t);
}

static void table__keeps_what_is_referred_to__when_the_idle_are_forgotten(void **state)
{
    struct host_table t;
    uint32_t kept;
    char url[64];

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    kept = find(&t, "http://kept.example/");
    host_ref(&t, kept);
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(url, sizeof url, "http://host-%u.example/", i);
        find(&t, url);
    }
    assert_int_equal(find(&t, "http://kept.example/"), kept);
    assert_string_equal(host_at(&t, kept)->origin, "http://kept.example:80");
    host_table_release(&t);
}

/* What hangs on a host goes with it, and the entry that is used again has none of it. */
static void table__forgets_lanes_and_resources__with_their_host(void **state)
{
    struct host_table t;
    char url[64];

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    for (unsigned i = 0; i < 5000; i++) {
        struct request request = { .lane = 0 };
        struct host *host;

        snprintf(url, sizeof url, "http://host-%u.example/", i);
        host = referred(&t, url);
        assert_int_equal(host->other_count, 0);
        assert_int_equal(host->lane_count, 1);
        request.lane = lane_of(host, 1, "http://a/x/y");
        host_names_resource(host, &request, STR("core"));
        start(&t, host, &request, T0 + i);
        host_ended(&t, host, &request, HOST_END_WELL, T0 + i);
        host_unref(&t, find(&t, url));
    }
    assert_in_range(t.count, 1, HOST_TABLE_IDLE_MAX + 1);
    host_table_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find__gives_one_entry__when_the_origin_is_the_same),
        cmocka_unit_test(label__leaves_out_the_port__when_it_is_the_schemes_own),
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
        cmocka_unit_test(first_contacts__are_bounded__when_all_hosts_are_new),
        cmocka_unit_test(first_contacts__come_to_nothing__when_all_have_ended),
        cmocka_unit_test(table__stays_small__when_a_hundred_thousand_hosts_come_and_go),
        cmocka_unit_test(table__remembers_holds_and_forgets_them__when_their_time_is_over),
        cmocka_unit_test(table__keeps_what_is_referred_to__when_the_idle_are_forgotten),
        cmocka_unit_test(table__forgets_lanes_and_resources__with_their_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
