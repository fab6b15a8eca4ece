#include "plan/twin.h"
#include "plan/host_hold.h"
#include "plan/host_silence.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)
#define COUNT 3

struct world {
    struct host_table table;
    struct host *first;
    uint32_t index;
    uint16_t lane;
};

static void begin(struct world *w)
{
    static const char *const names[COUNT] = { "a", "b", "c" };
    struct url url;

    *w = (struct world){ 0 };
    host_table_init(&w->table, 0, (struct rate){ 0 });
    assert_int_equal(url_split(STR("https://h.test/items/1"), &url, NULL), RESULT_OK);
    assert_int_equal(host_find(&w->table, &url, &w->index, NULL), RESULT_OK);
    assert_int_equal(twins_make(&w->table, w->index, names, COUNT, NULL), RESULT_OK);
    w->first = host_at(&w->table, w->index);
    assert_int_equal(host_lane(w->first, 7, &url, &w->lane), RESULT_OK);
}

/* A request that stands at the first of them. */
static struct request *put(struct world *w, uint64_t id)
{
    struct request *request = request_new(id, 7, STR("k"), STR("https://h.test/items/1"));

    request->host = w->index;
    request->lane = w->lane;
    host_ref(&w->table, w->index);
    host_push(w->first, request, LANE_PLACE_FRESH);
    return request;
}

/* The number of the twin that takes the next one; 0: none. */
static uint32_t next(struct world *w, uint64_t now_us, enum host_answer *why)
{
    struct request *request = twins_next(&w->table, w->first, now_us, why);
    uint32_t twin = 0;

    if (request) {
        twin = host_at(&w->table, request->host)->twin;
        host_unref(&w->table, request->host);
        request_free(request);
    }
    return twin;
}

/* What still waits is given to a dead one, and so comes out. */
static void end(struct world *w)
{
    enum host_answer why;

    host_bury(w->first);
    while (next(w, T0, &why)) {
    }
    host_table_release(&w->table);
}

static void names__stand_before_the_host(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_true(str_equal(twin_at(&w.table, 1)->label, STR("a@h.test")));
    assert_true(str_equal(twin_at(&w.table, 3)->label, STR("c@h.test")));
    assert_string_equal(twin_at(&w.table, 3)->origin, w.first->origin);
    assert_ptr_equal(twin_first(&w.table, twin_at(&w.table, 2)), w.first);
    host_table_release(&w.table);
}

static void requests__go_to_each_in_turn__and_their_holds_are_their_own(void **state)
{
    struct due due = { .by = DUE_RETRY_AFTER };
    enum host_answer why;
    struct request *held;
    struct world w;

    (void)state;
    begin(&w);
    for (uint64_t id = 1; id <= 8; id++) {
        put(&w, id);
    }
    assert_int_equal(next(&w, T0, &why), 1);
    assert_int_equal(next(&w, T0, &why), 2);
    assert_int_equal(next(&w, T0, &why), 3);
    held = request_new(99, 7, STR("k"), STR("https://h.test/items/1"));
    held->host = w.index;
    held->lane = w.lane;
    host_hold_named(twin_at(&w.table, 2), held, T0 + 30 * US_PER_S, T0, &due);
    assert_int_equal(next(&w, T0, &why), 1);
    assert_int_equal(next(&w, T0, &why), 3);
    host_hold_named(twin_at(&w.table, 1), held, T0 + 9 * US_PER_S, T0, &due);
    host_hold_named(twin_at(&w.table, 3), held, T0 + 20 * US_PER_S, T0, &due);
    assert_int_equal(next(&w, T0, &why), 0);
    assert_int_equal(why, HOST_HELD);
    assert_int_equal(twins_why(&w.table, w.first, T0), HOST_HELD);
    assert_int_equal(twins_wake(&w.table, w.first, T0).at_us, T0 + 9 * US_PER_S);
    assert_int_equal(twins_free_us(&w.table, held, 0, T0), T0 + 9 * US_PER_S);
    assert_int_equal(twins_free_us(&w.table, held, 1, T0), T0 + 20 * US_PER_S);
    assert_int_equal(twins_free_us(&w.table, held, 7, T0), TIME_NEVER);
    assert_int_equal(next(&w, T0 + 9 * US_PER_S, &why), 1);
    twins_hold_named(&w.table, held, T0 + 60 * US_PER_S, T0, &due);
    assert_int_equal(twins_free_us(&w.table, held, 0, T0), T0 + 60 * US_PER_S);
    assert_int_equal(next(&w, T0 + 59 * US_PER_S, &why), 0);
    assert_int_equal(next(&w, T0 + 60 * US_PER_S, &why), 2);
    request_free(held);
    assert_int_equal(next(&w, T0 + 60 * US_PER_S, &why), 3);
    host_table_release(&w.table);
}

static void put_aside__is_not_asked__not_even_by_the_users_word(void **state)
{
    enum host_answer why;
    struct request *urgent;
    struct world w;

    (void)state;
    begin(&w);
    twin_at(&w.table, 1)->is_aside = true;
    assert_int_equal(twins_alive(&w.table), 2);
    put(&w, 1)->refused_by = 2;
    put(&w, 2);
    put(&w, 3);
    assert_int_equal(next(&w, T0, &why), 3);
    assert_int_equal(next(&w, T0, &why), 2);
    twin_at(&w.table, 2)->hold_is_user = twin_at(&w.table, 3)->hold_is_user = true;
    assert_int_equal(next(&w, T0, &why), 0);
    assert_int_equal(why, HOST_HELD);
    assert_int_equal(twins_wake(&w.table, w.first, T0).at_us, TIME_NEVER);
    twin_at(&w.table, 2)->hold_is_user = false;
    assert_int_equal(next(&w, T0, &why), 2);
    twin_at(&w.table, 3)->is_aside = true;
    put(&w, 5)->refused_by = 2; /* by the only one that is left */
    assert_int_equal(next(&w, T0, &why), 2);
    urgent = put(&w, 4);
    assert_ptr_equal(host_take(w.first, 4), urgent);
    twin_choose_any(&w.table, urgent, T0);
    assert_int_equal(host_at(&w.table, urgent->host)->twin, 2);
    host_unref(&w.table, urgent->host);
    request_free(urgent);
    host_table_release(&w.table);
}

static void what_only_a_held_one_may_take__holds_up_nobody_else(void **state)
{
    struct due due = { .by = DUE_RETRY_AFTER };
    struct request *begun, *refused;
    enum host_answer why;
    struct world w;

    (void)state;
    begin(&w);
    twin_at(&w.table, 3)->is_aside = true;
    refused = put(&w, 1);
    begun = put(&w, 2);
    put(&w, 3);
    refused->refused_by = 1;
    begun->twin = 2; /* its result is being made for that one */
    begun->exchange.asked = 1;
    host_hold_named(twin_at(&w.table, 2), begun, T0 + 30 * US_PER_S, T0, &due);
    assert_int_equal(next(&w, T0, &why), 1);
    assert_int_equal(next(&w, T0, &why), 0);
    assert_int_equal(w.first->ready_count, 2);
    assert_int_equal(twins_wake(&w.table, w.first, T0).at_us, T0 + 30 * US_PER_S);
    assert_int_equal(next(&w, T0 + 30 * US_PER_S, &why), 2);
    assert_int_equal(next(&w, T0 + 30 * US_PER_S, &why), 2);
    host_table_release(&w.table);
}

static void what_all_are_refused__is_the_origins__and_one_at_a_time_looks(void **state)
{
    enum host_answer why;
    struct request *last;
    struct world w;

    (void)state;
    begin(&w);
    put(&w, 1);
    put(&w, 2);
    last = put(&w, 3);
    last->host = twin_at(&w.table, 3)->index; /* as if it had been asked with that */
    assert_ptr_equal(twin_origin_of(&w.table, last), w.first);
    last->host = w.index;
    assert_true(str_equal(twin_origin_label(twin_at(&w.table, 2)), STR("h.test")));
    w.first->ban.holds = 1;
    w.first->origin_in_flight = 1; /* with whichever of them */
    assert_int_equal(next(&w, T0, &why), 0);
    assert_int_equal(why, HOST_FULL);
    w.first->origin_in_flight = 0;
    assert_int_equal(next(&w, T0, &why), 1);
    w.first->ban.holds = 0;
    w.first->origin_in_flight = 1;
    assert_int_equal(next(&w, T0, &why), 2);
    twins_stop(&w.table, w.first);
    assert_true(twin_at(&w.table, 1)->is_stopped && twin_at(&w.table, 3)->is_stopped);
    assert_int_equal(next(&w, T0, &why), 0);
    host_hold_user(twin_at(&w.table, 1), false, T0);
    assert_int_equal(next(&w, T0, &why), 1);
    host_table_release(&w.table);
}

/* It starts, and nobody answers. */
static enum host_news ask_in_vain(struct world *w, uint64_t now_us)
{
    enum host_answer why;
    struct request *request = twins_next(&w->table, w->first, now_us, &why);
    struct host *twin = host_at(&w->table, request->host);
    enum host_news news;

    w->table.now_us = now_us;
    host_started(&w->table, twin, request);
    news = host_ended(&w->table, twin, request, HOST_END_SILENT, now_us);
    host_unref(&w->table, request->host);
    request_free(request);
    return news;
}

static void origin_that_is_silent__is_probed_once__with_whichever_token(void **state)
{
    enum host_answer why;
    struct world w;

    (void)state;
    begin(&w);
    for (uint64_t id = 1; id <= 20; id++) {
        put(&w, id);
    }
    for (int i = 1; i < HOST_DOWN_FAILURES; i++) {
        assert_int_equal(ask_in_vain(&w, T0), HOST_NEWS_NONE);
    }
    assert_int_equal(ask_in_vain(&w, T0), HOST_NEWS_DOWN);
    assert_int_equal(next(&w, T0, &why), 0);
    assert_int_equal(why, HOST_HELD);
    assert_int_equal(twins_wake(&w.table, w.first, T0).at_us, T0 + HOST_DOWN_MIN_US);
    assert_int_equal(ask_in_vain(&w, T0 + HOST_DOWN_MIN_US), HOST_NEWS_DOWN);
    assert_int_equal(next(&w, T0 + HOST_DOWN_MIN_US, &why), 0);
    assert_int_equal(w.first->probes, 1);
    host_bury(twin_at(&w.table, 2));
    assert_true(next(&w, T0 + HOST_DOWN_MIN_US, &why) > 0);
    end(&w);
}

static void rate_and_cap_per_host__count_all_of_its_tokens(void **state)
{
    enum host_answer why;
    struct request *one;
    struct world w;

    (void)state;
    begin(&w);
    w.table.cap_per_host = 1;
    for (uint64_t id = 1; id <= 4; id++) {
        put(&w, id);
    }
    one = twins_next(&w.table, w.first, T0, &why);
    w.table.now_us = T0;
    host_started(&w.table, host_at(&w.table, one->host), one);
    assert_int_equal(next(&w, T0, &why), 0);
    assert_int_equal(why, HOST_FULL);
    (void)host_ended(&w.table, host_at(&w.table, one->host), one, HOST_END_WELL, T0);
    pacer_set_rate(&w.first->pacer, (struct rate){ 1, US_PER_S });
    assert_int_equal(next(&w, T0, &why), 0);
    assert_int_equal(why, HOST_PACED);
    assert_int_equal(twins_wake(&w.table, w.first, T0).at_us, T0 + US_PER_S + 1);
    assert_int_equal(next(&w, T0 + US_PER_S, &why), 2);
    host_unref(&w.table, one->host);
    request_free(one);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names__stand_before_the_host),
        cmocka_unit_test(requests__go_to_each_in_turn__and_their_holds_are_their_own),
        cmocka_unit_test(what_only_a_held_one_may_take__holds_up_nobody_else),
        cmocka_unit_test(what_all_are_refused__is_the_origins__and_one_at_a_time_looks),
        cmocka_unit_test(origin_that_is_silent__is_probed_once__with_whichever_token),
        cmocka_unit_test(rate_and_cap_per_host__count_all_of_its_tokens),
        cmocka_unit_test(put_aside__is_not_asked__not_even_by_the_users_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
