#include "ui/login.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CALLED .is_used = true, .is_called = true
#define LEFT .has_token = true, .expiry_known = true, .expires_in_us = 724 * US_PER_S

static void login__is_told__in_every_state(void **state)
{
    static const struct {
        struct snapshot_login login;
        const char *text, *brief;
        enum role role;
    } cases[] = {
        { { .is_used = false }, "", "", ROLE_TEXT },
        { { .is_used = true, .has_token = true }, "", "", ROLE_TEXT }, /* given: a key, a user */
        { { .is_used = true, .is_lost = true }, "refused", "refused", ROLE_BAD },
        { { CALLED }, "none yet", "none yet", ROLE_DIM },
        { { CALLED, .is_asking = true }, "asked", "asked", ROLE_WARN },
        { { CALLED, .asked_in_us = 3 * US_PER_S }, "again in 0:03", "again in 0:03", ROLE_WARN },
        { { CALLED, .has_token = true }, "ok", "ok", ROLE_TEXT },
        { { CALLED, LEFT }, "ok, expires in 12:04", "12:04", ROLE_TEXT },
        { { CALLED, LEFT, .is_asking = true }, "renewing, expires in 12:04", "12:04", ROLE_TEXT },
        { { CALLED, .has_token = true, .expiry_known = true, .is_asking = true },
          "asked",
          "asked",
          ROLE_WARN }, /* its time is over */
        { { CALLED, .is_lost = true }, "failed", "failed", ROLE_BAD },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[LOGIN_TEXT_MAX];
        enum role role;

        assert_int_equal(login_text(&cases[i].login, false, text, &role), cases[i].text[0] != 0);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(role, cases[i].role);
        assert_int_equal(login_text(&cases[i].login, true, text, &role), cases[i].text[0] != 0);
        assert_string_equal(text, cases[i].brief);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login__is_told__in_every_state),
    };

    return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
