#include "engine/fleet_login.h"

#include "base/json_write.h"
#include "base/os.h"
#include "engine/auth.h"
#include "engine/core.h"
#include "engine/events.h"
#include "engine/fleet_link_state.h"
#include "engine/fleet_login_state.h"
#include "fleet/sealed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGIN_MOST_US (60 * US_PER_S) /* who may log in says so again meanwhile, or is gone */
#define LOGIN_IDLE_US (2 * US_PER_S)  /* so long who may log in has done nothing */

/* The key that is common to the workers; empty: none. */
struct str fleet_login_key(void)
{
    const char *key = getenv(FLEET_LOGIN_KEY);

    return key ? str_view(key) : STR_NONE;
}

bool fleet_login_is_shared(const struct engine *e)
{
    const struct fleet_link *l = e->fleet_link;

    return l && l->login.is_shared && !e->auth.by_cookie;
}

enum result fleet_login_init(struct engine *e, struct err *err)
{
    struct str key = fleet_login_key();

    if (key.len && key.len < SEALED_SECRET_MIN) {
        return err_set(err, RESULT_INVALID, "E-FLEET1",
                       FLEET_LOGIN_KEY " has less than %d characters, and all such could be tried: "
                                       "`openssl rand -hex 32` makes one",
                       SEALED_SECRET_MIN);
    }
    e->fleet_link->login.is_shared = e->auth.is_asked && key.len;
    return RESULT_OK;
}

bool fleet_login_may(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;
    struct fleet_login_ask ask = { .most_us = LOGIN_MOST_US };

    if (!fleet_login_is_shared(e) || l->login.may) {
        return true;
    }
    if (!l->login.is_asked) {
        l->login.is_asked = true;
        ask.is_refused = l->login.is_refused;
        memcpy(ask.have, l->login.number, sizeof ask.have);
        fleet_login_ask(l->fleet, &ask);
    }
    return false;
}

void fleet_login_end(struct fleet_link *l, bool gives_up)
{
    l->login.may = l->login.is_asked = l->login.is_refused = false;
    fleet_login_rest(l->fleet, gives_up);
}

static enum result write_clear(const struct auth *a, struct buf *clear)
{
    struct json_writer w = json_write_begin(clear);

    json_write_object(&w, NULL);
    json_write_text(&w, "token", buf_view(&a->token));
    json_write_text(&w, "refresh", buf_view(&a->memory.refresh));
    json_write_object_end(&w);
    return w.result;
}

void fleet_login_tell(struct engine *e, const char *text)
{
    if (!e->fleet_link->login.is_told) {
        e->fleet_link->login.is_told = true;
        events_add(&e->events, EVENT_WARNING, "login", "", "%s", text);
    }
}

void fleet_login_got(struct engine *e, uint64_t life_us)
{
    struct fleet_link *l = e->fleet_link;
    struct buf clear = { .max = FLEET_LOGIN_CLEAR_MAX }, sealed = { .max = FLEET_SEALED_MAX };
    bool is_put;

    if (!l) {
        return;
    }
    if (!fleet_login_is_shared(e)) {
        if (l->login.is_shared) { /* by a cookie, as has turned out */
            fleet_login_tell(e,
                             "the login sets a cookie: each worker of the fleet logs in by itself");
            fleet_login_end(l, true);
        }
        if (e->auth.is_asked) {
            fleet_login_tell(
                e, "each worker of the fleet logs in by itself: with a common " FLEET_LOGIN_KEY
                   " one login is for all");
            fleet_login_note_own(l->fleet);
        }
        return;
    }
    is_put =
        write_clear(&e->auth, &clear) == RESULT_OK &&
        sealed_make(fleet_login_key(), str_view(l->digest), buf_view(&clear), &sealed) == RESULT_OK;
    if (is_put) {
        fleet_login_end(l, false);
        fleet_login_put(l->fleet, buf_view(&sealed), life_us, e->auth.memory.refresh.len > 0);
    } else {
        fleet_login_tell(
            e, "the login's token cannot be sealed on this machine: it stays with this worker");
        fleet_login_end(l, true);
    }
    auth_wipe(&clear);
    buf_release(&sealed);
}

void fleet_login_lost(struct engine *e)
{
    if (fleet_login_is_shared(e) && e->fleet_link->login.may) {
        fleet_login_end(e->fleet_link, true);
    }
}

void fleet_login_refused(struct engine *e)
{
    if (e->fleet_link) {
        e->fleet_link->login.is_refused = true;
    }
}

const char *fleet_login_explains(const struct engine *e)
{
    const struct fleet_link *l = e->fleet_link;

    return l && !l->login.is_shared && l->login.other_logins ? FLEET_LOGIN_ONE_SESSION : NULL;
}

/* What is let log in and does not keeps all others waiting. */
void fleet_login_tick(struct engine *e, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;
    bool is_at_it = e->auth.is_asking || e->auth.is_keeping || e->auth.tries > 0;

    if (!l->login.is_asked || is_at_it) {
        l->login.may_since_us = now_us;
    } else if (!engine_work_left(e) || e->phase != ENGINE_RUNNING ||
               (l->login.may && now_us > l->login.may_since_us + LOGIN_IDLE_US)) {
        fleet_login_end(l, l->login.may);
    }
}

void fleet_login_reset(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;

    l->login.may = l->login.is_asked = false;
    l->login.own_logins = l->login.other_logins = l->login.kicks = 0;
}
