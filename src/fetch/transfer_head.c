#include "fetch/transfer_head.h"

#include "fetch/transfer_http.h"

#include "base/url.h"
#include "fetch/cookies.h"

#include <string.h>

/* The headers that this part and the store read; who reads others is asked by is_kept_for. */
static bool is_kept(struct str name)
{
    static const struct str kept[] = {
        STR_INIT("date"),          STR_INIT("link"),
        STR_INIT("etag"),          STR_INIT("location"),
        STR_INIT("content-type"),  STR_INIT("operation-location"),
        STR_INIT("last-modified"), STR_INIT("www-authenticate"),
        STR_INIT("x-total-count"),
    };

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (str_equal_nocase(name, kept[i])) {
            return true;
        }
    }
    return false;
}

static bool is_kept_for(const struct transfer *t, struct str name)
{
    const struct fetch_options *o = t->config->options;
    const struct fetch_endpoint *endpoint = &o->endpoints[t->response->request->endpoint];

    if (o->keeps && o->keeps(name)) {
        return true;
    }
    for (size_t i = 0; i < endpoint->keep_too_count; i++) {
        if (str_equal_nocase(name, str_view(endpoint->keep_too[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < FETCH_KEEP_MAX; i++) {
        if (endpoint->keep[i] && str_equal_nocase(name, str_view(endpoint->keep[i]))) {
            return true;
        }
    }
    return false;
}

/* Of an answer that is no success all headers are kept, for people, as long as they leave room for those
 * that somebody reads. */
static bool is_kept_of_failure(const struct transfer *t, struct str name, struct str value)
{
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 400 &&
           t->response->headers.len + name.len + value.len + 2 <= RESPONSE_HEADERS_MAX / 4;
}

/* Keeps "name\0value\0". A response that fills the ceiling loses its further headers, not itself. */
static bool keep_header(struct buf *headers, struct str name, struct str value)
{
    size_t before = headers->len;

    if (memchr(value.data, '\0', value.len) ||
        buf_reserve(headers, name.len + value.len + 2) != RESULT_OK) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        headers->data[before + i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    headers->data[before + name.len] = '\0';
    memcpy(headers->data + before + name.len + 1, value.data, value.len);
    headers->data[before + name.len + 1 + value.len] = '\0';
    headers->len += name.len + value.len + 2;
    return true;
}

/* A value that was folded goes on in this line (RFC 9112 section 5.2). */
static void keep_folded(struct buf *headers, struct str more)
{
    if (!more.len || memchr(more.data, '\0', more.len) ||
        buf_reserve(headers, more.len + 1) != RESULT_OK) {
        return;
    }
    headers->data[headers->len - 1] = ' ';
    memcpy(headers->data + headers->len, more.data, more.len);
    headers->data[headers->len + more.len] = '\0';
    headers->len += more.len + 1;
}

/* libcurl keeps it, if it may; we only tell of it. */
static void tell_cookie(const struct transfer *t, struct str header)
{
    const struct fetch_options *o = t->config->options;
    const struct request *request = t->response->request;
    struct cookie_line cookie;
    struct url url;

    if (!t->jar || !o->on_cookie || !cookie_header_split(header, &cookie) ||
        url_split(request_url(request), &url, NULL) != RESULT_OK) {
        return;
    }
    o->on_cookie(o->context, t->response, cookie.name, cookie.value,
                 !cookie_domain_matches(url.host, cookie.domain));
}

/* libcurl unpacks any other one by itself, without being asked to and without a limit. Several servers one
 * after another say "chunked" twice and mean it once. */
static bool is_chunked(struct str value)
{
    while (value.data) {
        struct str name = str_trim(str_cut(&value, ','));

        if (name.len && !str_equal_nocase(name, STR("chunked")) &&
            !str_equal_nocase(name, STR("identity"))) {
            return false;
        }
    }
    return true;
}

static void take_field(struct transfer *t, struct str line)
{
    struct str value = line, name = str_cut(&value, ':');

    t->field = FIELD_UNREAD;
    if (!value.data || !name.len) {
        return;
    }
    value = str_trim(value);
    if (str_equal_nocase(name, STR("set-cookie"))) {
        t->response->sets_cookie = true;
        tell_cookie(t, value);
    }
    if (str_equal_nocase(name, STR("content-length"))) {
        uint64_t before = t->announced;

        t->field = FIELD_FRAMING;
        t->bad_length |=
            !head_length(value, &t->announced) || (before != UINT64_MAX && before != t->announced);
    } else if (str_equal_nocase(name, STR("transfer-encoding"))) {
        t->field = FIELD_FRAMING;
        t->bad_transfer_coding |= !is_chunked(value);
    } else if (str_equal_nocase(name, STR("content-encoding"))) {
        t->field = FIELD_FRAMING;
        coding_list_add(&t->codings, value);
    } else if (str_equal_nocase(name, STR("content-range"))) {
        t->is_part = head_range_is_part(value);
    } else if (is_kept(name) || is_kept_for(t, name) || is_kept_of_failure(t, name, value)) {
        t->field = keep_header(&t->response->headers, name, value) ? FIELD_KEPT : FIELD_UNREAD;
    }
}

static void take_fold(struct transfer *t, struct str line)
{
    if (t->field == FIELD_KEPT) {
        keep_folded(&t->response->headers, str_trim(line));
    }
    t->bad_length |= t->field == FIELD_FRAMING; /* libcurl has not waited for it */
}

/* Before 8.1.0 libcurl unfolds a line that begins with a blank onto `data->state.prevhead`, the last field
 * that it has stored. When the handle is used again, Curl_headers_cleanup() has freed that field and left
 * the pointer (curl issue 11101, mended by pull request 11103). So when the first line after a status line
 * begins with a blank, Curl_headers_push() unlinks, reallocates and writes to freed memory, and it does so
 * before it calls our header callback. Between 8.1.0 and 8.3.0 it gives up the transfer instead; from
 * 8.3.0 on it takes such a line as if it did not begin with a blank.
 *
 * But whoever asks to be shown a head sees each line first, in the bytes that Curl_headers_push() is about
 * to be given, and what begins with a CR it passes over. So we look on from the status line to the first
 * field, no longer, and let such a line begin with one: it is consumed without further processing, which is
 * what RFC 9112 section 2.2 asks of it. */
bool transfer_head_must_be_watched(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num < 0x080300;
}

int transfer_head_show(CURL *easy, curl_infotype what, char *bytes, size_t len, void *context)
{
    struct transfer *t = context;

    (void)easy;
    if (what == CURLINFO_TEXT && t->listens) {
        transfer_http_hear(t, (struct str){ bytes, len });
    }
    t->consumed =
        t->watched && what == CURLINFO_HEADER_IN && len && (bytes[0] == ' ' || bytes[0] == '\t');
    if (t->consumed) {
        bytes[0] = '\r';
    }
    return 0;
}

static void watch(struct transfer *t, bool on)
{
    bool is_verbose;

    t->watched = on && t->config->watch_heads;
    is_verbose = t->watched || t->listens;
    if (t->is_verbose != is_verbose) {
        curl_easy_setopt(t->easy, CURLOPT_VERBOSE, is_verbose ? 1L : 0L);
        t->is_verbose = is_verbose;
    }
}

void transfer_head_again(struct transfer *t)
{
    t->head = (struct head){ 0 };
}

/* Anything but `len` back, and libcurl ends the transfer. */
size_t transfer_head_line(char *bytes, size_t one, size_t len, void *context)
{
    struct transfer *t = context;
    struct str line = { bytes, len };
    enum head_line what = t->consumed ? HEAD_IGNORED : head_take(&t->head, line);

    (void)one;
    t->consumed = false;
    t->header_bytes += len;
    t->head_too_big = t->header_bytes > FETCH_HEADERS_MAX;
    t->bad_head = what == HEAD_BAD;
    if (t->head_too_big || t->bad_head) {
        return 0;
    }
    if (what == HEAD_STATUS) { /* a further one comes after 100 Continue, and after a challenge */
        buf_reset(&t->response->headers);
        t->announced = UINT64_MAX;
        t->bad_length = t->bad_transfer_coding = t->is_part = false;
        t->codings = (struct coding_list){ 0 };
        t->field = FIELD_UNREAD;
    } else if (what == HEAD_FIELD) {
        take_field(t, line);
    } else if (what == HEAD_FOLD) {
        take_fold(t, line);
    }
    watch(t, t->head.part == HEAD_IN && !t->head.has_field);
    return (t->bad_length || t->bad_transfer_coding) && t->head.part == HEAD_AFTER ? 0 : len;
}

void transfer_head_begin(struct transfer *t)
{
    t->head = (struct head){ 0 };
    t->field = FIELD_UNREAD;
    t->bad_head = t->bad_length = t->head_too_big = t->consumed = false;
    t->bad_transfer_coding = t->is_part = false;
    t->codings = (struct coding_list){ 0 };
    t->header_bytes = 0;
    t->announced = UINT64_MAX;
    watch(t, false);
}
