#include "engine/again.h"

#include "base/units.h"
#include "base/url_make.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/judge_end.h"
#include "engine/opinion.h"
#include "engine/redirect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the answer says to go on; NULL: nowhere. To free. `*shortage`: there is no memory for it. */
static char *target_of(const struct response *response, const struct answer_place *place,
                       bool is_json, bool *shortage)
{
    struct answer_view a = opinion_view(response, is_json);
    struct buf reference = { .max = JOB_URL_MAX }, url = { .max = JOB_URL_MAX };
    char *target = NULL;

    if (answer_text_at(&a, place, &reference)) {
        enum result result =
            url_append_resolved(&url, request_url(response->request), buf_view(&reference));

        target = result == RESULT_OK ? str_dup(buf_view(&url)) : NULL;
        *shortage = !target && result != RESULT_LIMIT;
    }
    buf_release(&reference);
    buf_release(&url);
    return target;
}

/* What it is asked at from now on. */
static void move_to(struct engine *e, struct request *request)
{
    struct exchange *x = &request->exchange;

    x->is_secret = redirect_is_secret(e, request, str_view(request->redirect_url));

    free(x->url);
    x->url = request->redirect_url;
    request->redirect_url = NULL;
    x->is_foreign = request->foreign;
    x->from_public = request->from_public;
    x->with_get = request->drop_body;
}

/* Why there is no use in asking again; false when there is. */
static bool is_in_vain(const struct engine *e, const struct response *response,
                       const struct opinion *o, uint64_t wait_us, char *why, size_t size)
{
    const struct request *request = response->request;
    const struct answer_rule *rule = opinion_rule(e, o);
    uint64_t bound_us = rule && rule->for_us ? rule->for_us : e->job->retry.max_wait_us;
    char length[UNITS_TEXT_MAX];

    if (!rule && !request->exchange.url && !judge_asks_safely(e, request)) {
        snprintf(why, size,
                 "HTTP %d, not ready, and nothing says where the result will be; a rule may tell "
                 "(\"do\": \"again\")",
                 response->status);
        return true;
    }
    if ((e->options.attended && !(rule && rule->for_us)) ||
        request->exchange.waited_us + wait_us <= bound_us) {
        return false;
    }
    units_format_time(bound_us, length);
    snprintf(why, size, "HTTP %d, not ready within %s (asked %u time%s)", response->status, length,
             request->exchange.asked + 1, units_plural(request->exchange.asked + UINT64_C(1)));
    return true;
}

static void wait_for(struct engine *e, struct response *response, const struct opinion *o,
                     uint64_t wait_us)
{
    struct request *request = response->request;
    const struct host *host = host_at(&e->hosts, request->host);
    struct exchange *x = &request->exchange;

    x->asked++;
    x->waited_us += wait_us + response->timing.total_us;
    request->due_us = engine_now_us(e) + wait_us;
    request->due =
        (struct due){ .by = DUE_NOT_READY, .status = response->status, .wait_us = wait_us };
    snprintf(request->due.said, sizeof request->due.said, "asked %u time%s%s%.16s", x->asked,
             units_plural(x->asked), o->said[0] ? ", told " : "", o->said);
    snprintf(request->due.host, sizeof request->due.host, "%.*s", STR_ARG(host->label));
    judge_wait_free(e, response);
}

/* To the place where the result lies, now. */
static void fetch_result(struct engine *e, struct response *response)
{
    response->request->fetches_result = true;
    judge_go_on(e, response);
}

static void refuse(struct engine *e, struct response *response)
{
    response->outcome = OUTCOME_REFUSED;
    memcpy(response->reason, response->request->reason, sizeof response->reason);
    judge_final(e, response);
}

void again_take(struct engine *e, struct response *response, const struct opinion *o)
{
    const struct answer_place location = { (char[]){ "location" }, true },
                              operation = { (char[]){ "operation-location" }, true };
    struct request *request = response->request;
    const struct answer_rule *rule = opinion_rule(e, o);
    const struct answer_place *place = o->is_result ? &rule->then : rule ? &rule->url : &location;
    bool goes_on = o->is_result || (rule && rule->has_wait && !rule->wait_us);
    bool shortage = false;
    char *target = target_of(response, place, o->is_json, &shortage);
    uint64_t wait_us;

    if (!target && !rule && !shortage) { /* Azure's */
        target = target_of(response, &operation, o->is_json, &shortage);
    }
    if (shortage) {
        judge_unasked(e, response);
        return;
    }
    if (target) {
        switch (redirect_lead(e, response, target)) {
        case REDIRECT_FOLLOW:
            break;
        case REDIRECT_REFUSED:
            refuse(e, response);
            return;
        case REDIRECT_SHORTAGE:
            judge_unasked(e, response);
            return;
        }
        if (goes_on) {
            fetch_result(e, response);
            return;
        }
        move_to(e, request);
    }
    wait_us = o->has_wait && o->wait_us
                  ? o->wait_us
                  : exchange_wait_us(&request->exchange, e->job->retry.backoff_base_us,
                                     e->job->retry.backoff_cap_us);
    wait_us = wait_us < EXCHANGE_WAIT_MIN_US ? EXCHANGE_WAIT_MIN_US : wait_us;
    if (is_in_vain(e, response, o, wait_us, response->reason, sizeof response->reason)) {
        memcpy(request->reason, response->reason, sizeof request->reason);
        judge_final(e, response);
        return;
    }
    wait_for(e, response, o, wait_us);
}
