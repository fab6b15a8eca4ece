#include "fetch/transfer.h"

#include "base/os.h"
#include "fetch/private_address.h"
#include "fetch/transfer_body.h"
#include "fetch/transfer_head.h"
#include "fetch/transfer_http.h"
#include "fetch/transfer_network.h"
#include "fetch/transfer_outcome.h"
#include "fetch/transfer_proxy.h"
#include "fetch/transfer_times.h"
#include "fetch/transfer_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define RECEIVE_BUFFER_BYTES (32L * 1024)

/* The kernel gives the lowest number that is free, so a high one says how many are in use. Some are
 * left for the store, whose next segment must not fail for want of one, and for tables. */
static bool is_one_of_the_last(int fd)
{
    struct rlimit limit;
    rlim_t left;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return false;
    }
    left =
        limit.rlim_cur > 4 * FETCH_SPARE_DESCRIPTORS ? FETCH_SPARE_DESCRIPTORS : limit.rlim_cur / 4;
    return (rlim_t)fd + left >= limit.rlim_cur;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct transfer *t = context;
    int fd;

    (void)purpose;
    t->private_refused |=
        !t->proxy && t->response->request->from_public && address_is_private(&address->addr);
    if (t->private_refused) {
        return CURL_SOCKET_BAD;
    }
    fd = os_socket(address->family, address->socktype, address->protocol);
    t->socket_errno = fd < 0 ? errno : 0;
    if (fd >= 0 && is_one_of_the_last(fd)) {
        close(fd);
        t->socket_errno = EMFILE;
    }
    if (t->socket_errno) {
        return CURL_SOCKET_BAD;
    }
    t->config->opened_socket(t->config->socket_context, fd);
    return fd;
}

/* A connection may be one that was made for the job's own origin: checked again before use. */
static int on_ready_to_send(void *context, char *peer_ip, char *local_ip, int peer_port,
                            int local_port)
{
    struct transfer *t = context;

    (void)local_ip;
    (void)peer_port;
    (void)local_port;
    t->private_refused |=
        !t->proxy && t->response->request->from_public && ip_text_is_private(peer_ip);
    if (t->private_refused) {
        return CURL_PREREQFUNC_ABORT;
    }
    if (t->answers_challenges && t->head.part == HEAD_AFTER && t->head.status == 401) {
        t->response->challenges++;
        transfer_head_again(t);
    }
    if (t->config->options->on_sending &&
        !t->config->options->on_sending(t->config->options->context, t->response)) {
        t->socket_errno = EIO;
        return CURL_PREREQFUNC_ABORT;
    }
    *t->config->unsent -= !t->response->sends;
    t->response->sends++;
    return CURL_PREREQFUNC_OK;
}

/* What never changes over a handle's life. */
static bool set_up(struct transfer *t)
{
    const struct fetch_options *o = t->config->options;
    CURL *e = t->easy;
    bool ok = true;

#define SET(option, value) ok &= curl_easy_setopt(e, option, value) == CURLE_OK
    SET(CURLOPT_PRIVATE, t);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_WRITEFUNCTION, transfer_body_piece);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, transfer_head_line);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_DEBUGFUNCTION, transfer_head_show);
    SET(CURLOPT_DEBUGDATA, t);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    SET(CURLOPT_CLOSESOCKETFUNCTION, t->config->close_socket);
    SET(CURLOPT_CLOSESOCKETDATA, t->config->socket_context);
    SET(CURLOPT_PREREQFUNCTION, on_ready_to_send);
    SET(CURLOPT_PREREQDATA, t);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* else a silent resolver blocks remove_handle for seconds */
    SET(CURLOPT_NOPROGRESS, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NOPROXY, ""); /* fetch/proxy.h has seen to that, and to the environment */
    SET(CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
    SET(CURLOPT_SOCKS5_AUTH, CURLAUTH_BASIC);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
    SET(CURLOPT_SSL_VERIFYPEER, o->insecure ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, o->insecure ? 0L : 2L);
    if (o->ca_file) {
        SET(CURLOPT_CAINFO, o->ca_file);
        SET(CURLOPT_PROXY_CAINFO, o->ca_file);
    }
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)FETCH_STALL_BYTES_PER_S);
#undef SET
    return ok && transfer_network_set_up(t) && transfer_times_set(t);
}

struct transfer *transfer_new(const struct transfer_config *config)
{
    struct transfer *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    t->config = config;
    t->easy = curl_easy_init();
    if (!t->easy || !set_up(t)) {
        transfer_free(t);
        return NULL;
    }
    return t;
}

/* libcurl repeats a request whose kept connection has died, up to five times: but before 8.17.0 it counts
 * these over the whole life of the handle, so that every sixth death is told as a failure (curl issue 18926,
 * mended by pull request 19066). curl_easy_reset() begins to count anew, but a stream that was refused leaves the
 * receive buffer behind in 7.88, which then cannot be set again: so it is a new handle. */
static bool renew(struct transfer *t)
{
    CURL *fresh = t->worn ? curl_easy_init() : NULL;

    if (!t->worn) {
        return true;
    }
    if (!fresh) {
        return false;
    }
    curl_easy_cleanup(t->easy);
    t->easy = fresh;
    t->is_verbose = t->watched = t->has_nonce = t->shows_cert = false;
    t->jar = NULL;
    t->worn = !set_up(t);
    return !t->worn;
}

/* What may hold a credential leaves no trace in the heap. */
static void wipe(struct buf *b)
{
    if (b->data) {
        os_wipe(b->data, b->cap);
    }
    buf_release(b);
}

void transfer_free(struct transfer *t)
{
    curl_easy_cleanup(t->easy);
    transfer_url_release(t);
    wipe(&t->url);
    wipe(&t->idn);
    wipe(&t->body);
    wipe(&t->digest);
    for (size_t i = 0; i < FETCH_EXTRA_HEADERS; i++) {
        wipe(&t->extra[i]);
    }
    free(t);
}

static bool may_be_repeated(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
           strcmp(method, "OPTIONS") == 0;
}

/* The body is not libcurl's: one that came with `extra` is kept until the answer is there. */
static bool choose_body(struct transfer *t, const struct request *request,
                        const struct fetch_extra *extra, const char **body)
{
    *body = request->body.data ? request->body.data
                               : t->config->options->endpoints[request->endpoint].body;
    if (extra && extra->body.len) {
        buf_reset(&t->body);
        *body = buf_append_str(&t->body, extra->body) == RESULT_OK ? buf_cstr(&t->body) : NULL;
        return *body != NULL;
    }
    return true;
}

static bool set_method(struct transfer *t, const struct request *request, const char *body)
{
    const struct fetch_endpoint *endpoint = &t->config->options->endpoints[request->endpoint];
    bool with_body = body && !request->foreign && !request->drop_body;
    bool ok = curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    const char *method = request->drop_body ? "GET" : endpoint->method;

    if (with_body) {
        ok &= curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body)) ==
                  CURLE_OK &&
              curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body) == CURLE_OK;
    }
    if (strcmp(method, "HEAD") == 0) {
        ok &= curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    }
    if (strcmp(method, with_body ? "POST" : "GET") != 0) {
        ok &= curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
    } else {
        ok &= curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK;
    }
    /* libcurl by itself repeats a request whose kept connection dies before the first byte, whatever
     * the method; a fresh connection leaves it no reason to (RFC 9110 section 9.2.2). */
    ok &= curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, may_be_repeated(method) ? 0L : 1L) ==
          CURLE_OK;
    return ok;
}

/* The URL with the extra query after its own; NULL when out of memory. */
static const char *url_with(struct transfer *t, const struct request *request,
                            const struct fetch_extra *extra)
{
    struct str url = extra && extra->url.len ? extra->url : request_url(request);
    struct str query = extra ? extra->query : STR_NONE;
    struct str fragment = url, base = str_cut(&fragment, '#');

    if (!query.len || request->foreign || memmem(url.data, url.len, query.data, query.len)) {
        return url.data; /* as a planned URL may have it, too */
    }
    buf_reset(&t->url);
    if (buf_append_str(&t->url, base) != RESULT_OK ||
        buf_append_char(&t->url, memchr(base.data, '?', base.len) ? '&' : '?') != RESULT_OK ||
        buf_append_str(&t->url, query) != RESULT_OK) {
        return NULL;
    }
    return buf_cstr(&t->url);
}

/* The endpoint's headers after the extra ones; those of nobody for a foreign origin. */
static enum result set_headers(struct transfer *t, const struct request *request,
                               const struct fetch_extra *extra)
{
    struct curl_slist *list = t->config->headers[request->endpoint];

    if (request->foreign) {
        list = t->config->plain_headers;
        extra = NULL;
    }
    for (size_t i = 0; extra && i < FETCH_EXTRA_HEADERS; i++) {
        struct curl_slist *node = &t->extra_headers[i];

        if (!extra->headers[i].len) {
            continue;
        }
        buf_reset(&t->extra[i]);
        if (buf_append_str(&t->extra[i], extra->headers[i]) != RESULT_OK ||
            !buf_cstr(&t->extra[i])) {
            return RESULT_NOMEM;
        }
        *node = (struct curl_slist){ .data = t->extra[i].data, .next = list };
        list = node;
    }
    t->sent = list;
    return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, list) == CURLE_OK ? RESULT_OK
                                                                           : RESULT_NOMEM;
}

/* An origin that a redirect led to is told only what it has set itself. */
static bool set_cookies(struct transfer *t, const struct request *request)
{
    const struct transfer_cookie *own =
        request->foreign || !t->config->jar ? NULL : &t->config->cookies[request->endpoint];
    CURLSH *jar = own && own->is_alone ? NULL : t->config->jar;

    if (!t->config->jar) {
        return true;
    }
    if (jar != t->jar) {
        /* A share alone does not turn cookies on; a handle without one would make a jar of its own. */
        if (curl_easy_setopt(t->easy, CURLOPT_SHARE, jar) != CURLE_OK ||
            curl_easy_setopt(t->easy, CURLOPT_COOKIEFILE, jar ? "" : NULL) != CURLE_OK) {
            return false;
        }
        t->jar = jar;
    }
    return curl_easy_setopt(t->easy, CURLOPT_COOKIE, own ? own->given : NULL) == CURLE_OK;
}

/* Who answers a challenge of Digest. The nonce that libcurl keeps in the handle is of the origin that gave it: whoever
 * is asked without these credentials gets a handle without one. */
static struct str digest_of(const struct request *request, const struct fetch_extra *extra)
{
    return extra && !request->foreign ? extra->digest : STR_NONE;
}

static bool set_digest(struct transfer *t, struct str digest)
{
    t->answers_challenges = digest.len > 0;
    if (!digest.len) {
        return true; /* as it was set up */
    }
    buf_reset(&t->digest);
    return buf_append_str(&t->digest, digest) == RESULT_OK && buf_cstr(&t->digest) &&
           curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_USERPWD, buf_cstr(&t->digest)) == CURLE_OK;
}

enum result transfer_begin(struct transfer *t, struct response *response, struct request *request,
                           const struct fetch_extra *extra)
{
    const char *url = transfer_network_url(t, url_with(t, request, extra)), *body;
    struct str digest = digest_of(request, extra);

    t->worn |= t->answers_challenges && !digest.len;
    if (!renew(t) || !choose_body(t, request, extra, &body)) {
        return RESULT_NOMEM;
    }
    if (t->lost_us) {
        t->lost_us = t->lost_before_answer_us = 0;
        (void)!transfer_times_set(t);
    }
    t->began_us = uv_hrtime() / 1000U;
    response->request = request;
    t->response = response;
    t->paused = false;
    t->socket_errno = 0;
    if (!url || !transfer_http_choose(t, url, extra ? extra->http : JOB_HTTP_AUTO)) {
        return RESULT_NOMEM;
    }
    transfer_head_begin(t);
    transfer_body_begin(t);
    t->error[0] = '\0';
    if (!transfer_url_set(t, url) ||
        transfer_proxy_choose(t, url, request->from_public, extra ? extra->proxy : 0) !=
            RESULT_OK ||
        set_headers(t, request, extra) != RESULT_OK || !set_cookies(t, request) ||
        !set_digest(t, digest) || !set_method(t, request, body) ||
        !transfer_network_keep_apart(t, url, request->foreign)) {
        return RESULT_NOMEM;
    }
    return RESULT_OK;
}

/* The time that the process stood still is nobody's latency. */
static uint64_t without(uint64_t us, uint64_t lost_us)
{
    return us > lost_us ? us - lost_us : us ? 1 : 0;
}

static void read_timing(const struct transfer *t, struct response *r)
{
    curl_off_t wire = 0;
    long head = 0, connects = 0;
    struct response_timing *timing = &r->timing;

    timing->total_us = without(transfer_info_us(t, CURLINFO_TOTAL_TIME_T), t->lost_us);
    timing->first_byte_us =
        without(transfer_info_us(t, CURLINFO_STARTTRANSFER_TIME_T), t->lost_before_answer_us);
    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    r->reused = connects == 0 && timing->first_byte_us > 0;
    if (!r->reused) {
        timing->dns_us = transfer_info_us(t, CURLINFO_NAMELOOKUP_TIME_T);
        timing->connect_us = transfer_info_us(t, CURLINFO_CONNECT_TIME_T);
        timing->tls_us = transfer_info_us(t, CURLINFO_APPCONNECT_TIME_T);
    }
    r->sent = transfer_info_us(t, CURLINFO_PRETRANSFER_TIME_T) > 0;
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &wire);
    curl_easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &head);
    r->wire_bytes = (uint64_t)wire + (uint64_t)head;
    r->body_bytes = t->body_bytes;
}

void transfer_end(struct transfer *t, CURLcode code)
{
    struct response *r = t->response;

    r->status = t->bad_head ? 0 : transfer_status(t);
    r->challenge_is_old = r->status == 401 && t->has_nonce && !r->challenges;
    r->fetched_at_us = clock_wall_us(&t->config->options->clock);
    read_timing(t, r);
    r->proxy_fault = PROXY_FAULT_NONE;
    r->proxy = t->proxy ? t->proxy->url : NULL;
    r->proxy_index = t->proxy_index;
    r->outcome = transfer_outcome(t, code, r);
    transfer_cut(t);
}

uint64_t transfer_bytes(const struct transfer *t)
{
    return t->response->body.len + t->coding_bytes;
}

uint64_t transfer_left(const struct transfer *t)
{
    uint64_t most = t->announced != UINT64_MAX ? t->announced : t->config->options->body_max_bytes;

    return !t->response->body.len ? UINT64_MAX : most > t->body_bytes ? most - t->body_bytes : 0;
}

bool transfer_may_be_repeated(const struct transfer *t)
{
    return may_be_repeated(transfer_endpoint(t)->method);
}

void transfer_go_on(struct transfer *t)
{
    t->paused = false;
    transfer_stood_still(t, uv_hrtime() / 1000U - t->paused_at_us);
    /* It hands over what it has kept, within this call. When that is too much the flags say so, which then
     * count, whatever libcurl makes of the rest. */
    curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

void transfer_cut(struct transfer *t)
{
    t->has_nonce |= t->response->challenges > 0;
    t->worn |= t->response->sends > 1 + t->response->challenges || t->response->challenge_is_old;
    t->paused = false;
    transfer_body_end(t);
    t->response = NULL;
}

void transfer_row(const struct transfer *t, struct fetch_row *row)
{
    bool https = str_starts(request_url(t->response->request), STR("https"));

    *row = (struct fetch_row){ .request = t->response->request };
    row->first_byte_us = transfer_info_us(t, CURLINFO_STARTTRANSFER_TIME_T);
    row->body_bytes = t->response->body.len;
    if (row->first_byte_us) {
        row->phase = FETCH_RECEIVE;
        row->status = transfer_status(t);
    } else if (transfer_info_us(t, CURLINFO_PRETRANSFER_TIME_T)) {
        row->phase = FETCH_WAIT;
    } else if (transfer_info_us(t, CURLINFO_CONNECT_TIME_T)) {
        row->phase = https ? FETCH_TLS : FETCH_WAIT;
    } else if (transfer_info_us(t, CURLINFO_NAMELOOKUP_TIME_T)) {
        row->phase = FETCH_CONNECT;
    } else {
        row->phase = FETCH_DNS;
    }
}
