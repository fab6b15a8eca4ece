#include "probe/probe_ask.h"

#include "fetch/fetch.h"
#include "job/auth/auth_kind.h"
#include "plan/pages/page_guess.h"
#include "plan/quota.h"
#include "plan/retry.h"

#include <assert.h>

struct asking {
    uv_loop_t loop;
    struct response *response;
};

/* A kept connection would keep the loop going until the server closes it. */
static void take_response(void *context, struct response *response)
{
    struct asking *asking = context;

    asking->response = response;
    uv_stop(&asking->loop);
}

/* The loop ends by itself when nothing is open any more. */
static void on_closed(void *context)
{
    (void)context;
}

/* What the login of the job is known to be: one request asks for no token. */
static enum result carry(const struct job *job, struct buf *token, struct buf *header,
                         struct buf *query, struct fetch_extra *extra)
{
    const struct auth_kind *kind = job->login.kind;
    enum result result;

    if (!kind || kind->is_asked || kind->is_run) {
        return RESULT_OK;
    }
    result = kind->token(&job->login, token);
    if (result == RESULT_OK) {
        result = kind->credential(&job->login, buf_view(token), header, query);
    }
    extra->headers[0] = buf_view(header);
    extra->query = buf_view(query);
    extra->digest = kind->is_challenged ? buf_view(token) : STR_NONE;
    return result;
}

static enum result start(struct asking *asking, const struct job *job, struct str url,
                         struct fetch *fetch, struct err *err)
{
    struct request *request = request_new(1, 0, STR("probe"), url);
    struct fetch_extra extra = { .query = STR_NONE };
    struct buf token = { 0 }, header = { 0 }, query = { 0 };
    enum result result = RESULT_OK;

    if (!request || carry(job, &token, &header, &query, &extra) != RESULT_OK ||
        fetch_start(fetch, request, &extra) != RESULT_OK) {
        request_free(request);
        result = err_nomem(err, "asking");
    }
    auth_wipe(&token);
    auth_wipe(&header);
    auth_wipe(&query);
    if (result != RESULT_OK) {
        return result;
    }
    fetch_kick(fetch);
    while (!asking->response && uv_run(&asking->loop, UV_RUN_DEFAULT)) {
    }
    assert(asking->response); /* fetch hands back every request, once */
    return RESULT_OK;
}

/* Headers that somebody reads besides fetch itself. */
static bool is_header_wanted(struct str name)
{
    return quota_is_field(name) || pages_guess_wants_header(name);
}

/* One request, sent once. The response is the caller's, NULL after an error. */
static enum result ask_once(const struct job *job, struct str url, enum job_http http,
                            struct response **response, struct err *err)
{
    const char *headers[JOB_HEADERS_MAX];
    struct fetch_endpoint endpoint = { .method = job->endpoints[0].method,
                                       .body = job->endpoints[0].body };
    struct asking asking = { .response = NULL };
    struct fetch_options options = {
        .loop = &asking.loop,
        .clock = clock_system(),
        .endpoints = &endpoint,
        .endpoint_count = 1,
        .headers = headers,
        .header_count = job->header_count,
        .network = &job->network,
        .ca_file = job->network.ca_file,
        .insecure = job->network.insecure,
        .http = http,
        .connect_timeout_us = job->network.connect_timeout_us,
        .stall_timeout_us = job->network.stall_timeout_us,
        .total_timeout_us = job->network.total_timeout_us,
        .body_max_bytes = job->network.body_max_bytes,
        .keeps = is_header_wanted,
        .on_response = take_response,
        .context = &asking,
    };
    struct fetch *fetch = NULL;
    enum result result;

    for (size_t i = 0; i < job->header_count; i++) {
        headers[i] = job->headers[i].sent;
    }
    if (uv_loop_init(&asking.loop) != 0) {
        return err_nomem(err, "asking");
    }
    result = fetch_new(&fetch, &options, err);
    if (result == RESULT_OK) {
        result = start(&asking, job, url, fetch, err);
        fetch_close(fetch, on_closed);
        uv_run(&asking.loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&asking.loop);
    *response = asking.response;
    return result;
}

enum result probe_ask(const struct job *job, struct str url, struct response **response,
                      struct err *err)
{
    enum result result = ask_once(job, url, job->network.http, response, err);

    if (result == RESULT_OK && (*response)->http_instead &&
        (!(*response)->sent || retry_method_is_idempotent(str_view(job->endpoints[0].method)))) {
        enum job_http http = (*response)->http_instead;

        response_free(*response);
        result = ask_once(job, url, http, response, err);
    }
    return result;
}
