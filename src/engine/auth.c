#include "engine/auth.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "engine/named_wait.h"
#include "job/template.h"
#include "plan/retry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_SEND "Authorization: Bearer {token}"
#define PLACEHOLDER "{token}"
#define CREDENTIAL_MAX (2 * AUTH_TOKEN_MAX)
#define SHORTAGE_PAUSE_US 250000
#define ANSWER_DEPTH_MAX 64

/* --- texts ---------------------------------------------------------------------------------------- */

/* What a header or a query may hold. */
static bool is_sendable(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F) {
            return false;
        }
    }
    return text.len > 0 && text.len <= AUTH_TOKEN_MAX;
}

/* The header line that `send` makes of the token. */
static enum result append_sent(struct buf *out, const char *send, struct str token)
{
    const char *at = strstr(send, PLACEHOLDER);
    struct str head = { send, at ? (size_t)(at - send) : strlen(send) };
    struct str tail = str_view(at ? at + sizeof PLACEHOLDER - 1 : "");
    enum result result = buf_append_str(out, head);

    if (result == RESULT_OK && at) {
        result = buf_append_str(out, token);
    }
    return result == RESULT_OK ? buf_append_str(out, tail) : result;
}

/* The credential out of auth->token. */
static enum result make_credential(struct auth *a)
{
    const struct job_login *login = a->login;
    struct str token = buf_view(&a->token);

    buf_reset(&a->header);
    buf_reset(&a->query);
    return login->kind->credential
               ? login->kind->credential(login, token, &a->header, &a->query)
               : append_sent(&a->header, login->send ? login->send : USUAL_SEND, token);
}

/* --- making it --------------------------------------------------------------------------------------- */

/* The origin of a URL or a pattern of URLs, which must not vary in it. */
static bool read_origin(const char *text, char key[URL_ORIGIN_MAX])
{
    const char *authority = text ? strstr(text, "://") : NULL;
    struct str head = { text, 0 };
    struct url url;

    if (!authority) {
        return false;
    }
    head.len = (size_t)(authority - text) + 3 + strcspn(authority + 3, "/?#");
    if (memchr(head.data, '{', head.len) || url_split(head, &url, NULL) != RESULT_OK) {
        return false;
    }
    url_origin_key(&url, key);
    return true;
}

static enum result find_origin(struct auth *a, const struct job *job, struct err *err)
{
    const struct job_endpoint *first = job->endpoint_count ? &job->endpoints[0] : NULL;

    if (read_origin(job->base, a->origin) ||
        (!job->base && first && first->source_count && first->sources[0].kind != JOB_SOURCE_LIST &&
         read_origin(first->sources[0].text, a->origin))) {
        return RESULT_OK;
    }
    return err_set(err, RESULT_INVALID, "E-AUTH1",
                   "\"login\": give \"base\", the server that the credential is for; it is sent "
                   "nowhere else");
}

static enum result prepare(struct auth *a)
{
    enum result result;

    if (a->is_asked) {
        return RESULT_OK;
    }
    a->has_token = true;
    a->number = 1;
    result = a->login->kind->token(a->login, &a->token);
    return result == RESULT_OK ? make_credential(a) : result;
}

enum result auth_init(struct auth *a, const struct job *job, struct err *err)
{
    enum result result;

    *a = (struct auth){ .renew_us = TIME_NEVER, .expires_us = TIME_NEVER };
    if (!job->login.kind) {
        return RESULT_OK;
    }
    a->login = &job->login;
    a->retry = &job->retry;
    a->is_asked = job->login.kind->is_asked || job->login.kind->is_run;
    buf_init(&a->token, CREDENTIAL_MAX);
    buf_init(&a->header, 4 * CREDENTIAL_MAX);
    buf_init(&a->query, 4 * CREDENTIAL_MAX);
    buf_init(&a->client, 4 * CREDENTIAL_MAX);
    buf_init(&a->memory.refresh, AUTH_TOKEN_MAX);
    buf_init(&a->memory.device, AUTH_TOKEN_MAX);
    result = find_origin(a, job, err);
    if (result == RESULT_OK && prepare(a) != RESULT_OK) {
        result = err_set(err, RESULT_INVALID, "E-AUTH1",
                         "\"login\": the credential is longer than %d bytes, or there is no memory "
                         "for it",
                         AUTH_TOKEN_MAX);
    }
    if (result == RESULT_OK && !a->is_asked && !is_sendable(buf_view(&a->token))) {
        result = err_set(err, RESULT_INVALID, "E-AUTH1",
                         "\"login\": the credential is empty, too long, or holds a control "
                         "character");
    }
    if (result != RESULT_OK) {
        auth_release(a);
    }
    return result;
}

void auth_release(struct auth *a)
{
    auth_wipe(&a->token);
    auth_wipe(&a->header);
    auth_wipe(&a->query);
    auth_wipe(&a->client);
    auth_wipe(&a->body);
    auth_wipe(&a->memory.refresh);
    auth_wipe(&a->memory.device);
    a->login = NULL;
}

bool auth_is_for(const struct auth *a, const char *origin_key)
{
    return a->login && strcmp(a->origin, origin_key) == 0;
}

enum result auth_register(const struct auth *a, struct secrets *secrets, struct err *err)
{
    struct str client = buf_view(&a->client);
    enum result result;

    if (!a->login) {
        return RESULT_OK;
    }
    (void)str_cut(&client, ' ');
    (void)str_cut(&client, ' ');
    result = secrets_add(secrets, buf_view(&a->token), AUTH_TOKEN_LABEL, err);
    if (result == RESULT_OK) {
        result = secrets_add(secrets, str_view(a->login->secret.sent), "login.secret", err);
    }
    if (result == RESULT_OK) {
        result = secrets_add(secrets, buf_view(&a->memory.refresh), "login.refresh", err);
    }
    if (result == RESULT_OK) {
        result = secrets_add(secrets, buf_view(&a->memory.device), "login.device", err);
    }
    return result == RESULT_OK ? secrets_add(secrets, client, "login.client", err) : result;
}

/* --- asking for a token -------------------------------------------------------------------------------- */

bool auth_is_awaited(const struct auth *a, uint64_t now_us)
{
    return a->login && (a->is_lost || !a->has_token || a->is_keeping || now_us >= a->expires_us);
}

static bool is_idle(const struct auth *a)
{
    return a->login && a->is_asked && !a->is_asking && !a->is_keeping && !a->is_lost;
}

uint64_t auth_wake_us(const struct auth *a)
{
    uint64_t from_us = a->has_token ? a->renew_us : 0;

    if (!is_idle(a)) {
        return TIME_NEVER;
    }
    return from_us > a->due_us ? from_us : a->due_us;
}

bool auth_should_ask(const struct auth *a, uint64_t now_us)
{
    return is_idle(a) && now_us >= auth_wake_us(a);
}

struct fetch_endpoint auth_endpoint(const struct auth *a)
{
    static const char *const json[] = { "Content-Type: application/json" };
    static const char *const form[] = { "Content-Type: application/x-www-form-urlencoded" };
    struct str body = a->login ? str_trim(str_view(a->login->body.sent)) : STR_NONE;
    bool is_json = str_starts(body, STR("{")) || str_starts(body, STR("["));

    return (struct fetch_endpoint){
        .method = a->login && a->login->method ? a->login->method : "POST",
        .headers = is_json ? json : form,
        .header_count = 1,
        .alone = true,
    };
}

struct request *auth_ask(struct auth *a, uint32_t endpoint, uint64_t now_us,
                         struct fetch_extra *extra)
{
    struct auth_call call = { .body = &a->body, .header = &a->client };
    struct request_texts texts = { .key = STR("login") };
    struct request *request;

    assert(auth_should_ask(a, now_us));
    *extra = (struct fetch_extra){ .query = STR_NONE };
    buf_reset(&a->body);
    buf_reset(&a->client);
    if (a->login->kind->ask(a->login, &a->memory, &call) != RESULT_OK) {
        return NULL;
    }
    texts.url = call.url;
    texts.body = buf_view(&a->body);
    extra->headers[0] = buf_view(&a->client);
    request = request_make(0, endpoint, &texts);
    if (request) {
        a->is_asking = true;
        a->tries++;
        a->asked_us = now_us;
    }
    return request;
}

void auth_cancelled(struct auth *a)
{
    a->is_asking = false;
    a->tries -= a->tries > 0;
}

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

static void set_life(struct auth *a, uint64_t life_us, uint64_t now_us)
{
    uint64_t early_us = life_us / AUTH_RENEW_PART;

    if (!life_us) {
        a->renew_us = a->expires_us = TIME_NEVER;
        return;
    }
    early_us = early_us < AUTH_RENEW_MAX_US ? early_us : AUTH_RENEW_MAX_US;
    /* It began at some time between the question and the answer; an answer that took longer than the
     * token lives would leave nothing of it. */
    a->expires_us = (a->asked_us + life_us > now_us ? a->asked_us : now_us) + life_us;
    a->renew_us = a->expires_us - early_us;
}

static enum auth_news lose(struct auth *a)
{
    a->is_lost = true;
    a->has_token = false;
    a->memory.prompt[0] = '\0'; /* what it asks for would help no more */
    return AUTH_LOST;
}

/* Where a URL points, without its query. */
static struct str without_query(struct str url)
{
    return (struct str){ url.data, strcspn(url.data, "?#") };
}

bool auth_is_sent_back(const struct auth *a, const struct response *response)
{
    return a->login && a->login->url && response->outcome == OUTCOME_REDIRECT &&
           response->redirect_url &&
           str_equal(without_query(str_view(response->redirect_url)),
                     without_query(str_view(a->login->url)));
}

/* Of two hundred that a login would answer, one is enough: the usual pointer was not found. */
static bool is_cookie_login(const struct auth *a, const struct response *response)
{
    return a->login->kind == &auth_call && response->sets_cookie &&
           (!a->login->token || strcmp(a->login->token, JOB_LOGIN_TOKEN) == 0);
}

static void have_token(struct auth *a)
{
    a->has_token = true;
    a->is_proven = false;
    a->number++;
    a->logins++;
    a->tries = 0;
}

static enum auth_news take_cookie(struct auth *a, const struct response *response,
                                  char why[AUTH_WHY_MAX])
{
    if (auth_is_sent_back(a, response)) {
        snprintf(why, AUTH_WHY_MAX,
                 "the login leads back to itself: the user or the password is wrong");
        return lose(a);
    }
    buf_reset(&a->token);
    buf_reset(&a->header);
    buf_reset(&a->query);
    a->by_cookie = true;
    have_token(a);
    set_life(a, 0, 0);
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
    char names[64];

    if (is_cookie_login(a, response) && !finds_token(a, body)) {
        return take_cookie(a, response, why);
    }
    if (!json_check(body, ANSWER_DEPTH_MAX, &error)) {
        snprintf(why, AUTH_WHY_MAX, "the login's answer is no JSON: %s", error.text);
        return lose(a);
    }
    buf_reset(&a->token);
    if (!json_find(body, str_view(pointer), &value) ||
        template_value_text(value, &a->token) != RESULT_OK || !is_sendable(buf_view(&a->token))) {
        list_members(body, names, sizeof names);
        snprintf(why, AUTH_WHY_MAX, "the login's answer has no token at %.60s; it has %s", pointer,
                 names[0] ? names : "no members");
        return lose(a);
    }
    if (make_credential(a) != RESULT_OK) {
        snprintf(why, AUTH_WHY_MAX, "out of memory for the token");
        return lose(a);
    }
    have_token(a);
    set_life(a, read_life_us(a->login, body), now_us);
    return AUTH_TOKEN;
}

enum auth_news auth_take_printed(struct auth *a, struct str token, char why[AUTH_WHY_MAX])
{
    a->is_asking = false;
    why[0] = '\0';
    buf_reset(&a->token);
    if (!is_sendable(token)) {
        snprintf(why, AUTH_WHY_MAX,
                 "the login's command printed what no header may hold, or over %d bytes",
                 AUTH_TOKEN_MAX);
        return lose(a);
    }
    if (buf_append_str(&a->token, token) != RESULT_OK || make_credential(a) != RESULT_OK) {
        snprintf(why, AUTH_WHY_MAX, "out of memory for the token");
        return lose(a);
    }
    have_token(a);
    set_life(a, 0, 0);
    return AUTH_TOKEN;
}

enum auth_news auth_failed_passing(struct auth *a, uint64_t now_us, uint64_t random)
{
    a->is_asking = false;
    if (!a->logins || a->tries >= a->retry->attempts) {
        return lose(a);
    }
    a->due_us = now_us + retry_backoff_us(a->retry, a->tries, random, NULL);
    return AUTH_LATER;
}

enum auth_news auth_fail(struct auth *a)
{
    a->is_asking = false;
    return lose(a);
}

bool auth_run(struct auth *a, uint64_t now_us)
{
    if (!a->login || !a->login->kind->is_run || !auth_should_ask(a, now_us)) {
        return false;
    }
    a->is_asking = true;
    a->tries++;
    a->asked_us = now_us;
    return true;
}

bool auth_wants_keeping(struct auth *a)
{
    bool wants = a->memory.is_rotated;

    a->memory.is_rotated = false;
    a->is_keeping |= wants;
    return wants;
}

void auth_kept(struct auth *a)
{
    a->is_keeping = false;
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
        return lose(a);
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
        *news = lose(a);
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
        return lose(a);
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
    return lose(a);
}

/* --- what requests carry -------------------------------------------------------------------------------- */

void auth_carry(const struct auth *a, struct request *request, struct fetch_extra *extra)
{
    request->login = a->has_token ? a->number : 0;
    if (a->has_token) {
        extra->headers[0] = buf_view(&a->header);
        extra->query = buf_view(&a->query);
        extra->digest = a->login->kind->is_challenged ? buf_view(&a->token) : STR_NONE;
    }
}

void auth_accepted(struct auth *a, struct request *request)
{
    request->refusals = 0;
    if (request->login) {
        a->was_proven = true;
        a->unproven = a->refused = 0;
        a->is_proven |= request->login == a->number; /* void by now, perhaps */
    }
}

enum auth_refusal auth_refused(struct auth *a, struct request *request, char why[AUTH_WHY_MAX])
{
    a->refused++;
    if (a->has_token && request->login == a->number) {
        a->has_token = false;
        a->unproven += !a->is_proven;
        if (a->unproven >= AUTH_UNPROVEN_MAX &&
            (!a->was_proven || a->refused >= AUTH_REFUSED_MAX)) {
            snprintf(why, AUTH_WHY_MAX, "fresh tokens are refused (HTTP 401)");
            lose(a);
            return AUTH_REFUSAL_LOST;
        }
    }
    if (request->refusals < AUTH_FREE_REFUSALS) {
        request->refusals++;
        return AUTH_REFUSAL_FREE;
    }
    return AUTH_REFUSAL_TRY;
}
