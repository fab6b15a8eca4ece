/* What a login came to: the answer to a call, or what a command has printed. */
#include "engine/auth_state.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "engine/named_wait.h"
#include "job/template.h"
#include "plan/retry.h"

#include <stdio.h>
#include <string.h>

#define SHORTAGE_PAUSE_US 250000
#define ANSWER_DEPTH_MAX 64

/* The names of an object's members, for who looks for the right pointer. */
static void list_members(struct str body, char *names, size_t size)
{
    struct json_walk walk;
    struct str name;
    size_t used = 0;

    names[0] = '\0';
    json_walk_begin(&walk, body);
    while (json_walk_next(&walk, &name, NULL) && name.data && used + name.len + 3 < size) {
        used +=
            (size_t)snprintf(names + used, size - used, "%s%.*s", used ? ", " : "", STR_ARG(name));
    }
}

/* Seconds, as a number or as digits in a string; what is no such thing is as if it were absent. */
static uint64_t read_life_us(const struct job_login *login, struct str body)
{
    struct str value, digits;
    struct buf text = { .max = 32 };
    uint64_t seconds = 0;

    if (json_find(body, str_view(login->expires ? login->expires : "/expires_in"), &value) &&
        template_value_text(value, &text) == RESULT_OK) {
        digits = buf_view(&text);
        digits = str_cut(&digits, '.');
        if (!str_to_u64(digits, &seconds) || seconds > AUTH_LIFE_MAX_S) {
            seconds = 0;
        }
    }
    buf_release(&text);
    return seconds * US_PER_S;
}

/* Of two hundred that a login would answer, one is enough: the usual pointer was not found. */
static bool is_cookie_login(const struct auth *a, const struct response *response)
{
    return a->login->kind == &auth_call && response->sets_cookie &&
           (!a->login->token || strcmp(a->login->token, JOB_LOGIN_TOKEN) == 0);
}

static enum auth_news take_cookie(struct auth *a, const struct response *response,
                                  char why[AUTH_WHY_MAX])
{
    if (auth_is_sent_back(a, response)) {
        snprintf(why, AUTH_WHY_MAX,
                 "the login leads back to itself: the user or the password is wrong");
        return auth_lose(a);
    }
    buf_reset(&a->token);
    buf_reset(&a->header);
    buf_reset(&a->query);
    a->by_cookie = true;
    auth_have_token(a);
    auth_set_life(a, 0, 0);
    return AUTH_TOKEN;
}

static bool finds_token(const struct auth *a, struct str body)
{
    struct str value;

    return json_check(body, ANSWER_DEPTH_MAX, NULL) &&
           json_find(body, str_view(a->login->token ? a->login->token : JOB_LOGIN_TOKEN), &value);
}

static enum auth_news take_token(struct auth *a, const struct response *response, uint64_t now_us,
                                 char why[AUTH_WHY_MAX])
{
    const char *pointer = a->login->token ? a->login->token : JOB_LOGIN_TOKEN;
    struct str body = buf_view(&response->body), value;
    struct json_error error;
    bool is_there;
    char names[64];

    if (is_cookie_login(a, response) && !finds_token(a, body)) {
        return take_cookie(a, response, why);
    }
    if (!json_check(body, ANSWER_DEPTH_MAX, &error)) {
        snprintf(why, AUTH_WHY_MAX, "the login's answer is no JSON: %s", error.text);
        return auth_lose(a);
    }
    buf_reset(&a->token);
    is_there = json_find(body, str_view(pointer), &value);
    if (is_there && json_type_of(value) == JSON_STRING && value.len > 2 &&
        (template_value_text(value, &a->token) != RESULT_OK ||
         !auth_is_sendable(buf_view(&a->token)))) {
        snprintf(why, AUTH_WHY_MAX,
                 "the login's token at %.60s, of %zu bytes, is none that a header can hold: it is "
                 "too long, or has a control character",
                 pointer, value.len - 2);
        return auth_lose(a);
    }
    if (!is_there || (!a->token.len && template_value_text(value, &a->token) != RESULT_OK) ||
        !auth_is_sendable(buf_view(&a->token))) {
        list_members(body, names, sizeof names);
        snprintf(why, AUTH_WHY_MAX, "the login's answer has no token at %.60s; it has %s", pointer,
                 names[0] ? names : "no members");
        return auth_lose(a);
    }
    if (auth_make_credential(a) != RESULT_OK) {
        snprintf(why, AUTH_WHY_MAX, "out of memory for the token");
        return auth_lose(a);
    }
    auth_have_token(a);
    auth_set_life(a, read_life_us(a->login, body), now_us);
    return AUTH_TOKEN;
}

enum auth_news auth_take_printed(struct auth *a, struct str token, char why[AUTH_WHY_MAX])
{
    a->is_asking = false;
    why[0] = '\0';
    buf_reset(&a->token);
    if (!auth_is_sendable(token)) {
        snprintf(why, AUTH_WHY_MAX,
                 "the login's command printed what no header may hold, or over %d bytes",
                 AUTH_TOKEN_MAX);
        return auth_lose(a);
    }
    if (buf_append_str(&a->token, token) != RESULT_OK || auth_make_credential(a) != RESULT_OK) {
        snprintf(why, AUTH_WHY_MAX, "out of memory for the token");
        return auth_lose(a);
    }
    auth_have_token(a);
    auth_set_life(a, 0, 0);
    return AUTH_TOKEN;
}

void auth_take_refresh(struct auth *a, struct str refresh)
{
    if (refresh.len && a->login->refresh.sent &&
        !str_equal(refresh, buf_view(&a->memory.refresh))) {
        buf_reset(&a->memory.refresh);
        a->memory.is_rotated = buf_append_str(&a->memory.refresh, refresh) == RESULT_OK;
    }
}

enum auth_news auth_take_shared(struct auth *a, struct str token, struct str refresh,
                                uint64_t life_us, uint64_t now_us)
{
    buf_reset(&a->token);
    if (!auth_is_sendable(token) || buf_append_str(&a->token, token) != RESULT_OK ||
        auth_make_credential(a) != RESULT_OK) {
        a->has_token = false;
        return AUTH_LATER;
    }
    auth_take_refresh(a, refresh);
    auth_have_token(a);
    a->asked_us = now_us;
    auth_set_life(a, life_us, now_us);
    return AUTH_TOKEN;
}

enum auth_news auth_failed_passing(struct auth *a, uint64_t now_us, uint64_t random)
{
    a->is_asking = false;
    if (!a->logins || a->tries >= a->retry->attempts) {
        return auth_lose(a);
    }
    a->due_us = now_us + retry_backoff_us(a->retry, a->tries, random, NULL);
    return AUTH_LATER;
}

enum auth_news auth_fail(struct auth *a)
{
    a->is_asking = false;
    return auth_lose(a);
}

/* "invalid_client", when the answer says it as RFC 6749 section 5.2 does. */
static void add_error_code(const struct response *response, char why[AUTH_WHY_MAX])
{
    struct str body = buf_view(&response->body), value, code;
    size_t used = strlen(why);

    if (!json_check(body, ANSWER_DEPTH_MAX, NULL) || !json_find(body, STR("/error"), &value)) {
        return;
    }
    code = json_string_raw(value);
    if (code.len && code.len <= 40) {
        snprintf(why + used, AUTH_WHY_MAX - used, ", %.*s", STR_ARG(code));
    }
}

static enum auth_news later(struct auth *a, const struct response *response, uint64_t now_us,
                            int64_t wall_us, uint64_t random, char why[AUTH_WHY_MAX])
{
    struct named_wait named = named_wait_read(response, wall_us);
    uint64_t wait_us = named.us;

    if (!named.is_named) {
        wait_us = retry_backoff_us(a->retry, a->tries, random, NULL);
    } else if (wait_us > a->retry->max_wait_us) {
        char length[UNITS_TEXT_MAX];

        units_format_time(wait_us, length);
        snprintf(why, AUTH_WHY_MAX, "the server asks the login to wait %s", length);
        return auth_lose(a);
    }
    a->due_us = now_us + (named.is_named ? named_wait_kept_us(wait_us) : wait_us);
    return AUTH_LATER;
}

/* Servers must understand the header, but some know only the form: RFC 6749 section 2.3.1. */
static bool may_try_the_form(const struct auth *a, const struct response *response)
{
    return a->client.len && !a->has_tried_both && a->logins == 0 &&
           (response->status == 400 || response->status == 401);
}

/* What the kind itself makes of it. True when that is all. */
static bool kind_answered(struct auth *a, const struct response *response, uint64_t now_us,
                          enum auth_news *news, char why[AUTH_WHY_MAX])
{
    struct auth_answer answer = { .status = response->status, .body = buf_view(&response->body) };

    if (!a->login->kind->answered || !response->status) {
        return false;
    }
    switch (a->login->kind->answered(a->login, &a->memory, &answer)) {
    case AUTH_WORD_USUAL:
        return false;
    case AUTH_WORD_AGAIN:
        a->tries = 0; /* it went as it should */
        a->due_us = now_us + answer.wait_us;
        *news = AUTH_LATER;
        return true;
    case AUTH_WORD_LOST:
        memcpy(why, answer.why, sizeof answer.why);
        *news = auth_lose(a);
        return true;
    }
    return false;
}

/* A refresh token of an earlier session may have been taken back: the one that is given comes next. */
static bool may_try_the_given_one(struct auth *a, const struct response *response)
{
    bool may = a->memory.refresh.len && !a->has_tried_given &&
               (response->status == 400 || response->status == 401);

    a->has_tried_given |= may;
    return may;
}

enum auth_news auth_answered(struct auth *a, const struct response *response, uint64_t now_us,
                             int64_t wall_us, uint64_t random, char why[AUTH_WHY_MAX])
{
    const struct attempt attempt = {
        .outcome = response->outcome,
        .status = response->status,
        .attempt = a->tries,
        .idempotent = true, /* two tokens harm nobody */
        .sent = response->sent,
    };

    enum auth_news news;

    a->is_asking = false;
    why[0] = '\0';
    if (kind_answered(a, response, now_us, &news, why)) {
        return news;
    }
    switch (retry_judge(&attempt, a->retry)) {
    case VERDICT_DONE:
        return take_token(a, response, now_us, why);
    case VERDICT_AGAIN:
        return later(a, response, now_us, wall_us, random, why);
    case VERDICT_FREE:
        a->tries--;
        a->due_us = now_us + SHORTAGE_PAUSE_US;
        return AUTH_LATER;
    case VERDICT_REDIRECT:
        if (is_cookie_login(a, response)) {
            return take_cookie(a, response, why);
        }
        snprintf(why, AUTH_WHY_MAX, "the login answers with a redirect (%d): give its real URL",
                 response->status);
        return auth_lose(a);
    case VERDICT_FINAL:
        break;
    }
    if (may_try_the_form(a, response)) {
        a->memory.in_body = a->has_tried_both = true;
        a->due_us = now_us;
        return AUTH_LATER;
    }
    if (may_try_the_given_one(a, response)) {
        buf_reset(&a->memory.refresh);
        a->due_us = now_us;
        return AUTH_LATER;
    }
    snprintf(why, AUTH_WHY_MAX, "the login failed: %.80s", response->reason);
    add_error_code(response, why);
    return auth_lose(a);
}
