#include "engine/login.h"

#include "base/os.h"
#include "base/utf8.h"
#include "engine/auth.h"
#include "engine/cookie_jar.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/fleet_login.h"
#include "engine/hidden.h"
#include "engine/kept_write.h"
#include "engine/login_command.h"
#include "engine/pace.h"
#include "engine/poll.h"
#include "engine/proxy_watch.h"
#include "plan/host_hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what must not be shown --------------------------------------------------------------------------- */

/* The latest tokens: an answer that echoes one may be looked at after the next has come. */
static enum result keep_token(struct login_state *l, struct str token)
{
    char *copy = str_dup(token);

    if (!copy) {
        return RESULT_NOMEM;
    }
    if (l->token_count == LOGIN_TOKENS_KEPT) {
        os_wipe(l->tokens[0], strlen(l->tokens[0]));
        free(l->tokens[0]);
        memmove(&l->tokens[0], &l->tokens[1], sizeof l->tokens - sizeof l->tokens[0]);
        l->token_count--;
    }
    l->tokens[l->token_count++] = copy;
    return RESULT_OK;
}

/* --- making and unmaking ------------------------------------------------------------------------------ */

static enum result refer(struct engine *e, struct str text, uint32_t *index, bool *has,
                         struct err *err)
{
    struct url url;
    enum result result = url_split(text, &url, err);

    if (result == RESULT_OK) {
        result = host_find(&e->hosts, &url, index, err);
    }
    if (result == RESULT_OK) {
        host_ref(&e->hosts, *index);
        *has = true;
    }
    return result;
}

#define REFRESH_FILE "refresh-token" /* in the run's directory */

/* A refresh token that came from a file is kept there; any other one in the run's directory, where that of the
 * last session may be. */
static enum result open_refresh(struct engine *e, struct err *err)
{
    const struct job_secret *given = &e->job->login.refresh;
    struct kept_file *file = &e->login.refresh;
    struct buf text = { .max = SECRET_FILE_MAX };
    enum result result;

    if (!e->auth.login || !given->sent) {
        return RESULT_OK;
    }
    if (given->given && given->given[0] == '@' && given->given[1] != '@') {
        return kept_file_at(file, given->given + 1, err);
    }
    result = kept_file_of_run(file, e->options.dir, REFRESH_FILE, err);
    if (result == RESULT_OK) {
        result = kept_file_read(file, AUTH_TOKEN_MAX, &text, err);
    }
    if (result == RESULT_OK) {
        result = buf_append_str(&e->auth.memory.refresh, str_trim(buf_view(&text)));
    }
    auth_wipe(&text);
    return result == RESULT_NOT_FOUND ? RESULT_OK
           : result == RESULT_OK      ? hidden_collect(e, err)
                                      : result;
}

enum result login_init(struct engine *e, struct err *err)
{
    struct login_state *l = &e->login;
    enum result result = auth_init(&e->auth, e->job, err);

    if (result == RESULT_OK) {
        result = hidden_collect(e, err);
    }
    if (result == RESULT_OK && e->auth.login) {
        result = refer(e, str_view(e->auth.origin), &l->home, &l->has_home, err);
    }
    if (result == RESULT_OK && e->auth.login && e->auth.login->kind->is_asked) {
        result = refer(e, str_view(e->auth.login->url), &l->host, &l->has_host, err);
    }
    if (result == RESULT_OK && e->auth.login && e->auth.login->device_url) {
        result = refer(e, str_view(e->auth.login->device_url), &l->device_host, &l->has_device_host,
                       err);
    }
    return result == RESULT_OK ? open_refresh(e, err) : result;
}

void login_release(struct engine *e)
{
    kept_file_close(&e->login.refresh);
    auth_release(&e->auth);
    secrets_release(&e->secrets);
    for (size_t i = 0; i < e->login.token_count; i++) {
        os_wipe(e->login.tokens[i], strlen(e->login.tokens[i]));
        free(e->login.tokens[i]);
    }
}

/* --- asking ------------------------------------------------------------------------------------------- */

void login_look(struct engine *e, uint64_t now_us)
{
    if (e->login.has_home) {
        host_at(&e->hosts, e->login.home)->awaits_login = auth_is_awaited(&e->auth, now_us);
    }
}

/* When its host may be asked again, as far as holds go. */
static uint64_t host_free_us(const struct engine *e)
{
    return e->login.has_host ? host_hold(host_at(&e->hosts, e->login.host), 0).until_us : 0;
}

bool login_is_due(struct engine *e, uint64_t now_us)
{
    return e->login.is_demanded && auth_should_ask(&e->auth, now_us) && host_free_us(e) <= now_us &&
           fleet_login_may(e);
}

uint64_t login_wake_us(struct engine *e)
{
    uint64_t wake_us = auth_wake_us(&e->auth), free_us = host_free_us(e);

    e->login.is_demanded = true;
    wake_us = wake_us > free_us ? wake_us : free_us;
    return wake_us <= engine_now_us(e) && !fleet_login_may(e) ? TIME_NEVER : wake_us;
}

/* What held a password or a token is overwritten before its memory goes back. */
static void forget_request(struct request *request)
{
    if (request && request->body.len) {
        os_wipe(request->text + (request->body.data - request->text), request->body.len);
    }
    request_free(request);
}

static bool give_lane(struct host *host, struct request *request)
{
    struct url url;

    return url_split(request->url, &url, NULL) == RESULT_OK &&
           host_lane(host, request->endpoint, &url, &request->lane) == RESULT_OK;
}

static void start_call(struct engine *e, uint64_t now_us)
{
    struct fetch_extra extra;
    struct request *request;
    struct host *host;
    uint32_t number;

    e->auth.memory.wall_us = clock_wall_us(&e->options.clock);
    request = auth_ask(&e->auth, (uint32_t)e->job->endpoint_count, now_us, &extra);
    number = e->login.has_device_host && request &&
                     str_equal(request_url(request), str_view(e->auth.login->device_url))
                 ? e->login.device_host
                 : e->login.host;
    host = host_at(&e->hosts, number);
    extra.proxy = request ? proxy_of(e, number) : 0;
    if (request && hidden_collect(e, NULL) == RESULT_OK && give_lane(host, request) &&
        fetch_start(e->fetch, request, &extra) == RESULT_OK) {
        request->attempt = e->auth.tries;
        request->host = number;
        request->since_us = now_us;
        e->hosts.now_us = now_us;
        host_started(&e->hosts, host, request);
        pacer_start(&e->pace.pacer, now_us);
        e->session.sent++;
        return;
    }
    if (request) {
        auth_cancelled(&e->auth);
        forget_request(request);
    }
    e->pace.shortage_until_us = now_us + US_PER_S;
    pace_note_no_memory(e, now_us);
    events_add(&e->events, EVENT_WARNING, "shortage", "", "out of memory starting a login");
}

static void take_printed(struct engine *e, const struct login_printed *printed);

void login_start(struct engine *e, uint64_t now_us)
{
    e->login.is_demanded = false;
    if (auth_run(&e->auth, now_us)) {
        login_command_start(e, take_printed);
    } else {
        start_call(e, now_us);
    }
}

void login_stop(struct engine *e)
{
    login_command_stop(e);
}

size_t login_in_flight(const struct engine *e)
{
    return e->auth.is_asking && !e->login.command;
}

void login_carry(struct engine *e, struct request *request, struct fetch_extra *extra,
                 uint64_t now_us)
{
    if (!login_is_carried(e, request)) {
        return;
    }
    auth_carry(&e->auth, request, extra);
    tokens_carry(e, request, extra);
    e->login.is_demanded |= auth_should_ask(&e->auth, now_us);
}

/* --- answers ------------------------------------------------------------------------------------------ */

/* The host that is asked for the token, or that it is for when a command gives it. */
static struct str label_of(const struct engine *e)
{
    if (!e->login.has_host && !e->login.has_home) {
        return STR_NONE;
    }
    return host_at(&e->hosts, e->login.has_host ? e->login.host : e->login.home)->label;
}

static void tell(struct engine *e, enum event_level level, const char *kind, const char *fields,
                 const char *text)
{
    struct str label = label_of(e);

    events_add_host(&e->events, level, kind, label, fields, "%.*s%s%s", STR_ARG(label),
                    label.len ? ": " : "", text);
}

void login_lose(struct engine *e, const char *why)
{
    char shown[sizeof e->ending.why] = "the login failed";
    struct buf text = { 0 };

    events_add(&e->events, EVENT_ERROR, "auth", ",\"code\":\"E-AUTH2\"", "%s", why);
    /* The report repeats it, and it may hold words of the server's. */
    if (secrets_redact(&e->secrets, str_view(why), SECRETS_BEGUN, &text) == RESULT_OK) {
        utf8_display(shown, sizeof shown, buf_view(&text), sizeof shown);
    }
    buf_release(&text);
    engine_stop_for(e, "E-AUTH2", shown);
    if (e->ending.exit == EXIT_WELL) {
        e->ending.exit = EXIT_AUTH;
    }
}

/* As above, with the host that says so. */
static void lose_by(struct engine *e, struct str label, const char *why)
{
    char said[sizeof e->ending.why];

    snprintf(said, sizeof said, "%.*s%s%s", STR_ARG(label), label.len ? ": " : "", why);
    login_lose(e, said);
}

static void tell_token(struct engine *e, uint64_t now_us)
{
    const char *how = e->login.is_taken ? "another worker of the fleet has logged in" : "logged in";
    bool is_endless = e->auth.expires_us == TIME_NEVER;
    char length[UNITS_TEXT_MAX], text[UNITS_TEXT_MAX + 64];
    struct err err;

    if (keep_token(&e->login, buf_view(&e->auth.token)) != RESULT_OK ||
        hidden_collect(e, &err) != RESULT_OK) {
        e->auth.is_lost = true; /* a token that cannot be kept from being shown is not used */
        login_lose(e, "out of memory for the login's token");
        return;
    }
    if (!e->login.is_taken) {
        fleet_login_got(e, is_endless ? 0 : e->auth.expires_us - now_us);
    }
    if (is_endless) {
        tell(e, EVENT_INFO, "login", "", how);
        return;
    }
    units_format_time(e->auth.expires_us - now_us, length);
    snprintf(text, sizeof text, "%s, for %s", how, length);
    tell(e, EVENT_INFO, "login", "", text);
}

static void on_refresh_kept(struct engine *e, enum result result, const struct err *err)
{
    auth_kept(&e->auth);
    if (result != RESULT_OK) {
        char text[sizeof err->text + 96];

        snprintf(text, sizeof text,
                 "the new refresh token is not kept, and the next session needs another one: %s",
                 err->text);
        tell(e, EVENT_ERROR, "login", "", text);
    }
    tell_token(e, engine_now_us(e));
}

/* A refresh token that is new is kept before the token that came with it is used: with that a server may take
 * back the old one. */
static void take_token(struct engine *e, uint64_t now_us)
{
    struct buf text = { 0 };

    if (!auth_wants_keeping(&e->auth)) {
        tell_token(e, now_us);
        return;
    }
    if (hidden_collect(e, NULL) != RESULT_OK ||
        buf_append_str(&text, buf_view(&e->auth.memory.refresh)) != RESULT_OK ||
        buf_append_char(&text, '\n') != RESULT_OK) {
        auth_wipe(&text);
        auth_kept(&e->auth);
        login_lose(e, "out of memory for the refresh token");
        return;
    }
    kept_write(e, &e->login.refresh, &text, on_refresh_kept);
}

/* Somebody is to do something: said once. */
static void tell_prompt(struct engine *e)
{
    const char *prompt = e->auth.memory.prompt;

    if (strcmp(prompt, e->login.told) != 0) {
        snprintf(e->login.told, sizeof e->login.told, "%s", prompt);
        if (prompt[0]) {
            /* Without the host before it: in 80 columns nothing of it may be cut off. */
            events_add_host(&e->events, EVENT_NOTICE, "login", label_of(e), "", "%s", prompt);
        }
    }
}

static void take_news(struct engine *e, enum auth_news news, const char *reason, const char *why)
{
    uint64_t now_us = engine_now_us(e);
    char length[UNITS_TEXT_MAX], text[UNITS_TEXT_MAX + AUTH_WHY_MAX + 32];

    tell_prompt(e);
    e->login.is_taken = false;
    switch (news) {
    case AUTH_TOKEN:
        take_token(e, now_us);
        break;
    case AUTH_LATER:
        e->login.is_demanded = true;
        if (e->auth.due_us > now_us && !e->auth.memory.prompt[0]) {
            units_format_time(e->auth.due_us - now_us, length);
            snprintf(text, sizeof text, "login: %s; again in %s", reason, length);
            tell(e, EVENT_WARNING, "login", "", text);
        }
        break;
    case AUTH_LOST:
        fleet_login_lost(e);
        lose_by(e, label_of(e), why);
        break;
    }
}

void login_take_shared(struct engine *e, struct str token, struct str refresh, uint64_t life_us)
{
    uint64_t now_us = engine_now_us(e);

    if (!e->auth.is_asking && !e->auth.is_keeping &&
        auth_take_shared(&e->auth, token, refresh, life_us, now_us) == AUTH_TOKEN) {
        e->login.is_taken = true;
        take_token(e, now_us);
    }
    engine_want_turn(e);
}

static void take_answer(struct engine *e, struct response *response)
{
    char why[AUTH_WHY_MAX];
    enum auth_news news = auth_answered(&e->auth, response, engine_now_us(e),
                                        clock_wall_us(&e->options.clock), engine_random(e), why);

    take_news(e, news, response->reason, why);
}

/* A command that fails may do better later, when it has done well before. */
static void take_printed(struct engine *e, const struct login_printed *printed)
{
    char why[AUTH_WHY_MAX];
    enum auth_news news;

    if (printed->is_stopped) {
        auth_cancelled(&e->auth);
        return;
    }
    if (printed->token.len) {
        news = auth_take_printed(&e->auth, printed->token, why);
    } else {
        snprintf(why, sizeof why, "%s", printed->why);
        news = printed->is_passing
                   ? auth_failed_passing(&e->auth, engine_now_us(e), engine_random(e))
                   : auth_fail(&e->auth);
    }
    take_news(e, news, why, why);
}

bool login_takes(struct engine *e, struct response *response)
{
    struct request *request = response->request;
    struct host *host;

    if (request->id != 0) {
        return false;
    }
    host = host_at(&e->hosts, request->host);
    pace_ended(e, host, response, false, false, engine_now_us(e));
    if (response->outcome == OUTCOME_CANCELLED) {
        auth_cancelled(&e->auth);
    } else {
        host->requests++;
        take_answer(e, response);
    }
    if (response->body.data) {
        os_wipe(response->body.data, response->body.cap);
    }
    response->request = NULL;
    forget_request(request);
    fetch_recycle(e->fetch, response);
    return true;
}

bool login_is_carried(const struct engine *e, const struct request *request)
{
    return e->login.has_home && !request->foreign &&
           (request->host == e->login.home || host_at(&e->hosts, request->host)->twin);
}

/* Its token is refused. */
static enum login_word heed_refusal(struct engine *e, struct request *request)
{
    bool had_token = e->auth.has_token;
    enum auth_refusal refusal;
    const char *because;
    char why[AUTH_WHY_MAX];

    refusal = auth_refused(&e->auth, request, why);
    if (had_token && !e->auth.has_token) {
        fleet_login_refused(e);
    }
    switch (refusal) {
    case AUTH_REFUSAL_FREE:
        return LOGIN_FREE;
    case AUTH_REFUSAL_TRY:
        return LOGIN_TRY;
    case AUTH_REFUSAL_LOST:
        because = fleet_login_explains(e);
        lose_by(e, host_at(&e->hosts, request->host)->label, because ? because : why);
        break;
    }
    return LOGIN_FREE; /* it stays pending, for a session with a better one */
}

void login_accepted(struct engine *e, struct request *request)
{
    if (login_is_carried(e, request)) {
        auth_accepted(&e->auth, request);
    }
}

enum login_word login_heed(struct engine *e, struct response *response)
{
    struct request *request = response->request;

    if (response->outcome == OUTCOME_OK || poll_is_not_modified(response)) {
        login_accepted(e, request);
        return LOGIN_SILENT;
    }
    /* A server that has forgotten its nonces need not say so. Who asks with none then is challenged anew, so each of
     * the transfers ends here once. */
    if (response->challenge_is_old) {
        return LOGIN_FREE;
    }
    return (response->status == 401 ||
            (e->auth.by_cookie && auth_is_sent_back(&e->auth, response))) &&
                   e->auth.is_asked && login_is_carried(e, request)
               ? heed_refusal(e, request)
               : LOGIN_SILENT;
}

enum login_word login_refused(struct engine *e, struct response *response)
{
    char why[AUTH_WHY_MAX];

    if (e->auth.is_asked && login_is_carried(e, response->request)) {
        return heed_refusal(e, response->request);
    }
    snprintf(why, sizeof why, "the credential is refused: %.100s", response->reason);
    lose_by(e, host_at(&e->hosts, response->request->host)->label, why);
    return LOGIN_FREE;
}

void login_snapshot(const struct engine *e, uint64_t now_us, struct snapshot_login *out)
{
    const struct auth *a = &e->auth;

    if (!e->login.has_home) {
        return;
    }
    out->is_used = true;
    out->is_called = a->is_asked;
    out->has_token = a->has_token;
    out->is_lost = a->is_lost;
    out->is_asking = a->is_asking;
    out->expiry_known = a->has_token && a->expires_us != TIME_NEVER;
    memcpy(out->prompt, a->memory.prompt, sizeof out->prompt);
    if (out->expiry_known && a->expires_us > now_us) {
        out->expires_in_us = a->expires_us - now_us;
    }
    if (a->tries && !a->is_asking && !a->is_lost && a->due_us > now_us) {
        out->asked_in_us = a->due_us - now_us;
    }
}
