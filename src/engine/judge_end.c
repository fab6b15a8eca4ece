#include "engine/judge_end.h"

#include "engine/core.h"
#include "engine/detail.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/listeners.h"
#include "engine/refusal.h"
#include "engine/settle.h"
#include "engine/tell_try.h"
#include "plan/retry.h"
#include "plan/host_hold.h"

#include <stdio.h>
#include <string.h>

#define BACKOFF_PART_OF_RUN 10

static bool have_key(const struct job_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(str_view(headers[i].name), STR("Idempotency-Key"))) {
            return true;
        }
    }
    return false;
}

/* By its method, or by the word of who gave the header that says so. A listing is read, whatever its method:
 * GraphQL and search APIs ask for pages with POST. */
bool judge_asks_safely(const struct engine *e, const struct request *request)
{
    const struct job_endpoint *endpoint = &e->job->endpoints[request->endpoint];

    return e->job->retry.repeats_posts || (request->exchange.url && request->exchange.with_get) ||
           retry_method_is_idempotent(str_view(endpoint->method)) ||
           endpoint->pages.kind != JOB_PAGES_NONE ||
           have_key(e->job->headers, e->job->header_count) ||
           have_key(endpoint->headers, endpoint->header_count);
}

/* What the request remembers of this try. */
void judge_note_try(const struct response *response)
{
    struct request *request = response->request;
    struct last_try before = request->last;

    request->last = response_last_try(response);
    if (request->last.bad_crc32c) {
        request->last.bad_times =
            1 + (before.bad_crc32c == request->last.bad_crc32c ? before.bad_times : 0);
    }
    if (response->outcome != OUTCOME_OK) {
        memcpy(request->reason, response->reason, sizeof request->reason);
    }
}

/* Waits that double are for a server in trouble. While its host answers others well, a wait is at most a
 * part of the run so far, so that a few broken URLs do not hold up the end of a short run. */
static struct job_retry backoff_policy(const struct engine *e, const struct host *host,
                                       const struct request *request)
{
    struct job_retry policy = e->job->retry;
    uint64_t most_us = (engine_now_us(e) - e->metrics.started_us) / BACKOFF_PART_OF_RUN;

    if (host_is_well_for(host, request)) {
        most_us = most_us > policy.backoff_base_us ? most_us : policy.backoff_base_us;
        policy.backoff_cap_us = most_us < policy.backoff_cap_us ? most_us : policy.backoff_cap_us;
    }
    return policy;
}

/* When to ask again, and by whose word. */
static void set_due(struct engine *e, struct request *request, const struct deadline *deadline)
{
    const struct host *host = host_at(&e->hosts, request->host);
    struct job_retry policy = backoff_policy(e, host, request);
    uint64_t now_us = engine_now_us(e), ceiling_us;
    uint64_t backoff_us = retry_backoff_us(&policy, request->attempt + request->limit_free,
                                           engine_random(e), &ceiling_us);
    struct host_hold hold = host_hold_of(host, request, now_us);

    if (deadline->named && deadline->wait_us > 0) {
        request->due_us = now_us + deadline->wait_us;
        request->due = (struct due){ .by = deadline->by,
                                     .status = request->last.status,
                                     .wait_us = deadline->wait_us };
        memcpy(request->due.said, deadline->said, sizeof request->due.said);
    } else if (deadline->holds_host && hold.due && now_us + backoff_us < hold.until_us) {
        request->due_us = hold.until_us;
        request->due = *hold.due;
    } else {
        request->due_us = now_us + backoff_us;
        request->due = (struct due){ .by = DUE_BACKOFF,
                                     .status = request->last.status,
                                     .wait_us = backoff_us,
                                     .ceiling_us = ceiling_us };
    }
    snprintf(request->due.host, sizeof request->due.host, "%.*s", STR_ARG(host->label));
}

void judge_again(struct engine *e, struct response *response, const struct deadline *deadline)
{
    struct request *request = response->request;

    set_due(e, request, deadline);
    tell_retry(e, response);
    request_start_over(request);
    settle_put(e, response, SETTLE_WAITING, SETTLE_BODY_NONE, NULL);
}

void judge_wait_free(struct engine *e, struct response *response)
{
    struct request *request = response->request;

    tell_retry(e, response);
    request_start_over(request);
    request->attempt -= request->attempt > 0;
    settle_put(e, response, SETTLE_WAITING, SETTLE_BODY_NONE, NULL);
}

/* A page that came a second time is kept, but no table gets its records again. */
void judge_done(struct engine *e, struct response *response, enum settle_body body_kind,
                struct discoveries *discoveries)
{
    bool is_repeat = discoveries && discoveries->page.is_repeat;

    deep_limit_came(&e->judging.deep_limits, &response->request->page);
    settle_put(e, response, SETTLE_DONE,
               is_repeat && body_kind == SETTLE_BODY_JSON ? SETTLE_BODY_FOREIGN : body_kind,
               discoveries);
}

/* When its listing thereby meets a limit, that is told once for all pages that are left out. */
static void note_deep_limit(struct engine *e, const struct response *response)
{
    const struct request *request = response->request;

    if (response->outcome == OUTCOME_STATUS &&
        deep_limit_failed(&e->judging.deep_limits, &request->page, response->status)) {
        events_add(
            &e->events, EVENT_ERROR, "pages", "",
            "%s, %.*s: %d pages in a row are refused with HTTP %d; the others after them are "
            "not asked for",
            e->job->endpoints[request->endpoint].name, STR_ARG(request->key), DEEP_LIMIT_PAGES,
            response->status);
    }
}

void judge_final(struct engine *e, struct response *response)
{
    bool keep_body =
        (response->outcome == OUTCOME_BAD_JSON || response->outcome == OUTCOME_NO_RECORDS ||
         response->outcome == OUTCOME_BAD_BODY || response->outcome == OUTCOME_UNSAFE_BODY ||
         response->outcome == OUTCOME_WRONG_TYPE) &&
        response->body.len > 0;

    if (response->outcome != OUTCOME_NOT_ASKED) {
        tell_failed(e, response);
        note_deep_limit(e, response);
    }
    settle_put(e, response, SETTLE_FAILED, keep_body ? SETTLE_BODY_FOREIGN : SETTLE_BODY_NONE,
               NULL);
}

static enum result end_unasked(struct engine *e, struct request *request, enum outcome outcome,
                               const char *reason)
{
    struct response *response = response_new();

    if (!response) {
        settle_once_more(e, request);
        return RESULT_NOMEM;
    }
    response->request = request;
    response->outcome = outcome;
    response->fetched_at_us = clock_wall_us(&e->options.clock);
    snprintf(response->reason, sizeof response->reason, "%s", reason);
    judge_note_try(response);
    listeners_judged(e, response);
    judge_final(e, response);
    return RESULT_OK;
}

enum result judge_drop(struct engine *e, struct request *request)
{
    return end_unasked(e, request, OUTCOME_DROPPED, "dropped by you");
}

void judge_refuse(struct engine *e, struct request *request, const char *reason)
{
    enum result result = end_unasked(e, request, OUTCOME_REFUSED, reason);

    (void)result; /* without memory it has gone back to the frontier */
}

enum result judge_leave_out(struct engine *e, struct request *request)
{
    return end_unasked(e, request, OUTCOME_NOT_ASKED, "not asked: pages before it are refused");
}

enum result judge_unreached(struct engine *e, struct request *request)
{
    const struct host *host = host_origin(host_at(&e->hosts, request->host));
    char reason[REQUEST_REASON_MAX];

    snprintf(reason, sizeof reason, "%s%s; its host %s",
             request->attempt ? "" : "not asked: ", host->silent_why,
             host->answered_us ? "does not answer any more" : "has never answered");
    return end_unasked(e, request, host->silence, reason);
}

void judge_go_on(struct engine *e, struct response *response)
{
    settle_put_back(e, settle_dismantle(e, response));
}

void judge_unasked(struct engine *e, struct response *response)
{
    struct request *request = settle_dismantle(e, response);

    request_start_over(request);
    request->attempt -= request->attempt > 0;
    settle_put_back(e, request);
}

struct request *judge_set_aside(struct engine *e, struct response *response)
{
    struct request *request = settle_dismantle(e, response);

    request_start_over(request);
    request->attempt -= request->attempt > 0;
    return request;
}
