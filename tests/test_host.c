#include "plan/host.h"

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

static uint32_t find(struct host_table *t, const char *text)
{
    struct url url;
    uint32_t index;

    assert_int_equal(url_split(str_view(text), &url, NULL), RESULT_OK);
    assert_int_equal(host_find(t, &url, &index, NULL), RESULT_OK);
    return index;
}

static struct host *referred(struct host_table *t, const char *text)
{
    uint32_t index = find(t, text);

    host_ref(t, index);
    return host_at(t, index);
}

static bool start_if_may(struct host_table *t, struct host *host, uint64_t now_us)
{
    if (host_may_start(t, host, now_us) != HOST_MAY) {
        return false;
    }
    host_started(t, host, &(struct request){ 0 });
    return true;
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
    assert_int_equal(host_may_start(&t, host, T0), HOST_FULL);
    host_ended(&t, host, true, T0);
    assert_int_equal(start_all(&t, host, T0, 100), 1);
    host_table_release(&t);
}

/* Never before a deadline that a server named: looked at to the microsecond. */
static void hold_named__lasts_to_its_deadline_to_the_microsecond(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    assert_true(host_hold_named(host, T0 + 30 * US_PER_S, T0, &why));
    assert_true(host->hold_is_named);
    assert_int_equal(host->hold_due.by, DUE_RETRY_AFTER);
    assert_int_equal(host->hold_due.wait_us, 30 * US_PER_S);
    assert_string_equal(host->hold_due.said, "30");
    assert_true(str_equal(host->label, str_view(host->hold_due.host)));
    assert_int_equal(host_hold_deadline(host), T0 + 30 * US_PER_S);
    assert_int_equal(host_may_start(&t, host, T0), HOST_HELD);
    assert_int_equal(host_may_start(&t, host, T0 + 30 * US_PER_S - 1), HOST_HELD);
    assert_int_equal(host_may_start(&t, host, T0 + 30 * US_PER_S), HOST_MAY);
    host_table_release(&t);
}

static void hold_named__keeps_the_longer__when_two_are_named(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    assert_true(host_hold_named(host, T0 + 30 * US_PER_S, T0, &why));
    assert_false(host_hold_named(host, T0 + 5 * US_PER_S, T0, &why));
    assert_int_equal(host->hold_until_us, T0 + 30 * US_PER_S);
    assert_false(host_hold_named(host, T0 + 60 * US_PER_S, T0, &why));
    assert_int_equal(host->hold_until_us, T0 + 60 * US_PER_S);
    assert_true(host_hold_named(host, T0 + 90 * US_PER_S, T0 + 60 * US_PER_S, &why));
    host_table_release(&t);
}

static void hold_named__is_not_cut_short__when_a_refusal_without_a_deadline_follows(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    host_hold_named(host, T0 + 30 * US_PER_S, T0, &why);
    assert_false(host_hold_growing(host, US_PER_S, 0, T0 + US_PER_S, &refused));
    assert_int_equal(host->hold_until_us, T0 + 30 * US_PER_S);
    assert_true(host->hold_is_named);
    host_table_release(&t);
}

static void hold_growing__doubles_and_keeps_its_lower_half__when_refusals_go_on(void **state)
{
    struct host_table t;
    struct host *host;
    uint64_t now_us = T0, length_us = US_PER_S;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    for (int i = 0; i < 12; i++) {
        uint64_t want = length_us < HOST_HOLD_GROWTH_MAX_US ? length_us : HOST_HOLD_GROWTH_MAX_US;
        uint64_t held;

        assert_true(
            host_hold_growing(host, US_PER_S, (uint64_t)i * 0x9E3779B97F4A7C15, now_us, &refused));
        held = host->hold_until_us - now_us;
        assert_in_range(held, want / 2, want);
        assert_false(host->hold_is_named);
        now_us = host->hold_until_us;
        length_us *= 2;
    }
    host_table_release(&t);
}

static void hold_growing__grows_once__when_many_were_in_flight(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    for (int i = 0; i < 50; i++) {
        assert_int_equal(host_hold_growing(host, US_PER_S, 0, T0 + (uint64_t)i, &refused), i == 0);
    }
    assert_int_equal(host->throttle_level, 1);
    host_table_release(&t);
}

static void hold_growing__is_a_hold__when_the_backoff_is_nothing(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    assert_true(host_hold_growing(host, 0, 0, T0, &refused));
    assert_in_range(host->hold_until_us, T0 + HOST_HOLD_GROWTH_MIN_US / 2,
                    T0 + HOST_HOLD_GROWTH_MIN_US);
    host_table_release(&t);
}

static void hold_growing__starts_anew__when_a_quiet_while_went_by(void **state)
{
    struct host_table t;
    struct host *host;
    uint64_t now_us = T0;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    for (int i = 0; i < 4; i++) {
        host_hold_growing(host, US_PER_S, 0, now_us, &refused);
        now_us = host->hold_until_us;
    }
    assert_int_equal(host->throttle_level, 4);
    now_us += HOST_FORGIVE_US + 1;
    host_started(&t, host, &(struct request){ 0 });
    host_ended(&t, host, true, now_us);
    assert_int_equal(host->throttle_level, 0);
    assert_true(host_hold_growing(host, US_PER_S, 0, now_us, &refused));
    assert_in_range(host->hold_until_us - now_us, US_PER_S / 2, US_PER_S);
    host_table_release(&t);
}

/* One, then two, then four: what a host that has just said no is asked at first. */
static void slow_start__doubles_each_round__when_all_goes_well(void **state)
{
    static const unsigned want[] = { 1, 2, 4, 8, 16 };
    struct host_table t;
    struct host *host;
    uint64_t now_us = T0 + 30 * US_PER_S;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    host_hold_named(host, now_us, T0, &why);
    for (size_t round = 0; round < sizeof want / sizeof want[0]; round++) {
        unsigned started = start_all(&t, host, now_us, 1000);

        assert_int_equal(started, want[round]);
        /* Each that ends makes room for two: they start once the round is over here. */
        for (unsigned i = 0; i < started; i++) {
            unsigned window = host->window;

            host->in_flight += started; /* a queue that keeps the window busy */
            host_ended(&t, host, true, now_us);
            host->in_flight -= started;
            assert_int_equal(host->window, window + 1);
        }
    }
    host_table_release(&t);
}

static void slow_start__ends__when_the_window_is_no_longer_what_keeps_back(void **state)
{
    struct host_table t;
    struct host *host;
    uint64_t now_us = T0 + US_PER_S;

    (void)state;
    host_table_init(&t, 4, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    host_hold_named(host, now_us, T0, &why);
    for (int i = 0; i < 100 && host->window; i++) {
        start_all(&t, host, now_us, 1000);
        host_ended(&t, host, true, now_us);
    }
    assert_int_equal(host->window, 0);
    host_table_release(&t);
}

static void slow_start__begins_again__when_the_host_says_no_again(void **state)
{
    struct host_table t;
    struct host *host;

    (void)state;
    host_table_init(&t, 0, (struct rate){ 0 });
    host = referred(&t, "http://a/");
    host_hold_named(host, T0 + US_PER_S, T0, &why);
    host_started(&t, host, &(struct request){ 0 });
    host_ended(&t, host, true, T0 + US_PER_S);
    assert_int_equal(host->window, 2);
    host_hold_named(host, T0 + 9 * US_PER_S, T0 + 2 * US_PER_S, &why);
    assert_int_equal(start_all(&t, host, T0 + 9 * US_PER_S, 100), 1);
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
    assert_int_equal(host_may_start(&t, host, T0 + 1000 * US_PER_S), HOST_HELD);
    assert_true(host_hold_deadline(host) == TIME_NEVER);
    host_hold_user(host, false, T0);
    assert_int_equal(start_all(&t, host, T0, 100), 1);
    host_hold_named(host, T0 + 30 * US_PER_S, T0, &why);
    host_hold_user(host, true, T0);
    host_hold_user(host, false, T0);
    assert_int_equal(host_may_start(&t, host, T0 + 30 * US_PER_S - 1), HOST_HELD);
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

    host_ended(&t, hosts[0], true, T0);
    assert_int_equal(t.first_contacts, HOST_FIRST_CONTACTS_MAX - 1);
    assert_true(start_if_may(&t, hosts[HOST_FIRST_CONTACTS_MAX], T0));
    assert_false(start_if_may(&t, hosts[HOST_FIRST_CONTACTS_MAX + 1], T0));

    host_ended(&t, hosts[1], false, T0); /* never reached: its place is free, it is still unknown */
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
    host_started(&t, host, &(struct request){ 0 });
    host_started(&t, host, &(struct request){ 0 });
    host_ended(&t, host, false, T0);
    assert_int_equal(t.first_contacts, 1);
    host_ended(&t, host, false, T0);
    assert_int_equal(t.first_contacts, 0);
    host_started(&t, host, &(struct request){ 0 });
    host_started(&t, host, &(struct request){ 0 });
    host_ended(&t, host, true, T0);
    host_ended(&t, host, false, T0);
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
        host_started(&t, host_at(&t, index), &(struct request){ 0 });
        host_ended(&t, host_at(&t, index), true, T0 + i);
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
        host_started(&t, host_at(&t, index), &(struct request){ 0 });
        host_hold_named(host_at(&t, index), T0 + 30 * US_PER_S, T0, &why);
        host_ended(&t, host_at(&t, index), false, T0);
        host_unref(&t, index);
    }
    assert_int_equal(t.count, 5000);
    assert_int_equal(t.idle, 5000);
    assert_int_equal(host_may_start(&t, host_at(&t, find(&t, "http://host-7.example/")), T0),
                     HOST_HELD);
    count = t.count;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t index;

        snprintf(url, sizeof url, "http://later-%u.example/", i);
        index = find(&t, url);
        host_ref(&t, index);
        host_started(&t, host_at(&t, index), &(struct request){ 0 });
        host_ended(&t, host_at(&t, index), true, T0 + 3600 * US_PER_S);
        host_unref(&t, index);
    }
    assert_in_range(t.count, count, 2 * count + HOST_TABLE_IDLE_MAX);
    assert_in_range(t.idle, 1, t.count);
    assert_int_equal(host_may_start(&t, host_at(&t, find(&t, "http://host-7.example/")), T0),
                     HOST_MAY); /* a new entry */
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

static void queue__gives_tried_ones_in_order_before_new_ones(void **state)
{
    struct host host = { 0 };
    struct request *r[6];

    (void)state;
    for (uint64_t i = 0; i < 6; i++) {
        r[i] = request_new(i + 1, 0, STR("k"), STR("http://a/"));
    }
    host_push(&host, r[0], HOST_PLACE_LAST);
    host_push(&host, r[1], HOST_PLACE_TRIED);
    host_push(&host, r[2], HOST_PLACE_TRIED);
    host_push(&host, r[3], HOST_PLACE_LAST);
    host_push(&host, r[4], HOST_PLACE_NEXT);
    assert_int_equal(host.ready_count, 5);
    assert_ptr_equal(host_pop(&host, T0), r[4]);
    assert_ptr_equal(host_pop(&host, T0), r[1]);
    host_push(&host, r[5], HOST_PLACE_TRIED);
    assert_ptr_equal(host_pop(&host, T0), r[2]);
    assert_ptr_equal(host_pop(&host, T0), r[5]);
    assert_ptr_equal(host_pop(&host, T0), r[0]);
    assert_ptr_equal(host_pop(&host, T0), r[3]);
    assert_null(host_pop(&host, T0));
    assert_int_equal(host.ready_count, 0);
    for (size_t i = 0; i < 6; i++) {
        request_free(r[i]);
    }
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
        cmocka_unit_test(hold_growing__doubles_and_keeps_its_lower_half__when_refusals_go_on),
        cmocka_unit_test(hold_growing__grows_once__when_many_were_in_flight),
        cmocka_unit_test(hold_growing__is_a_hold__when_the_backoff_is_nothing),
        cmocka_unit_test(hold_growing__starts_anew__when_a_quiet_while_went_by),
        cmocka_unit_test(slow_start__doubles_each_round__when_all_goes_well),
        cmocka_unit_test(slow_start__ends__when_the_window_is_no_longer_what_keeps_back),
        cmocka_unit_test(slow_start__begins_again__when_the_host_says_no_again),
        cmocka_unit_test(hold_user__holds_until_released_and_never_shortens_a_servers),
        cmocka_unit_test(first_contacts__are_bounded__when_all_hosts_are_new),
        cmocka_unit_test(first_contacts__come_to_nothing__when_all_have_ended),
        cmocka_unit_test(table__stays_small__when_a_hundred_thousand_hosts_come_and_go),
        cmocka_unit_test(table__remembers_holds_and_forgets_them__when_their_time_is_over),
        cmocka_unit_test(table__keeps_what_is_referred_to__when_the_idle_are_forgotten),
        cmocka_unit_test(queue__gives_tried_ones_in_order_before_new_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
