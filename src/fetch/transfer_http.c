#include "fetch/transfer_http.h"

#include <string.h>

#define HTTP2_RIGHT 0x080100 /* curl issues 10693 and 10715 are fixed in it */
#define ENHANCE_YOUR_CALM 11 /* RFC 9113 section 7 */

bool fetch_http2_is_right(void)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    return (curl->features & CURL_VERSION_HTTP2) && curl->version_num >= HTTP2_RIGHT;
}

static bool has_http2(void)
{
    return curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2;
}

bool transfer_http_is_stream(const struct transfer *t)
{
    return t->http >= JOB_HTTP_2;
}

bool transfer_http_may_talk(const struct transfer *t)
{
    long version = CURL_HTTP_VERSION_NONE;

    curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_NONE ? transfer_http_is_stream(t)
                                             : version >= CURL_HTTP_VERSION_2_0;
}

static bool is_https_url(const char *url)
{
    return str_starts(str_view(url), STR("https:")) || str_starts(str_view(url), STR("HTTPS:"));
}

static enum job_http wanted(const struct transfer *t, bool is_https, enum job_http http)
{
    http = http ? http : t->config->options->http;
    return http ? http : is_https && fetch_http2_is_right() ? JOB_HTTP_2 : JOB_HTTP_1_1;
}

/* In clear text, libcurl 8.14 never frees requests that wait for a connection whose first stream was reset (measured). */
bool transfer_http_choose(struct transfer *t, const char *url, enum job_http http)
{
    static const long versions[JOB_HTTPS] = {
        [JOB_HTTP_1_1] = CURL_HTTP_VERSION_1_1,
        [JOB_HTTP_2] = CURL_HTTP_VERSION_2TLS,
        [JOB_HTTP_2_AT_ONCE] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
        [JOB_HTTP_3] = CURL_HTTP_VERSION_3,
    };
    bool is_https = is_https_url(url);

    t->http = wanted(t, is_https, http);
    t->listens = transfer_http_is_stream(t);
    t->is_refused = false;
    t->hears_calm = false;
    return curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, versions[t->http]) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT,
                            is_https && transfer_http_is_stream(t) ? 1L : 0L) == CURLE_OK;
}

static long local_port(const struct transfer *t)
{
    long port = 0;

    curl_easy_getinfo(t->easy, CURLINFO_LOCAL_PORT, &port);
    return port;
}

/* "received GOAWAY, error=11, last_stream=3", in some versions misspelt. */
static bool is_calming_goaway(struct str line)
{
    static const struct str mark = STR_INIT("GOAWAY, error=");
    const char *at = memmem(line.data, line.len, mark.data, mark.len);
    struct str code =
        at ? (struct str){ at + mark.len, line.len - (size_t)(at - line.data) - mark.len }
           : STR_NONE;

    return str_starts(code, STR("11,"));
}

void transfer_http_hear(struct transfer *t, struct str line)
{
    struct calmed *calmed = t->config->calmed;

    if (str_starts(line, STR("REFUSED_STREAM, retrying"))) {
        t->is_refused = true;
        t->response->refusals++;
    } else if (is_calming_goaway(line)) {
        t->hears_calm = true;
        calmed->ports[calmed->count++ % TRANSFER_CALMED_MAX] = local_port(t);
    }
}

static bool was_calmed(const struct transfer *t)
{
    const struct calmed *calmed = t->config->calmed;
    long port = calmed->count ? local_port(t) : 0;

    for (size_t i = 0; port && i < TRANSFER_CALMED_MAX; i++) {
        if (calmed->ports[i] == port) {
            return true;
        }
    }
    return false;
}

/* libcurl tells the code of a reset stream only in its text. */
static bool is_calm_down(const struct transfer *t, CURLcode code, const char *text)
{
    bool is_stream_end = code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;

    return t->hears_calm || (is_stream_end && strstr(text, "ENHANCE_YOUR_CALM")) ||
           (code != CURLE_OK && transfer_http_is_stream(t) && was_calmed(t));
}

bool transfer_http_is_empty(const struct transfer *t, CURLcode code, const char *text)
{
    return !t->header_bytes && (code == CURLE_GOT_NOTHING ||
                                (code == CURLE_RECV_ERROR && strstr(text, "unexpected eof")));
}

bool transfer_http_is_end_of_2(const struct transfer *t, CURLcode code, const char *text)
{
    return transfer_http_is_empty(t, code, text) ||
           (code == CURLE_UNSUPPORTED_PROTOCOL && strstr(text, "HTTP/0.9")) ||
           (code == CURLE_SSL_CONNECT_ERROR && strstr(text, "no application protocol"));
}

/* libcurl's words when its tries are used up (lib/transfer.c). */
static bool is_tried_out(const char *text)
{
    return strstr(text, "Connection died, tried");
}

/* The connection ended, not one stream of it: as when what the server takes for HTTP/2 is none. */
static bool is_end_of_connection(const struct transfer *t, CURLcode code, const char *text)
{
    return code == CURLE_HTTP2 || code == CURLE_GOT_NOTHING ||
           transfer_http_is_empty(t, code, text) || is_tried_out(text) ||
           strstr(text, "before end of the underlying stream");
}

/* In clear text only frames show that prior knowledge may help: who just closes may have fallen. */
static enum job_http instead(const struct transfer *t, CURLcode code, const char *text,
                             bool is_https)
{
    bool is_asked_so = t->config->options->http != JOB_HTTP_AUTO;

    if (t->http == JOB_HTTP_1_1 && !is_asked_so && has_http2() &&
        transfer_http_is_end_of_2(t, code, text) &&
        (is_https || !transfer_http_is_empty(t, code, text))) {
        return is_https ? JOB_HTTP_2 : JOB_HTTP_2_AT_ONCE;
    }
    if (t->http == JOB_HTTP_2 && is_https && !t->is_refused &&
        is_end_of_connection(t, code, text)) {
        return JOB_HTTP_1_1;
    }
    return JOB_HTTP_AUTO;
}

/* A server over TLS says which of the two it speaks. */
static enum job_http answered_with(const struct transfer *t, const struct response *r)
{
    long version = 0;

    curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    return r->status > 0 && t->http == JOB_HTTP_2 &&
                   (version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1)
               ? JOB_HTTP_1_1
               : t->http;
}

void transfer_http_end(const struct transfer *t, CURLcode code, const char *text,
                       struct response *r)
{
    char *scheme = NULL;

    r->http = answered_with(t, r);
    r->calm_down = is_calm_down(t, code, text);
    if (t->is_refused && is_tried_out(text)) {
        r->sent = false;
    }
    curl_easy_getinfo(t->easy, CURLINFO_SCHEME, &scheme);
    r->http_instead =
        r->status == 0 && !r->calm_down
            ? instead(t, code, text, scheme && str_equal_nocase(str_view(scheme), STR("https")))
            : JOB_HTTP_AUTO;
}
