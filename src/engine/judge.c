#include "engine/judge.h"

#include "base/crc32c.h"
#include "base/json_scan.h"
#include "engine/answer.h"
#include "engine/ban_watch.h"
#include "engine/body.h"
#include "engine/body_checks.h"
#include "engine/core.h"
#include "engine/credential_watch.h"
#include "engine/descriptors.h"
#include "engine/detail.h"
#include "engine/discover.h"
#include "engine/endpoint_stats.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/http_version.h"
#include "engine/judge_end.h"
#include "engine/listeners.h"
#include "engine/login.h"
#include "engine/metrics.h"
#include "engine/opinion.h"
#include "engine/opinion_heed.h"
#include "engine/pace.h"
#include "engine/poll.h"
#include "engine/proxy_watch.h"
#include "engine/redirect.h"
#include "engine/refusal.h"
#include "engine/refused_alike.h"
#include "engine/seal.h"
#include "engine/settle.h"
#include "engine/signing.h"
#include "plan/pages/pages.h"
#include "plan/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORTAGE_PAUSE_US 250000
#define NO_FILES_MAX_US (10 * US_PER_S)

/* What is no JSON may be half an answer, and is asked for again; but the same bytes again and again are no
 * accident. */
#define BAD_ALIKE_MAX 3

static void judge(struct engine *e, struct response *response, struct body_result *reading);

/* --- verdicts ---------------------------------------------------------------------------------- */

static void redirect(struct engine *e, struct response *response)
{
    switch (redirect_take(e, response)) {
    case REDIRECT_FOLLOW:
    case REDIRECT_SHORTAGE:
        judge_go_on(e, response);
        break;
    case REDIRECT_REFUSED: /* by us: the attempt's outcome becomes final */
        response->outcome = OUTCOME_REFUSED;
        response->request->last = response_last_try(response);
        refused_alike_note(e, response, false);
        judge_final(e, response);
        break;
    }
}

/* The attempt does not count. One that a redirect continued was counted at its first hop. */
static void take_back_try(struct request *request)
{
    request->attempt -= request->hops == 0 && request->attempt > 0;
}

/* Descriptors come back when a transfer ends, and idle connections are given up for them. With nothing in flight and
 * none of these they do not come back. */
static void note_files(struct engine *e, const struct response *response)
{
    char why[sizeof e->ending.why];
    uint64_t now_us = engine_now_us(e);

    if (!response->no_descriptor || fetch_in_flight(e->fetch)) {
        e->judging.no_files_since_us = 0;
    } else if (!e->judging.no_files_since_us) {
        e->judging.no_files_since_us = now_us;
    } else if (now_us - e->judging.no_files_since_us >= NO_FILES_MAX_US) {
        snprintf(why, sizeof why,
                 "at most %u files may be open, and none is left for a connection: raise that "
                 "(ulimit -n), or give fewer lists",
                 descriptors_max());
        engine_stop_for(e, "E-RES2", why);
    }
}

/* Our own shortage: a pause, then fewer at once for a while, and the same request again. */
static void back_off_locally(struct engine *e, struct response *response)
{
    unsigned in_flight = (unsigned)fetch_in_flight(e->fetch);
    unsigned clamp = in_flight * 3 / 4 > 0 ? in_flight * 3 / 4 : 1;
    uint64_t now_us = engine_now_us(e);

    if (now_us >= e->pace.shortage_until_us) { /* else it is one of those that failed together */
        e->pace.clamp = clamp;
        events_add(&e->events, EVENT_WARNING, "shortage", "", "%s; at most %u at once for now",
                   response->reason, clamp);
    }
    e->pace.clamp_until_us = now_us + 10 * US_PER_S;
    e->pace.shortage_until_us = now_us + SHORTAGE_PAUSE_US;
    if (!response->no_descriptor) {
        pace_note_no_memory(e, now_us);
    }
    fetch_drop_idle(e->fetch);
    take_back_try(response->request);
    settle_put_back(e, settle_dismantle(e, response));
}

/* A page that was asked for only to see the end of its listing, and is refused for good: that is the end. The
 * answer is kept, as evidence, but no table is made of it. */
static bool is_past_end(const struct engine *e, const struct response *response,
                        const struct deadline *deadline, struct discoveries *discoveries)
{
    const struct request *request = response->request;
    bool has_status = response->outcome == OUTCOME_STATUS;

    if (request->page.basis == PAGE_NAMED || request->page.basis == PAGE_PART ||
        response->outcome == OUTCOME_OK || response->outcome == OUTCOME_REDIRECT ||
        response->outcome == OUTCOME_LOCAL || response->outcome == OUTCOME_CANCELLED ||
        deadline->holds_host ||
        (has_status && request->page.basis == PAGE_TRIED &&
         retry_wants_status(&e->job->retry, response->status))) {
        return false;
    }
    discoveries_release(discoveries);
    return pages_read_refused(e->job, request, has_status ? response->status : 0, discoveries) ==
               RESULT_OK &&
           discoveries->page.is_page;
}

/* What a server says in an error may repeat a secret, and be long: redacted first, cut then. */
#define SAID_MAX 8192

static void add_said(struct engine *e, struct response *response, struct str said)
{
    size_t len = strlen(response->reason);

    said.len = said.len < SAID_MAX ? said.len : SAID_MAX;
    buf_reset(&e->scratch.redacted);
    if (said.len &&
        secrets_redact(&e->secrets, said, SECRETS_CUT, &e->scratch.redacted) == RESULT_OK) {
        snprintf(response->reason + len, sizeof response->reason - len, ": %.*s",
                 STR_ARG(buf_view(&e->scratch.redacted)));
    }
}

/* A reason may quote the answer. It is hidden here, before anybody has it: the ledger, the events, the
 * screen. */
static void hide_in_reason(struct engine *e, struct response *response)
{
    if (!response->reason[0]) {
        return;
    }
    buf_reset(&e->scratch.redacted);
    if (secrets_redact(&e->secrets, str_view(response->reason), SECRETS_CUT,
                       &e->scratch.redacted) != RESULT_OK) {
        buf_reset(&e->scratch.redacted);
    }
    snprintf(response->reason, sizeof response->reason, "%.*s",
             STR_ARG(buf_view(&e->scratch.redacted)));
}

/* The endpoint's bodies are no JSON and need be none. */
static bool is_kept(const struct engine *e, uint32_t endpoint)
{
    return body_format_is_kept(e->job->endpoints[endpoint].reading.as);
}

static void settle_by_verdict(struct engine *e, struct response *response, struct attempt *attempt,
                              const struct deadline *deadline, struct discoveries *discoveries)
{
    struct request *request = response->request;

    if (deadline->holds_host && refusal_is_limits(host_at(&e->hosts, request->host), request)) {
        attempt->attempt = --request->attempt;
    }
    switch (retry_judge(attempt, &e->job->retry)) {
    case VERDICT_DONE:
        judge_done(e, response,
                   !response->body.len                       ? SETTLE_BODY_EMPTY
                   : is_kept(e, response->request->endpoint) ? SETTLE_BODY_FOREIGN
                                                             : SETTLE_BODY_JSON,
                   discoveries);
        break;
    case VERDICT_REDIRECT:
        redirect(e, response);
        break;
    case VERDICT_AGAIN:
        judge_again(e, response, deadline);
        break;
    case VERDICT_FREE:
        back_off_locally(e, response);
        break;
    case VERDICT_FINAL:
        if (retry_is_doubtful(attempt)) {
            response->request->last.failure = (struct failure){ FAILURE_MAYBE_SENT, 0 };
        }
        judge_final(e, response);
        break;
    }
}

/* The login has a say: true when the response has been seen to. */
static bool login_decides(struct engine *e, struct response *response,
                          const struct deadline *deadline)
{
    switch (login_heed(e, response)) {
    case LOGIN_SILENT:
        return false;
    case LOGIN_FREE: /* it waits for the next token, and this was no try */
        judge_unasked(e, response);
        return true;
    case LOGIN_TRY:
        break;
    }
    if (response->request->attempt >= e->job->retry.attempts) {
        return false;
    }
    judge_again(e, response, deadline);
    return true;
}

/* What nobody else has seen to: it is split up, or ends as its verdict says. */
static void settle_or_split(struct engine *e, struct response *response,
                            struct body_result *reading, struct attempt *attempt,
                            const struct deadline *deadline)
{
    const struct request *request = response->request;

    if (!deadline->holds_host && split_up_takes(e, response, &reading->discoveries)) {
        return;
    }
    ban_note(e, response, deadline->holds_host);
    refused_alike_note(e, response, deadline->holds_host);
    if (poll_is_not_modified(response)) {
        settle_put(e, response, SETTLE_DONE, SETTLE_BODY_NONE, NULL);
    } else if (is_past_end(e, response, deadline, &reading->discoveries)) {
        judge_done(e, response, response->body.len ? SETTLE_BODY_FOREIGN : SETTLE_BODY_EMPTY,
                   &reading->discoveries);
    } else if (request->last.bad_times >= BAD_ALIKE_MAX || refused_alike_is(e, request)) {
        judge_final(e, response);
    } else {
        settle_by_verdict(e, response, attempt, deadline, &reading->discoveries);
    }
}

static void judge(struct engine *e, struct response *response, struct body_result *reading)
{
    struct request *request = response->request;
    struct host *host = host_at(&e->hosts, request->host);
    struct deadline deadline = refusal_deadline(e, host, response);
    struct attempt attempt = {
        .status = response->status,
        .attempt = request->attempt,
        .idempotent = judge_asks_safely(e, request),
        .sent = response->sent,
        .is_hopeless = proxy_is_hopeless(response),
    };

    if (http_version_heed(e, response) || proxy_is_over(e, response)) {
        judge_unasked(e, response);
        return;
    }
    body_tell(e, response);
    add_said(e, response, reading->discoveries.said);
    opinion_apply(e, response, &reading->opinion, &deadline);
    hide_in_reason(e, response);
    attempt.outcome = response->outcome;
    attempt.has_deadline = deadline.named;
    listeners_judged(e, response);
    judge_note_try(response);
    if (response->outcome == OUTCOME_OK || poll_is_not_modified(response)) {
        tokens_note_well(e, request);
        credential_note_well(e, request);
    }
    if (ban_takes(e, response) ||
        opinion_heed(e, response, &reading->opinion, &deadline, &reading->discoveries)) {
        return;
    }
    if (response->outcome == OUTCOME_STATUS) {
        attempt.is_limit = refusal_by_problem(e, host, response);
    }
    deadline.holds_host = retry_holds_host(&attempt) || response->calm_down ||
                          (response->status == 503 && host_bucket(host, request)->refuses_with_503);
    if (deadline.holds_host) {
        refusal_hold(e, host, response, &deadline);
    }
    if (signing_stops(e, response)) {
        judge_unasked(e, response);
        return;
    }
    if (tokens_take(e, response, &deadline)) {
        return;
    }
    if (login_decides(e, response, &deadline)) {
        return;
    }
    switch (credential_heed(e, response)) {
    case CREDENTIAL_SILENT:
        break;
    case CREDENTIAL_FAILED:
        judge_final(e, response);
        return;
    case CREDENTIAL_TAKEN:
        return;
    }
    settle_or_split(e, response, reading, &attempt, &deadline);
}

/* --- is it JSON? ------------------------------------------------------------------------------- */

static void note_shortage(struct response *response)
{
    response->outcome = OUTCOME_LOCAL;
    snprintf(response->reason, sizeof response->reason, "out of memory reading a page");
}

static void note_bad_body(struct response *response, const struct body_verdict *verdict)
{
    response->outcome = verdict->outcome;
    response->bad_crc32c =
        response->body.len ? crc32c(0, response->body.data, response->body.len) : 0;
    snprintf(response->reason, sizeof response->reason, "%s", verdict->why);
}

/* An empty body is good in an answer that says so. */
static bool needs_body(const struct response *response)
{
    return response->status != 204 && response->status != 205;
}

static void read_page(const struct engine *e, struct response *response,
                      struct body_result *reading)
{
    const struct request *request = reading->clear ? reading->clear : response->request;
    const struct job_endpoint *endpoint = &e->job->endpoints[request->endpoint];
    struct discoveries *discoveries = &reading->discoveries;

    if (endpoint->pages.kind == JOB_PAGES_NONE) {
        pages_check_single(endpoint, buf_view(&response->body), discoveries);
    }
    if (!discoveries->is_no_page && discover_wants(&e->discover, request->endpoint) &&
        discover_read(&e->discover, request, response, discoveries) != RESULT_OK) {
        discoveries_release(discoveries);
        note_shortage(response);
    }
    if (discoveries->is_no_page) {
        response->outcome = OUTCOME_NO_RECORDS;
        memcpy(response->reason, discoveries->why, sizeof response->reason);
    }
}

/* On the loop or on the pool. */
static void read_body(const struct engine *e, struct response *response,
                      struct body_result *reading)
{
    const struct body_how how = body_how_of(e, response->request->endpoint);
    struct body_verdict verdict = body_read_json(&how, response);
    bool is_json = verdict.is_json;
    bool is_good =
        response->outcome == OUTCOME_OK && (is_json || (verdict.is_kept && response->body.len) ||
                                            (!response->body.len && !needs_body(response)));

    if (response->outcome == OUTCOME_OK && !is_good) {
        note_bad_body(response, &verdict);
    }
    opinion_read(e, response, is_json, &reading->opinion);
    if (reading->opinion.action == ANSWER_OK
            ? is_json
            : is_good && !(verdict.is_kept && response->body.len) &&
                  reading->opinion.action == ANSWER_DO_COUNT) {
        read_page(e, response, reading);
    }
}

/* Of body_checks. */
static void read_done(struct engine *e, struct response *response, struct body_result *reading,
                      bool cancelled)
{
    if (cancelled) {
        frontier_forget(e->frontier,
                        settle_dismantle(e, response)); /* pending, as if still in flight */
    } else {
        judge(e, response, reading);
    }
}

void judge_init(struct engine *e)
{
    work_init(&e->judging.pool, e->options.loop, 1);
    body_checks_init(&e->judging.checks, uv_available_parallelism());
    e->judging.checks.read = read_body;
    e->judging.checks.done = read_done;
}

/* What is made into JSON of its own is left to the pool, which keeps memory back for one at a time; so is what takes
 * long, as others wait for this thread. */
static bool may_read_ahead(const struct engine *e, const struct response *response)
{
    uint32_t endpoint = response->request->endpoint;
    const struct body_how how = body_how_of(e, endpoint);

    return opinion_wants_body(e, response) && !body_may_grow(&how, response) &&
           response->body.len <= (discover_wants(&e->discover, endpoint) ? ENGINE_PAGE_INLINE_MAX
                                                                         : ENGINE_JSON_INLINE_MAX);
}

/* A login's answer is the loop's; what is asked with a secret in it is opened there. */
void judge_read_ahead(void *context, struct response *response)
{
    const struct engine *e = context;
    const struct request *request = response->request;
    struct body_result *reading;

    if (request->id == 0 || request->sealed || !may_read_ahead(e, response)) {
        return;
    }
    reading = malloc(sizeof *reading);
    if (reading) { /* else it is read later */
        *reading = (struct body_result){ .opinion = opinion_none };
        read_body(e, response, reading);
        response->read_ahead = reading;
    }
}

static bool take_read_ahead(struct engine *e, struct response *response,
                            struct body_result *reading)
{
    struct body_result *ahead = response->read_ahead;

    if (!ahead) {
        return false;
    }
    response->read_ahead = NULL;
    *reading = *ahead;
    free(ahead);
    fetch_recount(e->fetch, response);
    return true;
}

/* Whether the body has been read, or need not be; else that is left to the pool. */
static bool read_here(struct engine *e, struct response *response, struct body_result *reading)
{
    bool leads_on = discover_wants(&e->discover, response->request->endpoint);

    if (take_read_ahead(e, response, reading)) {
        return true;
    }
    if (!opinion_wants_body(e, response)) {
        return true;
    }
    if (body_checks_want(e, response->body.len, leads_on)) {
        return false;
    }
    if (seal_clear(e, response->request, &reading->clear) == RESULT_OK) {
        read_body(e, response, reading);
        fetch_recount(e->fetch, response);
    } else {
        note_shortage(response);
    }
    return true;
}

static void read_elsewhere(struct engine *e, struct response *response, struct body_result *reading)
{
    if (seal_clear(e, response->request, &reading->clear) != RESULT_OK) {
        note_shortage(response);
    } else if (body_checks_put(e, response, reading->clear)) {
        reading->clear = NULL;
        return;
    } else {
        read_body(e, response, reading);
        fetch_recount(e->fetch, response);
    }
    judge(e, response, reading);
}

/* It died of our having been stopped, and may be asked again whatever became of it. */
static bool died_asleep(const struct engine *e, const struct response *response)
{
    const struct request *request = response->request;

    return request->since_us < e->judging.slept_from_us &&
           (response->outcome == OUTCOME_TIMEOUT || response->outcome == OUTCOME_CONNECT ||
            response->outcome == OUTCOME_DNS || response->outcome == OUTCOME_SHORT_BODY) &&
           (!response->sent || judge_asks_safely(e, request));
}

void judge_response(void *context, struct response *response)
{
    struct engine *e = context;
    struct request *request = response->request;
    struct body_result reading = { .opinion = opinion_none };
    struct answer answer;
    bool asleep, is_read;

    note_files(e, response);
    if (response->outcome != OUTCOME_LOCAL) {
        e->pace.no_memory_since_us = 0;
    }
    e->session.sent += response->challenges; /* each was asked once more, by libcurl */
    pace_sent_again(e, response);
    proxy_note(e, response);
    if (login_takes(e, response)) {
        engine_want_turn(e);
        return;
    }
    asleep = died_asleep(e, response);
    is_read = read_here(e, response, &reading);
    pace_ended(e, host_at(&e->hosts, request->host), response, asleep,
               reading.opinion.action == ANSWER_HOLD, engine_now_us(e));
    if (response->outcome == OUTCOME_CANCELLED) {
        bool was_sent = response->sent;

        request = settle_dismantle(e, response);
        if (was_sent) {
            frontier_forget(e->frontier, request);
        } else {
            settle_leave(e, request);
        }
        return;
    }
    answer = answer_of(response, engine_now_us(e), asleep);
    listeners_answer(e, &answer);
    if (asleep) {
        take_back_try(request);
        settle_put_back(e, settle_dismantle(e, response));
    } else if (is_read) {
        judge(e, response, &reading);
    } else {
        read_elsewhere(e, response, &reading);
    }
    body_result_release(&reading);
    engine_want_turn(e);
}
