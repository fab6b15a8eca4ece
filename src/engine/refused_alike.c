#include "engine/refused_alike.h"

#include "engine/core.h"
#include "engine/discover.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/poll.h"
#include "plan/retry.h"
#include "plan/twin.h"

#include <stdio.h>

#define RULE_TEXT_MAX 96

bool engine_is_any_left(const struct engine *e)
{
    uint64_t begun = frontier_waiting(e->frontier) + fetch_in_flight(e->fetch) + e->judging.count +
                     committer_pending(e->committer) + 1; /* this one */

    return engine_work_left(e) > begun || discover_is_pending(e);
}

/* How a user can have it otherwise; empty where no rule does. */
static void spell_rule(struct failure failure, char text[RULE_TEXT_MAX])
{
    text[0] = '\0';
    if (failure.class == FAILURE_STATUS) {
        snprintf(text, RULE_TEXT_MAX, " (--answer 'status=%d do=fail' goes on all the same)",
                 failure.status);
    } else if (failure.class == FAILURE_WRONG_TYPE) {
        snprintf(text, RULE_TEXT_MAX,
                 " (--answer 'status=2xx body=html,xml,text,binary do=fail' goes on all the same)");
    }
}

static void tell(struct engine *e, const struct response *response)
{
    char rule[RULE_TEXT_MAX];

    spell_rule(e->judging.same_answer.failure, rule);
    events_add(&e->events, EVENT_WARNING, "refused-alike", ",\"code\":\"W-SAME1\"",
               "%d requests in a row came to the same: %.80s; asked one at a time from now on, and "
               "after %d the run stops%s [W-SAME1]",
               SAME_ANSWER_TELL_AT, response->request->reason, SAME_ANSWER_STOP_AT, rule);
}

/* The same of one host, while others answer well. */
static void tell_of_host(struct engine *e, const struct response *response, const struct host *host)
{
    struct str label = twin_origin_label(host);

    events_add_host(&e->events, EVENT_WARNING, "refused-alike", label, ",\"code\":\"W-SAME1\"",
                    "%.*s: %d requests in a row came to the same: %.80s; it is asked one at a time "
                    "from now on, and what comes to the same there is not tried again [W-SAME1]",
                    STR_ARG(label), SAME_ANSWER_TELL_AT, response->request->reason);
}

/* It alone: what others answer is asked on. */
static void stop_host(struct engine *e, const struct response *response, struct host *host)
{
    struct str label = twin_origin_label(host);
    char class[FAILURE_TEXT_MAX];

    if (host->is_stopped || e->phase != ENGINE_RUNNING || !engine_is_any_left(e)) {
        return;
    }
    twins_stop(&e->hosts, host);
    failure_format_word(host->same.failure, class);
    events_add_host(&e->events, EVENT_ERROR, "refused-alike", label, ",\"code\":\"E-SAME1\"",
                    "%.*s: %d requests in a row came to the same: %.60s; it is asked nothing more, "
                    "other hosts go on; --only-failed --class %s asks them again [E-SAME1]",
                    STR_ARG(label), SAME_ANSWER_STOP_AT, response->request->reason, class);
}

static void stop(struct engine *e, const struct response *response)
{
    char why[sizeof e->ending.why], class[FAILURE_TEXT_MAX];

    if (e->phase != ENGINE_RUNNING || !engine_is_any_left(e)) {
        return;
    }
    failure_format_word(e->judging.same_answer.failure, class);
    snprintf(why, sizeof why,
             "%d requests in a row came to the same: %.50s; --only-failed --class %s asks them "
             "again",
             SAME_ANSWER_STOP_AT, response->request->reason, class);
    events_add(&e->events, EVENT_ERROR, "refused-alike", ",\"code\":\"E-SAME1\"",
               "%s; stopping, resumable", why);
    engine_stop_for(e, "E-SAME1", why);
}

void refused_alike_note(struct engine *e, const struct response *response, bool is_put_off)
{
    const struct request *request = response->request;
    struct host *host = twin_origin_of(&e->hosts, request);
    struct failure failure = request->last.failure;
    enum same_answer_word host_word;

    if (response->outcome == OUTCOME_REDIRECT || response->outcome == OUTCOME_LOCAL) {
        return; /* neither good nor bad */
    }
    if (poll_is_not_modified(response)) {
        failure.class = FAILURE_NONE;
    }
    is_put_off |= retry_wants_status(&e->job->retry, response->status);
    host_word = same_answer_note(&host->same, failure, request->attempt == 1, is_put_off);
    switch (same_answer_note(&e->judging.same_answer, failure, request->attempt == 1, is_put_off)) {
    case SAME_ANSWER_SILENT:
        break;
    case SAME_ANSWER_TELL:
        tell(e, response);
        break;
    case SAME_ANSWER_STOP:
        stop(e, response);
        break;
    }
    if (host_word == SAME_ANSWER_STOP) {
        stop_host(e, response, host);
    }
    if (host_word == SAME_ANSWER_TELL && !e->judging.same_answer.is_told) {
        tell_of_host(e, response, host);
    }
}

bool refused_alike_is(const struct engine *e, const struct request *request)
{
    return same_answer_is(&e->judging.same_answer, request->last.failure) ||
           same_answer_is(&twin_origin_of(&e->hosts, request)->same, request->last.failure);
}
