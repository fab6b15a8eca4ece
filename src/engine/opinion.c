#include "engine/opinion.h"

#include "base/json_scan.h"
#include "engine/engine_state.h"
#include "engine/judge_end.h"
#include "engine/named_wait.h"
#include "plan/retry.h"

#include <stdio.h>
#include <stdlib.h>

const struct opinion opinion_none = { .rule = RULEBOOK_NONE, .action = ANSWER_DO_COUNT };

enum result opinion_init(struct engine *e, struct err *err)
{
    enum result result = rulebook_new(&e->rules.book, e->job, err);

    if (result == RESULT_OK) {
        e->rules.counts = calloc(rulebook_count(e->rules.book) + 1, sizeof *e->rules.counts);
        result = e->rules.counts ? RESULT_OK : err_nomem(err, "preparing the rules");
    }
    return result;
}

void opinion_release(struct engine *e)
{
    rulebook_free(e->rules.book);
    free(e->rules.counts);
}

const struct answer_rule *opinion_rule(const struct engine *e, const struct opinion *o)
{
    return o->rule == RULEBOOK_NONE ? NULL : rulebook_rule(e->rules.book, o->rule);
}

/* --- what is said ----------------------------------------------------------------------------------------- */

static struct str header_of(const void *context, struct str name, unsigned n)
{
    return response_header_nth(context, name, n);
}

struct answer_view opinion_view(const struct response *response, bool is_json)
{
    return (struct answer_view){
        .status = response->status,
        .content_type = response_header(response, STR("content-type")),
        .body = buf_view(&response->body),
        .is_json = is_json,
        .header = header_of,
        .context = response,
        .wall_us = response->fetched_at_us,
    };
}

/* Complete, so that its body can be believed. */
static bool is_answer(const struct response *response)
{
    return response->outcome == OUTCOME_OK || response->outcome == OUTCOME_STATUS ||
           response->outcome == OUTCOME_BAD_JSON || response->outcome == OUTCOME_BAD_BODY ||
           response->outcome == OUTCOME_REDIRECT;
}

bool opinion_wants_body(const struct engine *e, const struct response *response)
{
    return response->outcome == OUTCOME_OK ||
           (is_answer(response) &&
            (rulebook_reads_bodies(e->rules.book, response->request->endpoint) ||
             response->outcome == OUTCOME_STATUS));
}

/* As the rule says; else as the server does, in a header or in the body. */
static void read_wait(const struct response *response, const struct answer_view *a,
                      const struct answer_rule *rule, struct opinion *o)
{
    struct named_wait named;

    if (rule && rule->has_wait) {
        o->has_wait = true;
        o->wait_us = rule->wait_us;
        return;
    }
    o->has_wait =
        rule && answer_wait_at(a, &rule->wait, rule->unit_us, &o->wait_us, o->said, sizeof o->said);
    if (!o->has_wait) {
        named = named_wait_read(response, response->fetched_at_us);
        o->has_wait = named.is_named;
        o->wait_us = named.us;
        snprintf(o->said, sizeof o->said, "%.*s", STR_ARG(named.value));
    }
    if (!o->has_wait) {
        o->has_wait = answer_usual_wait(a, &o->wait_us, o->said, sizeof o->said);
    }
    o->wait_us = o->has_wait ? named_wait_kept_us(o->wait_us) : o->wait_us;
}

static enum answer_do action_of(enum answer_usual usual)
{
    switch (usual) {
    case ANSWER_USUAL_NOT_READY:
        return ANSWER_AGAIN;
    case ANSWER_USUAL_LIMIT:
    case ANSWER_USUAL_BUSY:
        return ANSWER_HOLD;
    default:
        return ANSWER_DO_COUNT;
    }
}

/* What a status says, and the words of application/problem+json, is for others to judge; of a refusal only
 * how long it asks to wait. */
static void read_usual(const struct engine *e, const struct response *response,
                       const struct answer_view *a, struct opinion *o)
{
    const struct request *request = response->request;
    const struct answer_asker asker = { .asks_safely = judge_asks_safely(e, request),
                                        .is_asked_about = request->exchange.url &&
                                                          !request->fetches_result &&
                                                          request->hops == 0 };

    o->usual = quota_problem_read(a->content_type, a->body) == QUOTA_PROBLEM_NONE
                   ? answer_usual_of(a, &asker, o->why)
                   : ANSWER_USUAL_NONE;
    if (o->usual == ANSWER_USUAL_LIMIT && a->status >= 500 &&
        !retry_wants_status(&e->job->retry, a->status)) {
        o->usual = ANSWER_USUAL_NONE;
    }
    o->action = action_of(o->usual);
    if (o->usual == ANSWER_USUAL_NONE && (a->status == 429 || a->status == 503)) {
        o->has_wait = answer_usual_wait(a, &o->wait_us, o->said, sizeof o->said);
    }
}

void opinion_read(const struct engine *e, const struct response *response, bool is_json,
                  struct opinion *o)
{
    const struct request *request = response->request;
    struct answer_view a = opinion_view(response, is_json);

    *o = opinion_none;
    o->is_json = is_json;
    if (!is_answer(response)) {
        return;
    }
    o->rule = rulebook_match(e->rules.book, request->endpoint, &a, NULL);
    if (o->rule == RULEBOOK_NONE && request->exchange.asked && !request->fetches_result) {
        o->rule = rulebook_match_result(e->rules.book, request->endpoint, &a);
        o->is_result = o->rule != RULEBOOK_NONE;
    }
    if (o->rule != RULEBOOK_NONE) {
        o->action = rulebook_rule(e->rules.book, o->rule)->action;
    } else if (response->outcome != OUTCOME_BAD_BODY &&
               (response->outcome != OUTCOME_OK ||
                !body_format_is_kept(e->job->endpoints[request->endpoint].reading.as))) {
        read_usual(e, response, &a, o);
    }
    if (o->action < ANSWER_DO_COUNT && answer_actions[o->action].takes_wait) {
        read_wait(response, &a, opinion_rule(e, o), o);
    }
}
