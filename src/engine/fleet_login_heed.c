/* What comes back of a common login. Apart from fleet_login.c, which engine/login.h calls: here it is called. */
#include "base/json_scan.h"
#include "base/json_text.h"
#include "engine/core.h"
#include "engine/fleet_link_state.h"
#include "engine/fleet_login_state.h"
#include "engine/login.h"
#include "fleet/sealed.h"

#include <string.h>

static bool read_text(struct str clear, const char *pointer, struct buf *out)
{
    struct str value;

    return json_find(clear, str_view(pointer), &value) && json_type_of(value) == JSON_STRING &&
           json_unescape(out, json_string_raw(value), NULL) == RESULT_OK;
}

/* Another key, or none of ours: this worker goes on as one without. */
static void leave_login(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;

    fleet_login_tell(e, "the fleet's token was sealed with another " FLEET_LOGIN_KEY
                        ": this worker logs in by itself");
    l->login.is_shared = false;
    fleet_login_end(l, false);
}

static void take_sealed(struct engine *e, const struct fleet_login_news *news)
{
    struct fleet_link *l = e->fleet_link;
    struct buf clear = { .max = FLEET_LOGIN_CLEAR_MAX };
    struct buf token = { .max = AUTH_TOKEN_MAX }, refresh = { .max = AUTH_TOKEN_MAX };
    enum result result =
        sealed_open(fleet_login_key(), str_view(l->digest), buf_view(&news->sealed), &clear);

    if (result == RESULT_OK && json_check(buf_view(&clear), 2, NULL) &&
        read_text(buf_view(&clear), "/token", &token) &&
        read_text(buf_view(&clear), "/refresh", &refresh) && token.len) {
        fleet_login_end(l, false);
        memcpy(l->login.number, news->number, sizeof l->login.number);
        login_take_shared(e, buf_view(&token), buf_view(&refresh), news->left_us);
    } else {
        leave_login(e);
    }
    auth_wipe(&clear);
    auth_wipe(&token);
    auth_wipe(&refresh);
}

/* The latest refresh token, which may be the only one that is still good. */
static void take_refresh(struct engine *e, const struct fleet_login_news *news)
{
    struct buf clear = { .max = FLEET_LOGIN_CLEAR_MAX }, refresh = { .max = AUTH_TOKEN_MAX };

    if (sealed_open(fleet_login_key(), str_view(e->fleet_link->digest), buf_view(&news->sealed),
                    &clear) == RESULT_OK &&
        json_check(buf_view(&clear), 2, NULL) &&
        read_text(buf_view(&clear), "/refresh", &refresh)) {
        auth_take_refresh(&e->auth, buf_view(&refresh));
    }
    auth_wipe(&clear);
    auth_wipe(&refresh);
}

/* Others have logged in since this worker did last, and then its token was refused. */
static void look_for_kicks(struct engine *e, uint64_t logins)
{
    struct fleet_link *l = e->fleet_link;
    uint64_t others;

    others = logins - ++l->login.own_logins;
    if (!l->login.is_refused || others == l->login.other_logins) {
        l->login.kicks = 0;
    } else {
        l->login.kicks++;
    }
    l->login.other_logins = others;
    l->login.is_refused = false;
    if (l->login.kicks >= FLEET_LOGIN_KICKS) {
        login_lose(e, FLEET_LOGIN_ONE_SESSION);
    }
}

void fleet_login_heed(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;
    struct fleet_login_news news;

    if (!fleet_login_take(l->fleet, &news)) {
        return;
    }
    if (news.is_put) {
        memcpy(l->login.number, news.number, sizeof l->login.number);
    }
    if (news.is_own) {
        look_for_kicks(e, news.logins);
    }
    if (l->login.is_asked && fleet_login_is_shared(e)) {
        if (news.sealed.len && !news.may) {
            take_sealed(e, &news);
        } else if (news.may && !l->login.may) {
            take_refresh(e, &news);
            l->login.may = true;
            l->login.may_since_us = engine_now_us(e);
            e->login.is_demanded = true;
        }
    }
    buf_release(&news.sealed);
}
