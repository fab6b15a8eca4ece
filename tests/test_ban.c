#include "plan/ban.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S UINT64_C(1000000)

static void refused__holds_ever_longer__and_is_for_good_in_the_end(void **state)
{
    static const uint64_t want_s[] = { 1, 2, 4, 8, 15 };
    struct ban ban = { .row = 0 };
    uint64_t now_us = S;
    bool is_for_good;

    (void)state;
    assert_false(ban_well(&ban, 1));
    for (unsigned i = 1; i < BAN_ROW; i++) {
        assert_int_equal(ban_refused(&ban, now_us, now_us, &is_for_good), 0);
    }
    assert_false(ban_well(&ban, now_us - 1)); /* was in flight when the row began */
    for (unsigned i = 0; i < BAN_HOLDS_MAX; i++) {
        uint64_t hold_us = ban_refused(&ban, now_us, now_us, &is_for_good);

        assert_int_equal(hold_us, want_s[i] * S);
        assert_false(is_for_good);
        assert_int_equal(ban_refused(&ban, now_us, now_us + 1, &is_for_good),
                         0); /* was in flight */
        now_us += hold_us;
    }
    assert_int_equal(ban_refused(&ban, now_us, now_us, &is_for_good), 15 * S);
    assert_true(is_for_good);
    assert_true(ban_well(&ban, now_us));
    assert_int_equal(ban_refused(&ban, now_us, now_us, &is_for_good), 0);
    assert_false(ban_is_on(&ban));
}

static unsigned refuse(struct ban *ban, uint64_t now_us, unsigned times)
{
    unsigned held = 0;
    bool is_for_good;

    while (times--) {
        held += ban_refused(ban, now_us, now_us, &is_for_good) > 0;
    }
    return held;
}

static void refused__is_no_ban__where_nothing_went_well(void **state)
{
    struct ban ban = { .row = 0 };

    (void)state;
    assert_int_equal(refuse(&ban, S, 3 * BAN_ROW), 0);
}

static void refused__is_no_ban__where_it_is_usual(void **state)
{
    struct ban ban = { .row = 0 };

    (void)state;
    ban_well(&ban, 1);
    refuse(&ban, 2, 1);
    ban_well(&ban, 3);
    assert_int_equal(refuse(&ban, 4, 3 * BAN_ROW), 0); /* one in three came alone */

    ban = (struct ban){ .row = 0 };
    for (unsigned i = 0; i < BAN_USUAL_PART; i++) {
        ban_well(&ban, 1);
    }
    refuse(&ban, 2, 1);
    ban_well(&ban, 3);
    assert_int_equal(refuse(&ban, 4, BAN_ROW), 1); /* one in 21 */
}

/* The host was well, and goes on refusing: it is these URLs that are not for us. */
static void refused__is_no_ban__when_the_row_goes_on_after_the_host_was_well(void **state)
{
    static const unsigned between[] = { 1, BAN_APART - 1, BAN_APART };

    (void)state;
    for (size_t i = 0; i < sizeof between / sizeof between[0]; i++) {
        struct ban ban = { .row = 0 };

        ban_well(&ban, 1);
        assert_int_equal(refuse(&ban, S, BAN_ROW), 1);
        assert_true(ban_is_on(&ban));
        assert_true(ban_well(&ban, 3 * S));
        assert_false(ban_is_on(&ban));
        for (unsigned n = 0; n < between[i]; n++) {
            assert_false(ban_well(&ban, 3 * S + n));
        }
        assert_int_equal(refuse(&ban, 5 * S, BAN_ROW), between[i] >= BAN_APART);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused__holds_ever_longer__and_is_for_good_in_the_end),
        cmocka_unit_test(refused__is_no_ban__where_nothing_went_well),
        cmocka_unit_test(refused__is_no_ban__where_it_is_usual),
        cmocka_unit_test(refused__is_no_ban__when_the_row_goes_on_after_the_host_was_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
