#include "engine/http_version.h"

#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/judge_end.h"

/* libcurl 7.88 may still use a connection that was made for the other version */
#define TRIES_MAX 5

static struct host *host_of(struct engine *e, const struct response *response)
{
    return host_origin(host_at(&e->hosts, response->request->host));
}

enum result http_version_restore(struct engine *e, struct err *err)
{
    struct buf text = { 0 };
    enum result result = committer_read_note(e->committer, LEDGER_NOTE_HTTP, &text, err);

    if (result == RESULT_OK && http_notes_read(&e->http_notes, buf_view(&text)) != RESULT_OK) {
        result = err_nomem(err, "reading what hosts speak");
    }
    buf_release(&text);
    return result == RESULT_NOT_FOUND ? RESULT_OK : result;
}

void http_version_release(struct engine *e)
{
    http_notes_release(&e->http_notes);
}

/* The user's word of today goes before what was found when it was another. */
enum job_http http_version_of(const struct engine *e, struct host *host)
{
    enum job_http wanted = e->job->network.http, noted = JOB_HTTP_AUTO;

    if (!host->is_http_sure && !host->http) {
        noted = http_notes_find(&e->http_notes, host->origin);
    }
    if (noted && (!wanted || (wanted == JOB_HTTP_2 && noted == JOB_HTTP_1_1))) {
        host->http = noted;
        host->is_http_noted = true;
    }
    return host->http;
}

/* True when it is news. */
static bool note(struct engine *e, const struct host *host, enum job_http http)
{
    bool is_news = http_notes_put(&e->http_notes, host->origin, http);

    if (is_news && e->committer) {
        committer_set_note(e->committer, LEDGER_NOTE_HTTP,
                           e->http_notes.text.len ? buf_view(&e->http_notes.text) : STR("\n"));
    }
    return is_news;
}

/* It is not there: that says nothing of what it speaks. */
static bool is_silence(const struct host *host, const struct response *response)
{
    return host->is_http_noted && response->outcome == OUTCOME_CONNECT && !response->sent;
}

bool http_version_changes(struct engine *e, const struct response *response)
{
    const struct host *host = host_of(e, response);
    bool is_again = host->http && (host->http != response->http ||
                                   (!host->is_http_sure && host->http_tries + 1 < TRIES_MAX));

    switch (response->outcome) {
    case OUTCOME_CONNECT:
    case OUTCOME_PROTOCOL:
    case OUTCOME_TLS:
        return response->status == 0 && !is_silence(host, response) &&
               (is_again || (response->http_instead && !host->is_http_sure && !host->http));
    default:
        return false;
    }
}

static void tell(struct engine *e, const struct host *host)
{
    bool is_http2 = host->http != JOB_HTTP_1_1;

    if (is_http2 && !fetch_http2_is_right()) {
        events_add_host(&e->events, EVENT_WARNING, "http", host->label, ",\"code\":\"W-HTTP2\"",
                        "%.*s speaks only HTTP/2: asked so, though this libcurl takes a body that "
                        "HTTP/2 cut short for a whole one [W-HTTP2]",
                        STR_ARG(host->label));
        return;
    }
    events_add_host(&e->events, EVENT_NOTICE, "http", host->label, "", "%.*s %s: asked so",
                    STR_ARG(host->label),
                    is_http2 ? "speaks only HTTP/2"
                             : "fails with HTTP/2 and answers with HTTP/1.1");
}

bool http_version_heed(struct engine *e, const struct response *response)
{
    struct host *host = host_of(e, response);

    if (response->status > 0 && !host->is_http_sure) {
        host->is_http_sure = true;
        if (!host->http || host->http != response->http) {
            host->http = JOB_HTTP_AUTO;
            (void)note(e, host, JOB_HTTP_AUTO);
        } else if (note(e, host, host->http)) {
            tell(e, host);
        }
        return false;
    }
    if (http_version_changes(e, response)) {
        host->http_tries += host->http == response->http;
        host->http = host->http ? host->http : response->http_instead;
        return !response->sent || judge_asks_safely(e, response->request);
    }
    if (host->is_http_noted && (is_silence(host, response) || host->http_tries + 1 < TRIES_MAX)) {
        return false;
    }
    if (!host->is_http_sure && host->http && host->http == response->http &&
        response->outcome != OUTCOME_CANCELLED && response->outcome != OUTCOME_LOCAL) {
        host->http = JOB_HTTP_AUTO;
        host->is_http_sure = true;
        (void)note(e, host, JOB_HTTP_AUTO);
    }
    return false;
}
