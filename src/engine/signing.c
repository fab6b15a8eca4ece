#include "engine/signing.h"

#include "base/moment.h"
#include "base/units.h"
#include "base/url_make.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/login.h"

#include <stdio.h>
#include <string.h>

static bool is_signed(const struct engine *e, const struct request *request)
{
    return (e->job->sign.aws || e->job->sign.hmac) && request->id && !request->foreign;
}

/* As the login's credential: what else the job asks is not told of the key or the session's token. */
static bool is_of_job(const struct engine *e, const struct url *url)
{
    const char *base = e->job->base, *authority = base ? strstr(base, "://") : NULL;
    struct str origin = { base, 0 };
    struct url own;

    if (!authority) {
        return true; /* whatever its endpoints name */
    }
    origin.len = (size_t)(authority - base) + 3 + strcspn(authority + 3, "/?#");
    return memchr(origin.data, '{', origin.len) || url_split(origin, &own, NULL) != RESULT_OK ||
           url_same_origin(&own, url);
}

/* "host:port" as libcurl sends it: the port only where it is not the scheme's. */
static struct str host_of(const struct url *url)
{
    const char *begin = url->host.data - url->is_ipv6;
    size_t len = url->host.len + 2 * (size_t)url->is_ipv6;
    const char *end = url->origin.data + url->origin.len;

    if (url->port != (url->is_https ? 443 : 80)) {
        len = (size_t)(end - begin);
    }
    return (struct str){ begin, len };
}

/* The target as it is sent: without "." and ".." segments unless they are wanted, and with the
 * query that the login adds, unless it is there (transfer.c). */
static enum result append_target(struct buf *out, const struct url *url, struct str query,
                                 bool as_is)
{
    struct str own = url->target, path = str_cut(&own, '?');
    enum result result = !path.len ? buf_append_char(out, '/')
                         : as_is   ? buf_append_str(out, path)
                                   : url_append_path(out, path);

    if (result == RESULT_OK && own.data) {
        result = buf_append_char(out, '?');
        result = result == RESULT_OK ? buf_append_str(out, own) : result;
    }
    if (result == RESULT_OK && query.len &&
        !memmem(url->target.data, url->target.len, query.data, query.len)) {
        result = buf_append_char(out, memchr(out->data, '?', out->len) ? '&' : '?');
        result = result == RESULT_OK ? buf_append_str(out, query) : result;
    }
    return result;
}

enum result signing_carry(struct engine *e, const struct request *request,
                          struct fetch_extra *extra)
{
    const struct job_endpoint *endpoint = &e->job->endpoints[request->endpoint];
    struct sign_request r = { .wall_us = clock_wall_us(&e->options.clock) };
    struct buf target = { 0 };
    struct url url;
    enum result result;

    if (!is_signed(e, request)) {
        return RESULT_OK;
    }
    result = url_split(extra->url.len ? extra->url : request_url(request), &url, NULL);
    if (result == RESULT_OK && !is_of_job(e, &url)) {
        return RESULT_OK;
    }
    if (result == RESULT_OK) {
        result = append_target(&target, &url, extra->query, e->job->network.path_as_is);
    }
    if (result == RESULT_OK) {
        r.method = str_view(request->drop_body ? "GET" : endpoint->method);
        r.body = request->drop_body   ? STR("")
                 : extra->body.len    ? extra->body
                 : request->body.data ? request->body
                                      : str_view(endpoint->body);
        r.host = host_of(&url);
        r.target = buf_view(&target);
        result = sign_make(&e->job->sign, &r, e->signing.lines);
    }
    for (size_t i = 0; i < SIGN_HEADERS_MAX && result == RESULT_OK; i++) {
        extra->headers[FETCH_EXTRA_HEADERS - SIGN_HEADERS_MAX + i] = buf_view(&e->signing.lines[i]);
    }
    auth_wipe(&target);
    return result;
}

/* How far the clock of this machine is from the server's, which may be why it refuses; 0: not far, or nobody knows. */
static int64_t clock_off_us(struct engine *e, const struct response *response)
{
    int64_t ours_us = clock_wall_us(&e->options.clock), theirs_us, off_us;
    struct str date = response_header(response, STR("date"));

    if (!date.len || !moment_parse_http(date, ours_us, &theirs_us)) {
        return 0;
    }
    off_us = theirs_us - ours_us;
    return off_us > -(int64_t)SIGN_CLOCK_OFF_US && off_us < (int64_t)SIGN_CLOCK_OFF_US ? 0 : off_us;
}

static void spell_clock(int64_t off_us, char why[160])
{
    char length[UNITS_TEXT_MAX];

    units_format_time((uint64_t)(off_us < 0 ? -off_us : off_us), length);
    snprintf(why, 160,
             "the clock of this machine is %s %s that of the server (its Date), which refuses a "
             "signature for that: set the clock",
             length, off_us < 0 ? "ahead of" : "behind");
}

bool signing_stops(struct engine *e, const struct response *response)
{
    char why[160];
    int64_t off_us;

    if (!is_signed(e, response->request) || response->status < 400 || response->status > 403) {
        return false;
    }
    off_us = e->signing.is_stopped ? 0 : clock_off_us(e, response);
    if (e->signing.is_stopped || !off_us) {
        return e->signing.is_stopped;
    }
    spell_clock(off_us, why);
    if (!e->credentials.well && e->phase == ENGINE_RUNNING) {
        e->signing.is_stopped = true;
        login_lose(e, why);
        return true;
    }
    if (!e->signing.is_clock_told) {
        e->signing.is_clock_told = true;
        events_add(&e->events, EVENT_ERROR, "sign", "", "%s", why);
    }
    return false;
}

void signing_release(struct engine *e)
{
    for (size_t i = 0; i < SIGN_HEADERS_MAX; i++) {
        auth_wipe(&e->signing.lines[i]);
    }
}
