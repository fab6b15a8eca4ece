#include "ui/login.h"

#include "base/units.h"

#include <stdio.h>

static void expiry_text(const struct snapshot_login *l, bool brief, char text[LOGIN_TEXT_MAX])
{
    const char *word = l->is_asking ? "renewing" : "ok";
    char left[UNITS_TEXT_MAX];

    units_format_countdown(l->expires_in_us, left);
    if (!l->expiry_known) {
        snprintf(text, LOGIN_TEXT_MAX, "%s", word);
    } else if (brief) {
        snprintf(text, LOGIN_TEXT_MAX, "%s", left);
    } else {
        snprintf(text, LOGIN_TEXT_MAX, "%s, expires in %s", word, left);
    }
}

bool login_text(const struct snapshot_login *l, bool brief, char text[LOGIN_TEXT_MAX],
                enum role *role)
{
    *role = ROLE_TEXT;
    text[0] = '\0';
    if (!l->is_used || (!l->is_called && !l->is_lost)) {
        return false;
    }
    if (l->is_lost) {
        *role = ROLE_BAD;
        snprintf(text, LOGIN_TEXT_MAX, "%s", l->is_called ? "failed" : "refused");
    } else if (l->has_token && (!l->expiry_known || l->expires_in_us)) {
        expiry_text(l, brief, text);
    } else if (l->prompt[0] && !brief) {
        *role = ROLE_WARN;
        snprintf(text, LOGIN_TEXT_MAX, "%s", l->prompt);
    } else if (l->is_asking) {
        *role = ROLE_WARN;
        snprintf(text, LOGIN_TEXT_MAX, "asked");
    } else if (l->asked_in_us) {
        char left[UNITS_TEXT_MAX];

        units_format_countdown(l->asked_in_us, left);
        *role = ROLE_WARN;
        snprintf(text, LOGIN_TEXT_MAX, "again in %s", left);
    } else {
        *role = ROLE_DIM;
        snprintf(text, LOGIN_TEXT_MAX, "none yet"); /* nobody has had a use for one */
    }
    return true;
}
