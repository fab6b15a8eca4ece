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

bool http_version_changes(struct engine *e, const struct response *response)
{
    const struct host *host = host_of(e, response);
    bool is_again = host->http && (host->http != response->http ||
                                   (!host->is_http_sure && host->http_tries + 1 < TRIES_MAX));

    switch (response->outcome) {
    case OUTCOME_CONNECT:
    case OUTCOME_PROTOCOL:
    case OUTCOME_TLS:
        return response->status == 0 &&
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
        if (host->http && host->http == response->http) {
            tell(e, host);
        } else {
            host->http = JOB_HTTP_AUTO;
        }
        return false;
    }
    if (http_version_changes(e, response)) {
        host->http_tries += host->http == response->http;
        host->http = host->http ? host->http : response->http_instead;
        return !response->sent || judge_asks_safely(e, response->request);
    }
    if (!host->is_http_sure && host->http && host->http == response->http &&
        response->outcome != OUTCOME_CANCELLED && response->outcome != OUTCOME_LOCAL) {
        host->http = JOB_HTTP_AUTO;
        host->is_http_sure = true;
    }
    return false;
}
