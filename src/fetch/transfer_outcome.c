#include "fetch/transfer_outcome.h"

#include "base/url_make.h"
#include "fetch/private_address.h"
#include "fetch/transfer_http.h"
#include "fetch/transfer_proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool errno_is_local(int errnum)
{
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS || errnum == ENOMEM ||
           errnum == EADDRNOTAVAIL;
}

/* libcurl's resolver and TLS library open files too, and when they get none they tell it as a name
 * that does not resolve, or a CA file that cannot be read. */
static bool is_out_of_descriptors(void)
{
    int fd = dup(STDERR_FILENO);

    if (fd >= 0) {
        close(fd);
    }
    return fd < 0 && (errno == EMFILE || errno == ENFILE);
}

static bool is_local_shortage(const struct transfer *t, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return errno_is_local(t->socket_errno);
    case CURLE_ABORTED_BY_CALLBACK: /* on_sending said no */
        return t->socket_errno != 0;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
        return is_out_of_descriptors();
    default:
        return false;
    }
}

/* What Location says, mended as browsers and our own next links do: libcurl makes + of a space in the query, and leaves
 * one in an absolute URL as it is. NULL when there is none that is kept, or no memory. */
static char *mended_location(const struct response *r)
{
    struct buf reference = { 0 }, url = { 0 };
    struct str location = response_header(r, STR("location"));
    char *copy = NULL;

    if (location.len && url_append_mended(&reference, location) == RESULT_OK &&
        url_append_resolved(&url, request_url(r->request), buf_view(&reference)) == RESULT_OK) {
        copy = str_dup(buf_view(&url));
    }
    buf_release(&reference);
    buf_release(&url);
    return copy;
}

static enum outcome outcome_of_redirect(const struct transfer *t, struct response *r)
{
    char *url = NULL;

    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url);
    if (!url) {
        snprintf(r->reason, sizeof r->reason, "HTTP %d without a usable Location", r->status);
        return OUTCOME_STATUS;
    }
    r->redirect_url = mended_location(r);
    r->redirect_url = r->redirect_url ? r->redirect_url : str_dup(str_view(url));
    return r->redirect_url ? OUTCOME_REDIRECT : OUTCOME_LOCAL;
}

/* HTTP's own end of the body is there. */
static enum outcome outcome_of_whole_coding(const struct transfer *t, struct response *r)
{
    if (!t->coding || coding_is_whole(t->coding)) {
        return OUTCOME_OK;
    }
    snprintf(r->reason, sizeof r->reason, "the %s body ends before its end",
             coding_name(t->coding));
    return OUTCOME_SHORT_BODY;
}

/* A server at a Unix socket is on this machine, and has no address. */
static bool is_peer_ours(const struct transfer *t)
{
    const struct job_network *network = t->config->options->network;
    char *ip = NULL;

    if (network && network->route.unix_socket) {
        return true;
    }
    curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip);
    return t->proxy ? transfer_proxy_leads_home(t) : ip_text_is_ours(ip);
}

/* Half a body is none that anybody may judge; what 429 and 503 ask for holds without it. */
static enum outcome outcome_of_refusal(const struct transfer *t, struct response *r)
{
    if (transfer_endpoint(t)->whole_errors && outcome_of_whole_coding(t, r) != OUTCOME_OK) {
        if (r->status != 429 && r->status != 503) {
            return OUTCOME_SHORT_BODY;
        }
        buf_reset(&r->body);
    }
    snprintf(r->reason, sizeof r->reason, "HTTP %d", r->status);
    return OUTCOME_STATUS;
}

static bool asks_for_part(const struct transfer *t)
{
    for (const struct curl_slist *at = t->sent; at; at = at->next) {
        struct str line = str_view(at->data);

        if (str_equal_nocase(str_cut(&line, ':'), STR("Range")) && str_trim(line).len) {
            return true;
        }
    }
    return false;
}

/* A cache's part of a body, or a server that goes over to what nobody has asked for. */
static enum outcome outcome_of_unasked(const struct transfer *t, struct response *r)
{
    if (r->status == 206 && t->is_part && !asks_for_part(t)) {
        snprintf(r->reason, sizeof r->reason,
                 "HTTP 206: a part of the body, which was not asked for");
        return OUTCOME_SHORT_BODY;
    }
    if (t->head.status == 101) {
        r->status = 101;
        snprintf(r->reason, sizeof r->reason,
                 "HTTP 101: the server goes over to another protocol, which was not asked for");
        return OUTCOME_STATUS;
    }
    return OUTCOME_OK;
}

static enum outcome outcome_of_status(const struct transfer *t, struct response *r)
{
    enum outcome unasked;

    if (t->head.part != HEAD_AFTER) { /* which libcurl takes for an answer with an empty body */
        snprintf(r->reason, sizeof r->reason, "the connection ended within the answer's head");
        return OUTCOME_CONNECT;
    }
    if (transfer_proxy_refused(t, r)) {
        return OUTCOME_PROXY;
    }
    r->peer_is_ours = is_peer_ours(t);
    switch (r->status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return outcome_of_redirect(t, r);
    default:
        break;
    }
    unasked = outcome_of_unasked(t, r);
    if (unasked != OUTCOME_OK) {
        return unasked;
    }
    if (transfer_status_is_good(r->status)) {
        return outcome_of_whole_coding(t, r);
    }
    return outcome_of_refusal(t, r);
}

static enum outcome outcome_of_coding(const struct transfer *t, struct response *r)
{
    const char *name = t->coding ? coding_name(t->coding) : t->codings.unknown;

    switch (t->coding_fault) {
    case CODING_UNKNOWN:
        snprintf(r->reason, sizeof r->reason,
                 "Content-Encoding \"%s\" was not asked for and cannot be unpacked", name);
        return OUTCOME_ENCODING;
    case CODING_TOO_MANY:
        snprintf(r->reason, sizeof r->reason, "more than %d content encodings", CODINGS_MAX);
        return OUTCOME_ENCODING;
    case CODING_WIDE:
        snprintf(r->reason, sizeof r->reason, "the %s body needs a window of over 8 MiB", name);
        return OUTCOME_ENCODING;
    case CODING_OK:
    case CODING_BROKEN:
        snprintf(r->reason, sizeof r->reason, "the body says that it is %s, but is not, or damaged",
                 name);
        return OUTCOME_ENCODING;
    case CODING_NO_MEMORY:
        break;
    }
    snprintf(r->reason, sizeof r->reason, "out of memory for unpacking the body");
    return OUTCOME_LOCAL;
}

static enum outcome outcome_of_write_error(const struct transfer *t, struct response *r)
{
    unsigned long long limit = t->config->options->body_max_bytes;

    if (t->too_big) {
        snprintf(r->reason, sizeof r->reason, "body over the limit of %llu bytes (--max-body)",
                 limit);
        return OUTCOME_TOO_BIG;
    }
    if (t->expands) {
        snprintf(r->reason, sizeof r->reason, "body expands over %d:1 when decompressed",
                 FETCH_EXPANSION_MAX);
        return OUTCOME_TOO_BIG;
    }
    if (t->coding_fault != CODING_OK) {
        return outcome_of_coding(t, r);
    }
    snprintf(r->reason, sizeof r->reason, "out of memory for the body");
    return OUTCOME_LOCAL;
}

/* It has waited for nothing but an address. On a kept connection no name is looked up, which newer libcurl (8.14) tells
 * as 0. */
static bool has_no_address(const struct transfer *t)
{
    return transfer_info_us(t, CURLINFO_NAMELOOKUP_TIME_T) == 0 &&
           transfer_info_us(t, CURLINFO_PRETRANSFER_TIME_T) == 0;
}

static enum outcome outcome_of_timeout(const struct transfer *t)
{
    return has_no_address(t) ? OUTCOME_DNS : OUTCOME_TIMEOUT;
}

#define LONG_HEADER "a response header is over 100 KiB"

/* libcurl has one code for a line over 100 KiB, be it a header or the status line, and for its own want of memory.
 * The former comes after the first byte and before any body, and it comes again: so it is believed the second
 * time. */
static enum outcome outcome_of_no_memory(const struct transfer *t, struct response *r)
{
    if (transfer_info_us(t, CURLINFO_STARTTRANSFER_TIME_T) == 0 || t->body_bytes > 0) {
        return OUTCOME_LOCAL;
    }
    snprintf(r->reason, sizeof r->reason, LONG_HEADER "%s",
             r->request->last.long_header ? "" : ", or there is no memory for it");
    r->long_header = true;
    return r->request->last.long_header ? OUTCOME_PROTOCOL : OUTCOME_CONNECT;
}

static long os_errno(const struct transfer *t)
{
    long errnum = 0;

    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &errnum);
    return errnum;
}

/* A reset or a refusal comes from the other side: somebody is there. */
static bool is_reached(const struct transfer *t, const struct response *r)
{
    long errnum = os_errno(t);

    return r->status > 0 || transfer_info_us(t, CURLINFO_CONNECT_TIME_T) > 0 ||
           errnum == ECONNREFUSED || errnum == ECONNRESET;
}

/* The codes that libcurl 7.88 was measured to give for each fault; the text is its own. */
static enum outcome outcome_of_error(const struct transfer *t, CURLcode code, struct response *r)
{
    const CURLcode too_large = (CURLcode)100; /* CURLE_TOO_LARGE, which is new in 8.6.0 */
    bool connected = transfer_info_us(t, CURLINFO_PRETRANSFER_TIME_T) > 0;
    long errnum;

    if (code == too_large) { /* as CURLE_OUT_OF_MEMORY before */
        snprintf(r->reason, sizeof r->reason, LONG_HEADER);
        return OUTCOME_PROTOCOL;
    }
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return OUTCOME_DNS;
    case CURLE_OPERATION_TIMEDOUT:
        return outcome_of_timeout(t);
    case CURLE_PARTIAL_FILE: /* of a stream also when nothing of it came */
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return t->head.part == HEAD_AFTER ? OUTCOME_SHORT_BODY : OUTCOME_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
        errnum = os_errno(t);
        return errnum == ECONNRESET || errnum == ECONNREFUSED ? OUTCOME_CONNECT : OUTCOME_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return OUTCOME_TLS;
    case CURLE_BAD_CONTENT_ENCODING:
        return OUTCOME_ENCODING;
    case CURLE_INTERFACE_FAILED:
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED: /* credentials in the URL */
        return OUTCOME_REFUSED;
    case CURLE_UNSUPPORTED_PROTOCOL: /* also for HTTP/0.9, when connected */
        return connected ? OUTCOME_PROTOCOL : OUTCOME_REFUSED;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_FUNCTION_ARGUMENT: /* a field that libcurl cannot store */
        return OUTCOME_PROTOCOL;
    case CURLE_OUT_OF_MEMORY:
        return outcome_of_no_memory(t, r);
    case CURLE_ABORTED_BY_CALLBACK:
        return OUTCOME_REFUSED;
    default:
        return OUTCOME_CONNECT;
    }
}

/* libcurl says where and how long, but not why: "connection refused" is what a reader looks for. */
static void tell_errno(long errnum, struct response *r)
{
    snprintf(r->reason, sizeof r->reason, "%s", strerror((int)errnum));
    if (r->reason[0] >= 'A' && r->reason[0] <= 'Z') {
        r->reason[0] = (char)(r->reason[0] - 'A' + 'a');
    }
}

static bool is_https(const struct transfer *t)
{
    char *scheme = NULL;

    curl_easy_getinfo(t->easy, CURLINFO_SCHEME, &scheme);
    return scheme && str_equal_nocase(str_view(scheme), STR("https"));
}

/* The words that OpenSSL, by its version, has for a first record that is none. */
static bool is_no_tls(CURLcode code, const char *text)
{
    return code == CURLE_SSL_CONNECT_ERROR &&
           (strstr(text, "wrong version number") || strstr(text, "packet length too long"));
}

static void tell_text(const struct transfer *t, CURLcode code, const char *text, struct response *r)
{
    size_t len;

    if (code == CURLE_UNSUPPORTED_PROTOCOL && strstr(text, "HTTP/0.9")) {
        text = "the answer is not HTTP/1";
    } else if (t->head.part == HEAD_AFTER && strstr(text, "Out of memory in chunked")) {
        text = "a line after the last chunk is too long, or there is no memory for it";
    } else if (r->calm_down && !strstr(text, "ENHANCE_YOUR_CALM")) {
        text = "the server ended the connection with ENHANCE_YOUR_CALM";
    } else if (t->is_refused && strstr(text, "Connection died, tried")) {
        text = "the server refused the stream each time (REFUSED_STREAM)";
    } else if (transfer_http_is_empty(t, code, text)) {
        text = "Empty reply from server";
    } else if (is_no_tls(code, text)) {
        text = "the server speaks no TLS at this port: perhaps it is http://";
    } else if (code == CURLE_GOT_NOTHING && t->header_bytes) {
        text = "the connection ended before the answer";
    }
    snprintf(r->reason, sizeof r->reason, "%s", text);
    len = strlen(r->reason);
    if (transfer_http_is_end_of_2(t, code, t->error) && t->http == JOB_HTTP_1_1) {
        snprintf(r->reason + len, sizeof r->reason - len,
                 ": perhaps the server speaks only HTTP/2 %s",
                 is_https(t) ? "(--http2)" : "(--http2-prior-knowledge), or TLS (https://)");
    }
}

/* libcurl counts milliseconds, and says nothing of whose limit it was. */
static void tell_timeout(const struct transfer *t, const char *text, struct response *r)
{
    double seconds = (double)transfer_info_us(t, CURLINFO_TOTAL_TIME_T) / 1e6;

    if (strstr(text, "slow")) { /* than --stall wants it: its text has all */
        snprintf(r->reason, sizeof r->reason, "%s", text);
    } else if (has_no_address(t)) {
        snprintf(r->reason, sizeof r->reason, "timed out: no address for the name in %.1f s",
                 seconds);
    } else if (transfer_info_us(t, CURLINFO_CONNECT_TIME_T) == 0 &&
               transfer_info_us(t, CURLINFO_PRETRANSFER_TIME_T) == 0) { /* nor a kept one */
        snprintf(r->reason, sizeof r->reason, "timed out: no connection in %.1f s", seconds);
    } else if (r->status == 0) {
        snprintf(r->reason, sizeof r->reason, "timed out: no answer in %.1f s", seconds);
    } else {
        snprintf(r->reason, sizeof r->reason, "timed out after %.1f s, %llu bytes into the body",
                 seconds, (unsigned long long)t->body_bytes);
    }
}

enum outcome transfer_outcome(const struct transfer *t, CURLcode code, struct response *r)
{
    const char *text = t->error[0] ? t->error : curl_easy_strerror(code);

    r->reached = is_reached(t, r);
    transfer_http_end(t, code, text, r);
    if (t->too_big || t->expands || t->no_memory ||
        t->coding_fault != CODING_OK) { /* which libcurl may have overlooked */
        return outcome_of_write_error(t, r);
    }
    if (code == CURLE_OK) {
        return outcome_of_status(t, r);
    }
    if (code == CURLE_GOT_NOTHING && t->head.status == 101) {
        return outcome_of_unasked(t, r);
    }
    snprintf(r->library, sizeof r->library, "%s", text);
    if (t->head_too_big) {
        snprintf(r->reason, sizeof r->reason, "response headers over %u KiB",
                 FETCH_HEADERS_MAX >> 10);
        return OUTCOME_PROTOCOL;
    }
    if (t->bad_length) {
        snprintf(r->reason, sizeof r->reason, "conflicting or unreadable Content-Length headers");
        return OUTCOME_PROTOCOL;
    }
    if (t->bad_transfer_coding) {
        snprintf(r->reason, sizeof r->reason,
                 "Transfer-Encoding says more than \"chunked\", which was not asked for");
        return OUTCOME_ENCODING;
    }
    if (t->bad_head) {
        snprintf(r->reason, sizeof r->reason, "the answer's first line is not HTTP's");
        return OUTCOME_PROTOCOL;
    }
    if (t->private_refused) {
        snprintf(r->reason, sizeof r->reason,
                 "refused: a public server's redirect leads to a private address");
        return OUTCOME_REFUSED;
    }
    if (!is_local_shortage(t, code) && transfer_proxy_failed(t, code, r)) {
        return OUTCOME_PROXY;
    }
    if (is_local_shortage(t, code)) {
        r->no_descriptor = !t->socket_errno || t->socket_errno == EMFILE;
        snprintf(r->reason, sizeof r->reason, "%s: %s",
                 code == CURLE_ABORTED_BY_CALLBACK ? "cannot note that it is sent" : "no socket",
                 strerror(t->socket_errno ? t->socket_errno : EMFILE));
        return OUTCOME_LOCAL;
    }
    if (code == CURLE_COULDNT_CONNECT && os_errno(t)) {
        tell_errno(os_errno(t), r);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        tell_timeout(t, text, r);
    } else {
        tell_text(t, code, text, r);
    }
    return outcome_of_error(t, code, r);
}
