#include "engine/split_up.h"

#include "engine/core.h"
#include "engine/detail.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/judge_end.h"
#include "plan/split.h"

#include <stdio.h>
#include <string.h>

static struct split_view view_of(const struct response *response, const struct discoveries *found)
{
    enum page_basis basis = (enum page_basis)response->request->page.basis;
    bool is_first = found->page.is_page && !response->request->page.ordinal;

    return (struct split_view){ .outcome = response->outcome,
                                .status = response->status,
                                .attempt = response->request->attempt,
                                .is_trial = basis == PAGE_TRIED || basis == PAGE_PROOF,
                                .body = buf_view(&response->body),
                                .total = is_first ? found->page.total : PAGE_TOTAL_UNKNOWN };
}

/* A body that came only in part is no evidence. */
static enum settle_body keep_body(struct response *response)
{
    if (response->outcome != OUTCOME_OK && response->outcome != OUTCOME_STATUS &&
        response->outcome != OUTCOME_NO_RECORDS) {
        buf_reset(&response->body);
    }
    return response->body.len ? SETTLE_BODY_FOREIGN : SETTLE_BODY_EMPTY;
}

/* What happens comes first: the screen cuts a line at its end. */
static void tell(struct engine *e, const struct response *response, const char *words)
{
    const struct request *request = response->request;
    char text[SNAPSHOT_REQUEST_TEXT];

    engine_request_text(e, request, text);
    if (response->outcome == OUTCOME_OK) {
        events_add(&e->events, EVENT_INFO, "split", "", "more than %llu records: %s: %s",
                   (unsigned long long)e->job->endpoints[request->endpoint].split.over, words,
                   text);
    } else {
        events_add(&e->events, EVENT_WARNING, "split", "", "%s: %s: %s",
                   response->reason[0] ? response->reason : outcome_name(response->outcome), words,
                   text);
    }
}

/* Why it fails all the same. */
static void add_words(char reason[REQUEST_REASON_MAX], const char *words)
{
    size_t len = strlen(reason);

    snprintf(reason + len, REQUEST_REASON_MAX - len, "%s%s", len ? "; " : "", words);
}

bool split_up_takes(struct engine *e, struct response *response, struct discoveries *discoveries)
{
    struct request *request = response->request;
    const struct job_endpoint *endpoint = &e->job->endpoints[request->endpoint];
    struct split_view view = view_of(response, discoveries);
    enum split_cause cause = split_cause_of(endpoint, &view);
    uint16_t *barren = &e->judging.split_up.barren[request->endpoint];
    char words[SPLIT_WORDS_MAX];

    if (response->outcome == OUTCOME_OK && cause == SPLIT_NONE) {
        *barren = 0;
    }
    if (cause == SPLIT_NONE) {
        return false;
    }
    snprintf(words, sizeof words,
             "so were %u before it, with no good answer between: it is not halved",
             SPLIT_BARREN_MAX);
    if (*barren >= SPLIT_BARREN_MAX ||
        split_make(endpoint, frontier_expansion(e->frontier, request->endpoint), request, cause,
                   discoveries, words) != RESULT_OK) {
        add_words(response->reason, words);
        add_words(request->reason, words);
        return false;
    }
    ++*barren;
    e->judging.split_up.count++;
    tell(e, response, words);
    judge_done(e, response, keep_body(response), discoveries);
    return true;
}
