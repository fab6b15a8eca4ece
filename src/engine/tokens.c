#include "engine/tokens.h"

#include "base/clock.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/judge_end.h"
#include "engine/token_notes.h"
#include "job/auth/auth_kind.h"
#include "plan/retry.h"
#include "plan/twin.h"

#include <stdlib.h>

/* --- making and unmaking ------------------------------------------------------------------------------ */

static enum result make_credentials(struct engine *e, struct err *err)
{
    const struct job_login *login = &e->job->login;

    for (size_t i = 0; i < login->tokens.count; i++) {
        struct token_state *t = &e->tokens.list[i];

        if (login->kind->credential(login, str_view(login->tokens.list[i].sent), &t->header,
                                    &t->query) != RESULT_OK) {
            return err_nomem(err, "preparing the tokens");
        }
    }
    return RESULT_OK;
}

enum result tokens_init(struct engine *e, struct err *err)
{
    const struct job_login *login = &e->job->login;
    const char *names[JOB_TOKENS_MAX];
    size_t count = login->kind ? login->tokens.count : 0;
    enum result result;

    if (count < 2) {
        return RESULT_OK; /* as any other credential */
    }
    e->tokens.list = calloc(count, sizeof *e->tokens.list);
    if (!e->tokens.list) {
        return err_nomem(err, "preparing the tokens");
    }
    e->tokens.count = count;
    for (size_t i = 0; i < count; i++) {
        names[i] = login->tokens.list[i].name;
    }
    result = make_credentials(e, err);
    return result == RESULT_OK ? twins_make(&e->hosts, e->login.home, names, count, err) : result;
}

void tokens_release(struct engine *e)
{
    for (size_t i = 0; i < e->tokens.count; i++) {
        auth_wipe(&e->tokens.list[i].header);
        auth_wipe(&e->tokens.list[i].query);
    }
    free(e->tokens.list);
    e->tokens = (struct tokens){ .count = 0 };
}

/* --- what requests carry ------------------------------------------------------------------------------ */

/* NULL: the request is asked with no token of several. */
static struct token_state *token_of(struct engine *e, const struct request *request)
{
    uint32_t twin = host_at(&e->hosts, request->host)->twin;

    return twin && !request->foreign && e->tokens.count ? &e->tokens.list[twin - 1] : NULL;
}

void tokens_carry(struct engine *e, const struct request *request, struct fetch_extra *extra)
{
    const struct token_state *t = token_of(e, request);

    if (t) {
        extra->headers[0] = buf_view(&t->header);
        extra->query = buf_view(&t->query);
    }
}

const char *token_name(const struct engine *e, const struct host *host)
{
    return host->twin && e->tokens.count ? e->job->login.tokens.list[host->twin - 1].name : NULL;
}

/* --- answers ------------------------------------------------------------------------------------------ */

static uint64_t bit_of(uint32_t twin)
{
    return UINT64_C(1) << (twin - 1);
}

/* For good; the last one never. */
static void put_aside(struct engine *e, uint32_t twin, int status)
{
    struct host *host = twin_at(&e->hosts, twin);
    char fields[96];
    uint32_t left;

    if (host->is_aside || twins_alive(&e->hosts) < 2) {
        return;
    }
    host->is_aside = true;
    e->tokens.list[twin - 1].aside_status = status;
    left = twins_alive(&e->hosts);
    snprintf(fields, sizeof fields, ",\"code\":\"W-TOK1\",\"token\":\"%s\",\"status\":%d",
             token_name(e, host), status);
    events_add_host(
        &e->events, EVENT_WARNING, "token", host->label, fields,
        "%.*s: the token is refused (HTTP %d), and put aside; %u other%s go%s on [W-TOK1]",
        STR_ARG(host->label), status, left, left == 1 ? "" : "s", left == 1 ? "es" : "");
}

static bool is_bad(const struct token_state *t, int status)
{
    return status == 401 || !t->well || t->row >= TOKEN_FORBIDDEN_ROW;
}

void tokens_note_well(struct engine *e, struct request *request)
{
    struct token_state *t = token_of(e, request);
    uint32_t own = host_at(&e->hosts, request->host)->twin;

    if (!t) {
        return;
    }
    e->tokens.answers++;
    t->well++;
    t->well_us = engine_now_us(e);
    t->row = 0;
    for (uint32_t i = 1; request->refused_by && i <= e->tokens.count; i++) {
        if ((request->refused_by & bit_of(i)) && i != own &&
            is_bad(&e->tokens.list[i - 1], request->refused_status)) {
            put_aside(e, i, request->refused_status);
        }
    }
    request->refused_by = 0;
}

/* Another one goes well: since the row began, or at all when this one never has. */
static bool do_others_go_well(const struct engine *e, const struct token_state *t)
{
    for (size_t i = 0; i < e->tokens.count; i++) {
        const struct token_state *other = &e->tokens.list[i];

        if (other != t && (other->well_us > t->row_since_us || (other->well && !t->well))) {
            return true;
        }
    }
    return false;
}

/* A row tells of the token only where no other one can tell of the URL now; and one of 403s of none that went well. */
static void note_refused(struct engine *e, struct token_state *t, struct request *request,
                         int status)
{
    uint32_t twin = host_at(&e->hosts, request->host)->twin;

    request->refused_by |= bit_of(twin);
    request->refused_status = (uint16_t)status;
    if (!t->row++) {
        t->row_since_us = engine_now_us(e);
    }
    if (t->row >= TOKEN_ROW && (status == 401 || !t->well) && do_others_go_well(e, t) &&
        !twins_may_soon(&e->hosts, request, request->refused_by, engine_now_us(e))) {
        put_aside(e, twin, status);
    }
}

/* All refuse it alike: it is in no token's row. */
static void forget_refused(struct engine *e, struct request *request)
{
    for (uint32_t i = 1; i <= e->tokens.count; i++) {
        struct token_state *t = &e->tokens.list[i - 1];

        t->row -= t->row && (request->refused_by & bit_of(i));
    }
    request->refused_by = 0;
}

/* Those that may tell more are held: until then this is no try, and no failure. */
static void wait_for_others(struct engine *e, struct response *response, uint64_t free_us)
{
    struct request *request = judge_set_aside(e, response);

    request->due = (struct due){ .by = DUE_TOKEN,
                                 .status = request->refused_status,
                                 .wait_us = free_us - engine_now_us(e) };
    if (frontier_wait(e->frontier, request, free_us) != RESULT_OK) {
        frontier_forget(e->frontier, request);
    }
}

static bool refuses(const struct engine *e, const struct response *response,
                    const struct deadline *deadline)
{
    return response->outcome == OUTCOME_STATUS && !deadline->holds_host &&
           (response->status == 401 || response->status == 403) &&
           !retry_wants_status(&e->job->retry, response->status);
}

/* True when it is asked again. */
static bool take_refusal(struct engine *e, struct token_state *t, struct response *response)
{
    struct request *request = response->request;
    uint64_t now_us = engine_now_us(e), free_us;

    note_refused(e, t, request, response->status);
    free_us = twins_free_us(&e->hosts, request, request->refused_by, now_us);
    if (free_us == TIME_NEVER) {
        forget_refused(e, request);
        return false;
    }
    if (free_us <= now_us) {
        judge_unasked(e, response);
    } else {
        wait_for_others(e, response, free_us);
    }
    return true;
}

/* True when another one may be asked with now. Else the wait ends when the first of them is free. */
static bool take_hold(struct engine *e, struct response *response, struct deadline *deadline)
{
    struct request *request = response->request;
    uint64_t now_us = engine_now_us(e),
             free_us = twins_free_us(&e->hosts, request, twins_without(request), now_us);

    if (free_us <= now_us && request->moves + 1U < twins_alive(&e->hosts)) {
        request->moves++;
        judge_unasked(e, response);
        return true;
    }
    request->moves = 0;
    if (deadline->named && free_us < now_us + deadline->wait_us) {
        deadline->wait_us = free_us - now_us;
    }
    return false;
}

static void note_answer(struct engine *e, struct token_state *t)
{
    e->tokens.answers++;
    t->refused++;
}

bool tokens_take(struct engine *e, struct response *response, struct deadline *deadline)
{
    struct token_state *t = token_of(e, response->request);

    if (!t || e->phase != ENGINE_RUNNING) {
        return false;
    }
    if (refuses(e, response, deadline)) {
        note_answer(e, t);
        return take_refusal(e, t, response);
    }
    if (!deadline->holds_host) {
        return false;
    }
    note_answer(e, t);
    token_notes_held(e, host_at(&e->hosts, response->request->host));
    return take_hold(e, response, deadline);
}
