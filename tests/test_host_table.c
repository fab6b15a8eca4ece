/* plan/host_table: one entry for each origin, bounded, and forgotten when its time is over. */
#include "base/clock.h"
#include "plan/host.h"
#include "plan/host_hold.h"
#include "host_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

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
        cmocka_unit_test(first_contacts__are_bounded__when_all_hosts_are_new),
        cmocka_unit_test(first_contacts__come_to_nothing__when_all_have_ended),
        cmocka_unit_test(table__stays_small__when_a_hundred_thousand_hosts_come_and_go),
        cmocka_unit_test(table__remembers_holds_and_forgets_them__when_their_time_is_over),
        cmocka_unit_test(table__keeps_what_is_referred_to__when_the_idle_are_forgotten),
        cmocka_unit_test(table__forgets_lanes_and_resources__with_their_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
