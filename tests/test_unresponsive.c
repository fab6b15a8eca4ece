#include "plan/unresponsive.h"

#include "base/clock.h"
#include "plan/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#define T0 (UINT64_C(1000) * US_PER_S)

struct world {
    struct host_table table;
    struct host *hosts[4];
};

static void begin(struct world *w)
{
    *w = (struct world){ 0 };
    host_table_init(&w->table, 0, (struct rate){ 0 });
    for (unsigned i = 0; i < 4; i++) {
        char text[32];
        struct url url;
        uint16_t lane;
        uint32_t index;

        snprintf(text, sizeof text, "http://h%u/", i);
        assert_int_equal(url_split(str_view(text), &url, NULL), RESULT_OK);
        assert_int_equal(host_find(&w->table, &url, &index, NULL), RESULT_OK);
        host_ref(&w->table, index);
        w->hosts[i] = host_at(&w->table, index);
        assert_int_equal(host_lane(w->hosts[i], 0, &url, &lane), RESULT_OK);
    }
}

static bool may_start(struct world *w, unsigned host)
{
    return host_may_start(&w->table, w->hosts[host], 0, T0) == HOST_MAY;
}

static void start(struct world *w, unsigned host, unsigned count)
{
    while (count--) {
        w->table.now_us = T0;
        host_started(&w->table, w->hosts[host], &(struct request){ 0 });
    }
}

static void end(struct world *w, unsigned host, enum host_end how)
{
    host_ended(&w->table, w->hosts[host], &(struct request){ .attempt = 1, .started_us = T0 }, how,
               T0);
}

static void unresponsive__has_one_place__while_another_host_has_work(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    start(&w, 0, 4);
    start(&w, 1, 8);
    unresponsive_note(&w.table, w.hosts[1]);
    unresponsive_share(&w.table, 40, false);
    assert_true(unresponsive_is_beyond(&w.table, w.hosts[1]));
    assert_false(unresponsive_is_beyond(&w.table, w.hosts[0]));
    assert_true(may_start(&w, 0));
    for (unsigned i = 8; i > 1; i--) {
        assert_false(may_start(&w, 1));
        end(&w, 1, HOST_END_OURS);
    }
    assert_false(unresponsive_is_beyond(&w.table, w.hosts[1]));
    assert_false(may_start(&w, 1));
    end(&w, 1, HOST_END_SILENT);
    assert_true(may_start(&w, 1)); /* its next try */
    host_table_release(&w.table);
}

static void unresponsive__share_half_of_what_is_left__but_always_a_twentieth(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    start(&w, 0, 34);
    for (unsigned i = 1; i < 4; i++) {
        start(&w, i, 1);
        unresponsive_note(&w.table, w.hosts[i]);
    }
    unresponsive_share(&w.table, 40, false);
    assert_int_equal(w.table.unresponsive_in_flight, 3);
    assert_false(unresponsive_is_beyond(&w.table, w.hosts[3]));
    start(&w, 0, 2);
    unresponsive_share(&w.table, 40, false);
    assert_true(unresponsive_is_beyond(&w.table, w.hosts[3]));
    end(&w, 3, HOST_END_OURS);
    assert_false(unresponsive_is_beyond(&w.table, w.hosts[2]));
    assert_false(may_start(&w, 3)); /* two are their share */
    start(&w, 0, 2);
    unresponsive_share(&w.table, 40, false);
    assert_false(unresponsive_is_beyond(&w.table, w.hosts[2]));
    host_table_release(&w.table);
}

static void unresponsive__is_not_kept_back__when_no_other_host_has_work(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    start(&w, 1, 8);
    unresponsive_note(&w.table, w.hosts[1]);
    unresponsive_share(&w.table, 40, false);
    assert_true(may_start(&w, 1));
    assert_false(unresponsive_is_beyond(&w.table, w.hosts[1]));
    unresponsive_share(&w.table, 40, true); /* it may well be its own */
    assert_true(may_start(&w, 1));
    start(&w, 0, 1);
    unresponsive_share(&w.table, 40, false);
    assert_false(may_start(&w, 1));
    host_table_release(&w.table);
}

static void unresponsive__is_responsive_again__with_an_answer_of_any_kind(void **state)
{
    static const enum host_end answers[] = { HOST_END_WELL, HOST_END_REFUSED, HOST_END_BROKEN };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct world w;

        begin(&w);
        start(&w, 0, 1);
        start(&w, 1, 3);
        unresponsive_note(&w.table, w.hosts[1]);
        unresponsive_note(&w.table, w.hosts[1]); /* once is enough */
        end(&w, 1, HOST_END_SILENT);
        assert_true(w.hosts[1]->is_unresponsive);
        end(&w, 1, answers[i]);
        assert_false(w.hosts[1]->is_unresponsive);
        assert_int_equal(w.table.unresponsive_in_flight, 0);
        assert_int_equal(w.table.unresponsive_hosts, 0);
        unresponsive_share(&w.table, 40, false);
        assert_true(may_start(&w, 1));
        host_table_release(&w.table);
    }
}

static void unresponsive__is_kept_back__when_another_answered_and_more_is_to_come(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    start(&w, 0, 1);
    end(&w, 0, HOST_END_WELL);
    start(&w, 1, 2);
    unresponsive_note(&w.table, w.hosts[1]);
    unresponsive_share(&w.table, 40, false);
    assert_true(may_start(&w, 1));
    unresponsive_share(&w.table, 40, true);
    assert_false(may_start(&w, 1));
    assert_true(unresponsive_is_beyond(&w.table, w.hosts[1]));
    host_table_release(&w.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unresponsive__has_one_place__while_another_host_has_work),
        cmocka_unit_test(unresponsive__share_half_of_what_is_left__but_always_a_twentieth),
        cmocka_unit_test(unresponsive__is_not_kept_back__when_no_other_host_has_work),
        cmocka_unit_test(unresponsive__is_kept_back__when_another_answered_and_more_is_to_come),
        cmocka_unit_test(unresponsive__is_responsive_again__with_an_answer_of_any_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
