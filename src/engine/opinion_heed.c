#include "engine/opinion_heed.h"

#include "engine/again.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/judge_end.h"
#include "engine/login.h"
#include "engine/refusal.h"
#include "engine/refused_alike.h"

#include <stdio.h>
#include <string.h>

/* --- what it makes of the answer ----------------------------------------------------------------------------- */

static void tell_first(struct engine *e, const struct response *response, const struct opinion *o)
{
    char text[SNAPSHOT_REQUEST_TEXT], name[RULEBOOK_NAME_MAX], fields[128];

    engine_request_text(e, response->request, text);
    if (o->rule == RULEBOOK_NONE) {
        events_add(&e->events, EVENT_NOTICE, "not-ready", "",
                   "%s is not ready (HTTP %d): asked for again, at no cost of a try", text,
                   response->status);
        return;
    }
    rulebook_name(e->rules.book, o->rule, name);
    snprintf(fields, sizeof fields, ",\"rule\":%zu,\"do\":\"%s\",\"id\":%llu,\"status\":%d",
             o->rule + 1, answer_actions[o->action].name, (unsigned long long)response->request->id,
             response->status);
    events_add(&e->events, EVENT_NOTICE, "rule", fields, "%s (%.100s) is met first by %s, HTTP %d",
               name, rulebook_rule(e->rules.book, o->rule)->text, text, response->status);
}

/* Each is told once: it may be met a million times. Of what a request fails with, or a host is held for, there
 * are events anyway. */
static void count(struct engine *e, const struct response *response, const struct opinion *o)
{
    bool is_first = o->rule == RULEBOOK_NONE
                        ? !e->rules.usual_counts[o->usual]++ && o->usual == ANSWER_USUAL_NOT_READY
                        : !e->rules.counts[o->rule]++;

    if (is_first) {
        tell_first(e, response, o);
    }
}

/* "HTTP 200, rule 2 (at=/error do=fail)", "HTTP 403, a limit of requests was met: ...". What stands in a body
 * may be a secret. */
static void say_why(struct engine *e, struct response *response, const struct opinion *o)
{
    char name[RULEBOOK_NAME_MAX];
    struct str why = str_view(o->why);

    if (o->rule != RULEBOOK_NONE) {
        rulebook_name(e->rules.book, o->rule, name);
        snprintf(response->reason, sizeof response->reason, "HTTP %d, %s: %s", response->status,
                 name, rulebook_rule(e->rules.book, o->rule)->text);
        return;
    }
    buf_reset(&e->scratch.redacted);
    if (secrets_redact(&e->secrets, why, SECRETS_CUT, &e->scratch.redacted) == RESULT_OK) {
        why = buf_view(&e->scratch.redacted);
    } else {
        why = STR_NONE;
    }
    if (o->usual == ANSWER_USUAL_WRONG_TYPE) {
        snprintf(response->reason, sizeof response->reason, "%.*s", STR_ARG(why));
    } else {
        snprintf(response->reason, sizeof response->reason, "HTTP %d, %.*s", response->status,
                 STR_ARG(why));
    }
}

/* The outcome by which a failed try is known. A status that is a failure by itself stays one. */
static enum outcome outcome_of(const struct response *response, const struct opinion *o)
{
    bool is_status = response->outcome == OUTCOME_STATUS;

    switch (o->action) {
    case ANSWER_OK:
    case ANSWER_EMPTY:
    case ANSWER_END:
        return OUTCOME_OK;
    case ANSWER_AGAIN:
        return OUTCOME_NOT_READY;
    case ANSWER_HOLD:
        return is_status ? OUTCOME_STATUS : OUTCOME_LIMIT;
    case ANSWER_LOGIN:
        return is_status ? OUTCOME_STATUS : OUTCOME_RULE;
    case ANSWER_DO_COUNT:
        return o->usual == ANSWER_USUAL_WRONG_TYPE ? OUTCOME_WRONG_TYPE : response->outcome;
    default:
        return OUTCOME_RULE;
    }
}

/* In the server's words, where it has said so; else by the rule's name. */
static void set_deadline(struct engine *e, const struct opinion *o, struct deadline *deadline)
{
    char name[RULEBOOK_NAME_MAX];

    *deadline = (struct deadline){ .named = true, .wait_us = o->wait_us, .by = DUE_RETRY_AFTER };
    if (o->said[0]) {
        memcpy(deadline->said, o->said, sizeof deadline->said);
    } else {
        deadline->by = DUE_RULE;
        rulebook_name(e->rules.book, o->rule, name);
        snprintf(deadline->said, sizeof deadline->said, "%.*s", DUE_SAID_MAX - 1, name);
    }
}

void opinion_apply(struct engine *e, struct response *response, const struct opinion *o,
                   struct deadline *deadline)
{
    if (o->has_wait && (o->rule != RULEBOOK_NONE || !deadline->named)) {
        set_deadline(e, o, deadline);
    }
    if (o->rule == RULEBOOK_NONE && o->usual == ANSWER_USUAL_NONE) {
        return;
    }
    count(e, response, o);
    response->outcome = outcome_of(response, o);
    if (response->outcome == OUTCOME_OK) {
        response->reason[0] = '\0';
    } else {
        say_why(e, response, o);
    }
    deadline->holds_host = o->action == ANSWER_HOLD;
}

/* --- what is done ------------------------------------------------------------------------------------------------ */

struct act {
    struct engine *engine;
    struct response *response;
    const struct opinion *opinion;
    const struct deadline *deadline;
    struct discoveries *discoveries;
};

static void act_ok(const struct act *a)
{
    enum settle_body kind = !a->response->body.len ? SETTLE_BODY_EMPTY
                            : a->opinion->is_json  ? SETTLE_BODY_JSON
                                                   : SETTLE_BODY_FOREIGN;

    judge_done(a->engine, a->response, kind, a->discoveries);
}

/* The body is kept, though no table reads it. A listing ends here. */
static void act_empty(const struct act *a)
{
    const struct request *request = a->response->request;

    discoveries_release(a->discoveries);
    if (a->engine->job->endpoints[request->endpoint].pages.kind != JOB_PAGES_NONE) {
        a->discoveries->page = (struct page_result){ .is_page = true,
                                                     .end = PAGE_END_RULE,
                                                     .total = PAGE_TOTAL_UNKNOWN,
                                                     .ordinal = request->page.ordinal };
    }
    judge_done(a->engine, a->response,
               a->response->body.len ? SETTLE_BODY_FOREIGN : SETTLE_BODY_EMPTY, a->discoveries);
}

/* A listing has no further pages after an answer without records, so both come to the same. */
static void act_end(const struct act *a)
{
    act_empty(a);
}

static void act_retry(const struct act *a)
{
    if (a->response->request->attempt < a->engine->job->retry.attempts) {
        judge_again(a->engine, a->response, a->deadline);
    } else {
        judge_final(a->engine, a->response);
    }
}

static void act_hold(const struct act *a)
{
    struct host *host = host_at(&a->engine->hosts, a->response->request->host);

    refusal_hold(a->engine, host, a->response, a->deadline);
    act_retry(a);
}

static void act_again(const struct act *a)
{
    again_take(a->engine, a->response, a->opinion);
}

static void act_fail(const struct act *a)
{
    judge_final(a->engine, a->response);
}

static void act_stop(const struct act *a)
{
    struct engine *e = a->engine;

    engine_stop_for(e, "E-ANS2", a->response->reason);
    judge_unasked(e, a->response);
}

static void act_login(const struct act *a)
{
    switch (login_refused(a->engine, a->response)) {
    case LOGIN_FREE:
        judge_unasked(a->engine, a->response);
        break;
    case LOGIN_TRY:
        act_retry(a);
        break;
    case LOGIN_SILENT:
        judge_final(a->engine, a->response);
        break;
    }
}

static void (*const acts[ANSWER_DO_COUNT])(const struct act *act) = {
#define ACT(NAME, name, ...) [ANSWER_##NAME] = act_##name,
    ANSWER_ACTIONS(ACT, ACT)
#undef ACT
};

bool opinion_heed(struct engine *e, struct response *response, const struct opinion *opinion,
                  const struct deadline *deadline, struct discoveries *discoveries)
{
    struct act act = { e, response, opinion, deadline, discoveries };

    if (opinion->action == ANSWER_DO_COUNT) {
        return false;
    }
    if (response->status < 400) {
        login_accepted(e, response->request);
    }
    if (response->outcome == OUTCOME_OK) {
        refused_alike_note(e, response, false);
    }
    acts[opinion->action](&act);
    return true;
}
