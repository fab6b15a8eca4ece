#include "engine/auth_state.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define USUAL_SEND "Authorization: Bearer {token}"
#define CREDENTIAL_MAX (2 * AUTH_TOKEN_MAX)

/* --- texts ---------------------------------------------------------------------------------------- */

bool auth_is_sendable(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F) {
            return false;
        }
    }
    return text.len > 0 && text.len <= AUTH_TOKEN_MAX;
}

enum result auth_make_credential(struct auth *a)
{
    const struct job_login *login = a->login;
    struct str token = buf_view(&a->token);

    buf_reset(&a->header);
    buf_reset(&a->query);
    return login->kind->credential
               ? login->kind->credential(login, token, &a->header, &a->query)
               : auth_append_sent(&a->header, login->send ? login->send : USUAL_SEND, token);
}

/* --- making it --------------------------------------------------------------------------------------- */

static enum result find_origin(struct auth *a, const struct job *job, struct err *err)
{
    struct url url;

    if (!auth_origin_of(job, &url)) {
        return err_set(
            err, RESULT_INVALID, "E-AUTH1",
            "\"login\": give \"base\", the server that the credential is for; it is sent "
            "nowhere else");
    }
    url_origin_key(&url, a->origin);
    return RESULT_OK;
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
    return result == RESULT_OK ? auth_make_credential(a) : result;
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
    if (result == RESULT_OK && !a->is_asked && !auth_is_sendable(buf_view(&a->token))) {
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

void auth_set_life(struct auth *a, uint64_t life_us, uint64_t now_us)
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

enum auth_news auth_lose(struct auth *a)
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

void auth_have_token(struct auth *a)
{
    a->has_token = true;
    a->is_proven = false;
    a->number++;
    a->logins++;
    a->tries = 0;
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
            auth_lose(a);
            return AUTH_REFUSAL_LOST;
        }
    }
    if (request->refusals < AUTH_FREE_REFUSALS) {
        request->refusals++;
        return AUTH_REFUSAL_FREE;
    }
    return AUTH_REFUSAL_TRY;
}
