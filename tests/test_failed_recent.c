#include "engine/failed_recent.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include <string.h>

static struct failed_recent recent;

static void add(uint64_t id)
{
    struct failed_one *one = failed_recent_add(&recent, id, (struct failure){ .status = 404 }, id);

    assert_string_equal(one->request, "");
    assert_string_equal(one->said, "");
    snprintf(one->request, sizeof one->request, "GET /x");
}

static bool is_even(void *context, uint64_t id)
{
    ++*(size_t *)context;
    return id % 2 == 0;
}

static void latest__come_first__and_the_oldest_make_room(void **state)
{
    (void)state;
    memset(&recent, 0, sizeof recent);
    assert_null(failed_recent_at(&recent, 0));
    for (uint64_t id = 1; id <= FAILED_RECENT_MAX + 7; id++) {
        add(id);
        assert_int_equal(failed_recent_at(&recent, 0)->id, id);
    }
    assert_int_equal(recent.count, FAILED_RECENT_MAX);
    for (size_t i = 0; i < FAILED_RECENT_MAX; i++) {
        assert_int_equal(failed_recent_at(&recent, i)->id, FAILED_RECENT_MAX + 7 - i);
    }
    assert_null(failed_recent_at(&recent, FAILED_RECENT_MAX));
}

static void asked_again__are_taken_out__in_their_order(void **state)
{
    size_t asked = 0;

    (void)state;
    memset(&recent, 0, sizeof recent);
    for (uint64_t id = 1; id <= FAILED_RECENT_MAX + 51; id++) { /* the ring begins in its middle */
        add(id);
    }
    failed_recent_keep(&recent, is_even, &asked);
    assert_int_equal(asked, FAILED_RECENT_MAX);
    assert_int_equal(recent.count, FAILED_RECENT_MAX / 2);
    for (size_t i = 0; i < recent.count; i++) {
        assert_int_equal(failed_recent_at(&recent, i)->id, FAILED_RECENT_MAX + 50 - 2 * i);
    }
    add(7777);
    assert_int_equal(failed_recent_at(&recent, 0)->id, 7777);
    assert_int_equal(failed_recent_at(&recent, 1)->id, FAILED_RECENT_MAX + 50);
    assert_int_equal(recent.count, FAILED_RECENT_MAX / 2 + 1);
    assert_null(failed_recent_at(&recent, recent.count));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(latest__come_first__and_the_oldest_make_room),
        cmocka_unit_test(asked_again__are_taken_out__in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
