#include "s3/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#define SHA256_BYTES 32
#define PIECE_BYTES (64 * 1024)
#define CONNECT_MS 15000L
#define STALL_S 60L /* without a byte */
#define GIVE_UP_S                                                                                  \
    10L /* a DELETE: of what is not wanted any more; a look at the bucket: somebody waits for it */
#define RETRY_AFTER_MAX 60U
#define PROVIDER_MAX 128

/* A request under way. */
struct asking {
    const struct s3_place *place;
    const struct s3_request *request;
    struct s3_answer *answer;
    CURL *curl;
    struct curl_slist *headers;
    uint64_t sent; /* of the body */
    int errnum;    /* of reading the piece */
    struct buf url;
    char fault[CURL_ERROR_SIZE];
};

/* --- the body ----------------------------------------------------------------------------------- */

/* Up to `size` bytes of the body from `at` on; 0 at its end, -1 when the file does not have them. */
static ssize_t read_body(const struct s3_request *r, uint64_t at, char *to, size_t size)
{
    uint64_t left = r->bytes - at;
    size_t want = left < size ? (size_t)left : size;
    ssize_t got;

    if (r->text.data) {
        memcpy(to, r->text.data + at, want);
        return (ssize_t)want;
    }
    do {
        got = want ? pread(r->fd, to, want, (off_t)(r->offset + at)) : 0;
    } while (got < 0 && errno == EINTR);
    if (want && got == 0) {
        errno = EIO; /* it was longer before */
        return -1;
    }
    return got;
}

static size_t give_body(char *to, size_t size, size_t count, void *context)
{
    struct asking *a = context;
    ssize_t got = read_body(a->request, a->sent, to, size * count);

    if (got < 0) {
        a->errnum = errno;
        return CURL_READFUNC_ABORT;
    }
    a->sent += (uint64_t)got;
    return (size_t)got;
}

static int seek_body(void *context, curl_off_t offset, int origin)
{
    struct asking *a = context;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > a->request->bytes) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    a->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static enum result hash_body(struct asking *a, char hex[2 * SHA256_BYTES + 1], struct err *err)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    unsigned char digest[SHA256_BYTES];
    char *piece = malloc(PIECE_BYTES);
    bool is_made = hash && piece && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
    uint64_t at = 0;
    ssize_t got = 0;

    while (is_made && at < a->request->bytes) {
        got = read_body(a->request, at, piece, PIECE_BYTES);
        if (got < 0) {
            break;
        }
        is_made = EVP_DigestUpdate(hash, piece, (size_t)got) == 1;
        at += (uint64_t)got;
    }
    a->errnum = got < 0 ? errno : 0;
    is_made = is_made && EVP_DigestFinal_ex(hash, digest, NULL) == 1;
    EVP_MD_CTX_free(hash);
    free(piece);
    if (a->errnum) {
        return err_set_errno(err, a->errnum, "E-OUT2", "cannot read %s again", a->place->name);
    }
    if (!is_made) {
        return err_nomem(err, "signing an upload");
    }
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    return RESULT_OK;
}

/* --- the answer --------------------------------------------------------------------------------- */

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct asking *a = context;

    return buf_append(&a->answer->body, bytes, size * count) == RESULT_OK ? size * count : 0;
}

/* The value of a header line, when it is of that name. */
static bool is_field(struct str line, const char *name, struct str *value)
{
    *value = line;
    if (!str_equal_nocase(str_cut(value, ':'), str_view(name))) {
        return false;
    }
    *value = str_trim(*value);
    return value->len < S3_FIELD_MAX;
}

static void copy_field(char to[S3_FIELD_MAX], struct str value)
{
    memcpy(to, value.data, value.len);
    to[value.len] = '\0';
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct s3_answer *answer = ((struct asking *)context)->answer;
    struct str line = { bytes, size * count }, value;
    uint64_t number;

    if (str_starts(line, STR("HTTP/"))) { /* of the last answer: another may stand before it */
        answer->etag[0] = answer->region[0] = '\0';
        answer->retry_after_s = 0;
    } else if (is_field(line, "etag", &value)) {
        copy_field(answer->etag, value);
    } else if (is_field(line, "x-amz-bucket-region", &value)) {
        copy_field(answer->region, value);
    } else if (is_field(line, "retry-after", &value) && str_to_u64(value, &number)) {
        answer->retry_after_s = number < RETRY_AFTER_MAX ? (unsigned)number : RETRY_AFTER_MAX;
    } else if (is_field(line, "content-length", &value) && str_to_u64(value, &number)) {
        answer->length = number;
    }
    return size * count;
}

/* --- the request -------------------------------------------------------------------------------- */

static bool add_header(struct asking *a, const char *line)
{
    struct curl_slist *grown = curl_slist_append(a->headers, line);

    a->headers = grown ? grown : a->headers;
    return grown != NULL;
}

/* All of these are signed. */
static enum result make_headers(struct asking *a, struct err *err)
{
    char hex[2 * SHA256_BYTES + 1];
    struct buf line = { 0 };
    enum result result = hash_body(a, hex, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (buf_printf(&line, "x-amz-content-sha256: %s", hex) != RESULT_OK || !buf_cstr(&line) ||
        !add_header(a, buf_cstr(&line)) ||
        !add_header(a, "Content-Type: application/octet-stream")) {
        result = err_nomem(err, "signing an upload");
    }
    buf_reset(&line);
    if (result == RESULT_OK && a->place->session_token &&
        (buf_printf(&line, "x-amz-security-token: %s", a->place->session_token) != RESULT_OK ||
         !buf_cstr(&line) || !add_header(a, buf_cstr(&line)))) {
        result = err_nomem(err, "signing an upload");
    }
    buf_release(&line);
    return result;
}

static enum result make_url(struct asking *a, struct err *err)
{
    const char *query = a->request->query;
    enum result result = s3_place_url(a->place, a->request->of_bucket, &a->url);

    if (result == RESULT_OK && query) {
        result = buf_printf(&a->url, "?%s", query);
    }
    return result == RESULT_OK && buf_cstr(&a->url) ? RESULT_OK
                                                    : err_nomem(err, "signing an upload");
}

bool s3_request_is_look(const struct s3_request *request)
{
    return request->of_bucket && strcmp(request->method, "HEAD") == 0;
}

/* libcurl asks this at least once a second; not 0 ends the transfer. */
static int is_stopped(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(((struct asking *)context)->place->stop);
}

/* Who has stopped waits no more, but for what is to be given up. */
static void set_patience(struct asking *a)
{
    bool is_deletion = strcmp(a->request->method, "DELETE") == 0;

    if (is_deletion || s3_request_is_look(a->request)) {
        curl_easy_setopt(a->curl, CURLOPT_TIMEOUT, GIVE_UP_S);
    }
    if (!is_deletion && a->place->stop) {
        curl_easy_setopt(a->curl, CURLOPT_XFERINFOFUNCTION, is_stopped);
        curl_easy_setopt(a->curl, CURLOPT_XFERINFODATA, a);
        curl_easy_setopt(a->curl, CURLOPT_NOPROGRESS, 0L);
    }
}

static void set_body(struct asking *a)
{
    CURL *curl = a->curl;

    if (strcmp(a->request->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (strcmp(a->request->method, "DELETE") != 0) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)a->request->bytes);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, a);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_body);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, a);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, a->request->method);
}

static void set_options(struct asking *a)
{
    CURL *curl = a->curl;
    char provider[PROVIDER_MAX];

    snprintf(provider, sizeof provider, "aws:amz:%s:s3", a->place->region);
    curl_easy_setopt(curl, CURLOPT_URL, buf_cstr(&a->url));
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, provider);
    curl_easy_setopt(curl, CURLOPT_USERNAME, a->place->key_id);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, a->place->secret);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, a->headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "scrapetop/" SCRAPETOP_VERSION);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, a->fault);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, a);
    if (a->place->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, a->place->ca_file);
    }
    set_patience(a);
    set_body(a);
}

static enum result perform(struct asking *a, struct err *err)
{
    CURLcode code;

    set_options(a);
    code = curl_easy_perform(a->curl);
    if (code != CURLE_OK && a->errnum) {
        return err_set_errno(err, a->errnum, "E-OUT2", "cannot read %s again", a->place->name);
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return err_set(err, RESULT_CANCELLED, "E-TAB9", "cancelled");
    }
    if (code != CURLE_OK) {
        return err_set(err, code == CURLE_OUT_OF_MEMORY ? RESULT_NOMEM : RESULT_IO, "E-OUT8",
                       "%s: the store does not answer: %s", a->place->name,
                       a->fault[0] ? a->fault : curl_easy_strerror(code));
    }
    curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &a->answer->status);
    return RESULT_OK;
}

enum result s3_ask(const struct s3_place *place, const struct s3_request *request,
                   struct s3_answer *answer, struct err *err)
{
    struct asking a = { .place = place, .request = request, .answer = answer };
    enum result result;

    *answer = (struct s3_answer){ 0 };
    buf_init(&answer->body, S3_BODY_MAX);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) { /* counted, and safe in threads */
        return err_nomem(err, "starting an upload");
    }
    a.curl = curl_easy_init();
    result = a.curl ? make_url(&a, err) : err_nomem(err, "starting an upload");
    result = result == RESULT_OK ? make_headers(&a, err) : result;
    result = result == RESULT_OK ? perform(&a, err) : result;
    curl_easy_cleanup(a.curl);
    curl_slist_free_all(a.headers);
    buf_release(&a.url);
    curl_global_cleanup();
    if (result != RESULT_OK) {
        s3_answer_release(answer);
    }
    return result;
}

void s3_answer_release(struct s3_answer *answer)
{
    buf_release(&answer->body);
}

bool s3_answer_element(const struct s3_answer *answer, const char *name, struct str *text)
{
    char begin[S3_FIELD_MAX], end[S3_FIELD_MAX];
    struct str body = buf_view(&answer->body);
    const char *from, *to;

    snprintf(begin, sizeof begin, "<%s>", name);
    snprintf(end, sizeof end, "</%s>", name);
    from = body.len ? memmem(body.data, body.len, begin, strlen(begin)) : NULL;
    if (!from) {
        return false;
    }
    from += strlen(begin);
    to = memmem(from, (size_t)(body.data + body.len - from), end, strlen(end));
    *text = (struct str){ from, to ? (size_t)(to - from) : 0 };
    text->len = text->len < S3_FIELD_MAX ? text->len : S3_FIELD_MAX - 1;
    return to != NULL;
}

enum result s3_answer_fault(const struct s3_place *place, const struct s3_answer *answer,
                            struct err *err)
{
    struct str code = STR_NONE, message = STR_NONE;
    bool is_denied = answer->status == 401 || answer->status == 403;

    s3_answer_element(answer, "Code", &code);
    s3_answer_element(answer, "Message", &message);
    return err_set(err, is_denied ? RESULT_DENIED : RESULT_IO, "E-OUT8",
                   "%s: the store answers HTTP %ld%s%.*s%s%.*s", place->name, answer->status,
                   code.len ? ", " : "", STR_ARG(code), message.len ? ": " : "", STR_ARG(message));
}
