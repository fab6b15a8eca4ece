#include "engine/tell_try.h"

#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/said.h"

#include <stdio.h>

#define FIELDS_MAX 256

static void put_fields(const struct engine *e, const struct response *response,
                       char fields[FIELDS_MAX])
{
    const struct request *request = response->request;
    char class[FAILURE_TEXT_MAX];

    failure_format_word(request->last.failure, class);
    snprintf(fields, FIELDS_MAX,
             ",\"id\":%llu,\"status\":%d,\"outcome\":\"%s\",\"class\":\"%s\",\"attempt\":%u,"
             "\"attempts_max\":%u",
             (unsigned long long)request->id, response->status, outcome_name(response->outcome),
             class, request->attempt, e->job->retry.attempts);
}

/* What libcurl said, in its own words. */
static enum result put_library(struct engine *e, struct buf *fields,
                               const struct response *response)
{
    return response->library[0]
               ? events_put_text(&e->events, fields, "curl", str_view(response->library))
               : RESULT_OK;
}

/* Its reason says already what the answer had instead. */
static bool has_said(struct failure failure)
{
    return failure.class == FAILURE_NO_RECORDS || failure.class == FAILURE_WRONG_TYPE ||
           failure.class == FAILURE_LIMIT;
}

void tell_failed(struct engine *e, const struct response *response)
{
    const struct request *request = response->request;
    const struct host *host = host_at(&e->hosts, request->host);
    char text[SNAPSHOT_REQUEST_TEXT], line[SAID_LINE_MAX], fields[FIELDS_MAX];
    struct buf more = { .max = 0 };
    bool spent = request->attempt > 1 && request->attempt >= e->job->retry.attempts;
    bool is_doubtful = request->last.failure.class == FAILURE_MAYBE_SENT;

    put_fields(e, response, fields);
    if (buf_append_str(&more, str_view(fields)) != RESULT_OK ||
        events_put_text(&e->events, &more, "key", request->key) != RESULT_OK ||
        events_put_text(&e->events, &more, "host", host->label) != RESULT_OK ||
        put_library(e, &more, response) != RESULT_OK || !buf_cstr(&more)) {
        buf_reset(&more);
    }
    engine_request_text(e, request, text);
    line[0] = '\0';
    if (!has_said(request->last.failure)) {
        said_line_of(&e->secrets, response, line);
    }
    events_add(&e->events, EVENT_ERROR, EVENTS_FAILED, more.len ? more.data : fields,
               "%s%s%.*s failed: %s%s%s%s%s", text, host->label.len ? " at " : "",
               (int)(host->label.len < SNAPSHOT_HOST_TEXT ? host->label.len : SNAPSHOT_HOST_TEXT),
               host->label.data, request->reason, spent ? ", all tries used" : "",
               is_doubtful ? ", and what was sent may have been acted on" : "", line[0] ? ": " : "",
               line);
    buf_release(&more);
}

void tell_retry(struct engine *e, const struct response *response)
{
    const struct request *request = response->request;
    const struct due *due = &request->due;
    uint64_t now_us = engine_now_us(e);
    uint64_t wait_us = request->due_us > now_us ? request->due_us - now_us : 0;
    struct buf line = { .max = 0 };
    char fields[FIELDS_MAX];
    enum result result;

    put_fields(e, response, fields);
    result = buf_printf(&line, "%s,\"wait_ms\":%llu,\"set_by\":\"%s\"", fields,
                        (unsigned long long)(wait_us / US_PER_MS), due_by_word(due->by));
    if (result == RESULT_OK) {
        result = events_put_text(&e->events, &line, "key", request->key);
    }
    if (result == RESULT_OK) {
        result = events_put_text(&e->events, &line, "host", str_view(due->host));
    }
    if (result == RESULT_OK && due->said[0]) {
        result = events_put_text(&e->events, &line, "said", str_view(due->said));
    }
    if (result == RESULT_OK) {
        result = events_put_text(&e->events, &line, "reason", str_view(request->reason));
    }
    if (result == RESULT_OK) {
        result = put_library(e, &line, response);
    }
    if (result == RESULT_OK && buf_cstr(&line)) {
        events_note(&e->events, "retry", line.data, NULL);
    } /* without memory a line is missing, never a try */
    buf_release(&line);
}
