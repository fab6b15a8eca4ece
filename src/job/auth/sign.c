#include "job/auth/sign.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/os.h"
#include "job/auth/auth_kind.h"
#include "job/job_put.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIGN(field) offsetof(struct job_sign, field)
#define DIGEST_MAX 64
#define NAME_END '\1' /* sorts before all that an encoded text holds */

/* clang-format off */
static const struct job_key keys[] = {
    { "aws", JOB_KEY_TEXT, SIGN(aws),
      .help = "REGION:SERVICE, as eu-central-1:s3: AWS Signature Version 4" },
    { "access_key", JOB_KEY_NAMED, SIGN(access_key), .write = job_put_sent_secret,
      .help = "${AWS_ACCESS_KEY_ID}" },
    { "secret_key", JOB_KEY_SECRET, SIGN(secret_key), .help = "${AWS_SECRET_ACCESS_KEY}" },
    { "session_token", JOB_KEY_SECRET, SIGN(session_token), .help = "${AWS_SESSION_TOKEN}" },
    { "hmac", JOB_KEY_TEXT, SIGN(hmac), .help = "An HMAC: sha256 or sha512" },
    { "of", JOB_KEY_TEXT, SIGN(of),
      .help = "What is signed, of {time}, {method}, {path}, {query}, {target} (path and query), {host} and "
              "{body}" },
    { "key", JOB_KEY_SECRET, SIGN(key), .help = "${SIGN_KEY}" },
    { "header", JOB_KEY_TEXT, SIGN(header), .help = "Name of the header with the signature" },
    { "encoding", JOB_KEY_TEXT, SIGN(encoding),
      .help = "Of the signature: hex (as usual) or base64" },
    { "time", JOB_KEY_TEXT, SIGN(time),
      .help = "{time} in seconds (s), milliseconds (ms) or ISO 8601 (iso)" },
    { "time_header", JOB_KEY_TEXT, SIGN(time_header), .help = "Name of a header with the time" },
};
/* clang-format on */

const struct job_keys job_sign_keys = JOB_KEYS(
    "sign", keys, .help = "Each request is signed by itself, with a key that is never sent.");

/* --- checking ------------------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

static enum result check_word(const char *key, const char *text, const char *const *words,
                              const char *want, struct err *err)
{
    return !text || is_one_of(text, words)
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-CFG2", "\"%s\": want %s", key, want);
}

/* What becomes part of a header line: a line break would begin another one. */
static bool is_sendable(const char *text)
{
    for (; text && *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            return false;
        }
    }
    return true;
}

static enum result check_aws(const struct job_sign *s, bool lacks, struct err *err)
{
    const char *colon = strchr(s->aws, ':');

    if (!colon || colon == s->aws || !colon[1] || strchr(colon + 1, ':') || strchr(s->aws, '/')) {
        return err_set(err, RESULT_INVALID, "E-CFG2",
                       "\"aws\": want \"REGION:SERVICE\", as in \"eu-central-1:s3\"");
    }
    if ((!s->access_key.sent || !s->secret_key.sent) && !lacks) {
        return err_set(err, RESULT_INVALID, "E-CFG4",
                       "\"aws\" wants \"access_key\" and \"secret_key\"");
    }
    if (!is_sendable(s->aws) || !is_sendable(s->access_key.sent) ||
        !is_sendable(s->session_token.sent)) {
        return err_set(err, RESULT_INVALID, "E-CFG2",
                       "\"aws\", \"access_key\" or \"session_token\" holds a control character");
    }
    return RESULT_OK;
}

static enum result check_hmac(const struct job_sign *s, bool lacks, struct err *err)
{
    static const char *const digests[] = { "sha256", "sha512", NULL };
    static const char *const encodings[] = { "hex", "base64", NULL };
    static const char *const times[] = { "s", "ms", "iso", NULL };
    enum result result = check_word("hmac", s->hmac, digests, "\"sha256\" or \"sha512\"", err);

    if (result == RESULT_OK) {
        result = check_word("encoding", s->encoding, encodings, "\"hex\" or \"base64\"", err);
    }
    if (result == RESULT_OK) {
        result = check_word("time", s->time, times, "\"s\", \"ms\" or \"iso\"", err);
    }
    if (result == RESULT_OK && (!s->of || !s->header || (!s->key.sent && !lacks))) {
        result =
            err_set(err, RESULT_INVALID, "E-CFG4", "\"hmac\" wants \"key\", \"of\" and \"header\"");
    }
    if (result == RESULT_OK) {
        result = header_check_name(str_view(s->header), err);
    }
    return result == RESULT_OK && s->time_header ? header_check_name(str_view(s->time_header), err)
                                                 : result;
}

enum result sign_check(struct job_sign *s, bool lacks, struct err *err)
{
    if (!s->aws == !s->hmac) {
        return err_set(err, RESULT_INVALID, s->aws ? "E-CFG8" : "E-CFG4",
                       "\"sign\": want one of \"aws\" and \"hmac\"");
    }
    return s->aws ? check_aws(s, lacks, err) : check_hmac(s, lacks, err);
}

/* --- digests -------------------------------------------------------------------------------------- */

static bool digest_of(struct str key, struct str text, const EVP_MD *md,
                      unsigned char out[DIGEST_MAX], size_t *len)
{
    unsigned got = 0;
    bool good = HMAC(md, key.data, (int)key.len, (const unsigned char *)text.data, text.len, out,
                     &got) != NULL;

    *len = got;
    return good;
}

/* A machine may forbid a digest, or a key that is too short for its rules; only a shortage passes. */
static enum result why_no_digest(void)
{
    unsigned long code = ERR_peek_last_error();

    ERR_clear_error();
    return !code || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? RESULT_NOMEM : RESULT_DENIED;
}

static enum result append_hex(struct buf *out, const unsigned char *bytes, size_t len)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < len && result == RESULT_OK; i++) {
        result = buf_printf(out, "%02x", bytes[i]);
    }
    return result;
}

static enum result append_sha256(struct buf *out, struct str text)
{
    unsigned char digest[DIGEST_MAX];
    unsigned len = 0;

    return EVP_Digest(text.len ? text.data : "", text.len, digest, &len, EVP_sha256(), NULL) == 1
               ? append_hex(out, digest, len)
               : why_no_digest();
}

static void format_utc(int64_t wall_us, const char *format, char text[32])
{
    time_t seconds = (time_t)(wall_us / (int64_t)US_PER_S);
    struct tm tm;

    text[0] = '\0';
    if (gmtime_r(&seconds, &tm) && strcmp(format, "aws") == 0) {
        strftime(text, 32, "%Y%m%dT%H%M%SZ", &tm);
    } else if (strcmp(format, "iso") == 0) {
        strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
}

/* --- AWS Signature Version 4 ---------------------------------------------------------------------- */

static int hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* What a text means whose percent signs are escapes; those that are none stay. */
static enum result append_decoded(struct buf *out, struct str text)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < text.len && result == RESULT_OK; i++) {
        int high = i + 2 < text.len ? hex_of(text.data[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_of(text.data[i + 2]) : -1;
        bool is_escape = text.data[i] == '%' && high >= 0 && low >= 0;

        result = buf_append_char(out, is_escape ? (char)(high * 16 + low) : text.data[i]);
        i += is_escape ? 2 : 0;
    }
    return result;
}

static enum result append_again(struct buf *out, struct str text, bool decodes)
{
    struct buf plain = { 0 };
    enum result result = decodes ? append_decoded(&plain, text) : RESULT_OK;

    if (result == RESULT_OK) {
        result = auth_append_encoded(out, decodes ? buf_view(&plain) : text);
    }
    auth_wipe(&plain);
    return result;
}

/* S3 takes the path as it is meant, the other services as it is sent, encoded once more. */
static enum result append_path(struct buf *out, struct str path, bool is_s3)
{
    enum result result = path.len ? RESULT_OK : buf_append_char(out, '/');
    bool is_first = true;

    while (path.data && result == RESULT_OK) {
        struct str segment = str_cut(&path, '/');

        if (!is_s3 && !is_first && !segment.len && path.data) {
            continue; /* "a//b" is "a/b" to all but S3 */
        }
        if (!is_first) {
            result = buf_append_char(out, '/');
        }
        is_first = false;
        if (result == RESULT_OK) {
            result = append_again(out, segment, is_s3);
        }
    }
    return result;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "name=value" encoded anew, sorted by the name and then by the value: with an equals sign between them "a1" would
 * come before "a". A blank is %20; a plus is one in the query's own encoding. */
static enum result append_query(struct buf *out, struct str query)
{
    char **params;
    size_t count = 0, max = 1;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < query.len; i++) {
        max += query.data[i] == '&';
    }
    params = calloc(max, sizeof *params);
    if (!params) {
        return RESULT_NOMEM;
    }
    while (query.len && result == RESULT_OK) {
        struct str value = str_cut(&query, '&'), name;
        struct buf one = { 0 };

        if (!value.len) {
            continue; /* "a&&b" */
        }
        name = str_cut(&value, '=');
        result = append_again(&one, name, true);
        result = result == RESULT_OK ? buf_append_char(&one, NAME_END) : result;
        result = result == RESULT_OK ? append_again(&one, value, true) : result;
        params[count] = result == RESULT_OK ? str_dup(buf_view(&one)) : NULL;
        result = params[count] ? RESULT_OK : RESULT_NOMEM;
        count += params[count] != NULL;
        auth_wipe(&one);
    }
    qsort(params, count, sizeof params[0], by_text);
    for (size_t i = 0; i < count; i++) {
        *strchr(params[i], NAME_END) = '=';
        if (result == RESULT_OK && i > 0) {
            result = buf_append_char(out, '&');
        }
        if (result == RESULT_OK) {
            result = buf_append_str(out, str_view(params[i]));
        }
        free(params[i]);
    }
    free(params);
    return result;
}

static struct str split_target(struct str target, struct str *query)
{
    *query = target;
    return str_cut(query, '?');
}

struct aws {
    const struct job_sign *sign;
    const struct sign_request *request;
    char time[32];
    struct str region, service;
    struct buf body_hash;
    const char *signed_headers;
};

static enum result append_canonical(const struct aws *a, struct buf *out)
{
    const struct sign_request *r = a->request;
    struct str query, path = split_target(r->target, &query);
    const char *token = a->sign->session_token.sent;
    enum result result = buf_printf(out, "%.*s\n", STR_ARG(r->method));

    result =
        result == RESULT_OK ? append_path(out, path, str_equal(a->service, STR("s3"))) : result;
    result = result == RESULT_OK ? buf_append_char(out, '\n') : result;
    result = result == RESULT_OK ? append_query(out, query) : result;
    result = result == RESULT_OK
                 ? buf_printf(out, "\nhost:%.*s\nx-amz-content-sha256:%.*s\nx-amz-date:%s\n",
                              STR_ARG(r->host), STR_ARG(buf_view(&a->body_hash)), a->time)
                 : result;
    result =
        result == RESULT_OK && token ? buf_printf(out, "x-amz-security-token:%s\n", token) : result;
    return result == RESULT_OK
               ? buf_printf(out, "\n%s\n%.*s", a->signed_headers, STR_ARG(buf_view(&a->body_hash)))
               : result;
}

/* The chain of keys, each the digest of a part of the scope with the one before. */
static bool derive(const struct aws *a, struct str text, unsigned char out[DIGEST_MAX], size_t *len)
{
    const struct str parts[] = { { a->time, 8 }, a->region, a->service, STR("aws4_request"), text };
    struct buf first = { 0 };
    bool good = buf_printf(&first, "AWS4%s", a->sign->secret_key.sent) == RESULT_OK;
    struct str key = buf_view(&first);

    for (size_t i = 0; good && i < sizeof parts / sizeof parts[0]; i++) {
        unsigned char next[DIGEST_MAX];

        good = digest_of(key, parts[i], EVP_sha256(), next, len);
        memcpy(out, next, sizeof next);
        key = (struct str){ (const char *)out, *len };
    }
    auth_wipe(&first);
    return good;
}

static enum result append_authorization(const struct aws *a, struct buf *line)
{
    struct buf canonical = { 0 }, text = { 0 };
    unsigned char digest[DIGEST_MAX];
    size_t len = 0;
    enum result result = append_canonical(a, &canonical);

    result = result == RESULT_OK
                 ? buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%.*s/%.*s/aws4_request\n", a->time,
                              a->time, STR_ARG(a->region), STR_ARG(a->service))
                 : result;
    result = result == RESULT_OK ? append_sha256(&text, buf_view(&canonical)) : result;
    if (result == RESULT_OK && !derive(a, buf_view(&text), digest, &len)) {
        result = why_no_digest();
    }
    result = result == RESULT_OK
                 ? buf_printf(line,
                              "Authorization: AWS4-HMAC-SHA256 Credential=%s/%.8s/%.*s/%.*s/"
                              "aws4_request, SignedHeaders=%s, Signature=",
                              a->sign->access_key.sent, a->time, STR_ARG(a->region),
                              STR_ARG(a->service), a->signed_headers)
                 : result;
    result = result == RESULT_OK ? append_hex(line, digest, len) : result;
    os_wipe(digest, sizeof digest);
    auth_wipe(&canonical);
    auth_wipe(&text);
    return result;
}

static enum result sign_aws(const struct job_sign *s, const struct sign_request *r,
                            struct buf lines[SIGN_HEADERS_MAX])
{
    const char *token = s->session_token.sent;
    struct aws a = { .sign = s,
                     .request = r,
                     .service = str_view(s->aws),
                     .signed_headers =
                         token ? "host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
                               : "host;x-amz-content-sha256;x-amz-date" };
    enum result result;

    a.region = str_cut(&a.service, ':');
    format_utc(r->wall_us, "aws", a.time);
    result = append_sha256(&a.body_hash, r->body);
    result = result == RESULT_OK ? append_authorization(&a, &lines[0]) : result;
    result = result == RESULT_OK ? buf_printf(&lines[1], "X-Amz-Date: %s", a.time) : result;
    result = result == RESULT_OK ? buf_printf(&lines[2], "X-Amz-Content-Sha256: %.*s",
                                              STR_ARG(buf_view(&a.body_hash)))
                                 : result;
    result = result == RESULT_OK && token ? buf_printf(&lines[3], "X-Amz-Security-Token: %s", token)
                                          : result;
    buf_release(&a.body_hash);
    return result;
}

/* --- HMAC of a text of one's own ------------------------------------------------------------------ */

static enum result append_named(struct buf *out, struct str name, const struct sign_request *r,
                                const char *time)
{
    struct str query, path = split_target(r->target, &query);

    return str_equal(name, STR("time"))     ? buf_append_str(out, str_view(time))
           : str_equal(name, STR("method")) ? buf_append_str(out, r->method)
           : str_equal(name, STR("path"))   ? buf_append_str(out, path)
           : str_equal(name, STR("query"))  ? buf_append_str(out, query)
           : str_equal(name, STR("target")) ? buf_append_str(out, r->target)
           : str_equal(name, STR("host"))   ? buf_append_str(out, r->host)
           : str_equal(name, STR("body"))   ? buf_append_str(out, r->body)
                                            : buf_printf(out, "{%.*s}", STR_ARG(name));
}

static enum result append_of(struct buf *out, struct str of, const struct sign_request *r,
                             const char *time)
{
    enum result result = RESULT_OK;

    while (of.len && result == RESULT_OK) {
        const char *end = of.data[0] == '{' ? memchr(of.data, '}', of.len) : NULL;
        size_t len = end ? (size_t)(end - of.data) + 1 : 1;

        result = end ? append_named(out, (struct str){ of.data + 1, len - 2 }, r, time)
                     : buf_append_char(out, of.data[0]);
        of.data += len;
        of.len -= len;
    }
    return result;
}

static enum result sign_hmac(const struct job_sign *s, const struct sign_request *r,
                             struct buf lines[SIGN_HEADERS_MAX])
{
    const EVP_MD *md = strcmp(s->hmac, "sha512") == 0 ? EVP_sha512() : EVP_sha256();
    unsigned char digest[DIGEST_MAX];
    struct buf text = { 0 };
    char time[32];
    size_t len = 0;
    enum result result;

    if (s->time && strcmp(s->time, "iso") == 0) {
        format_utc(r->wall_us, "iso", time);
    } else {
        bool is_ms = s->time && strcmp(s->time, "ms") == 0;

        snprintf(time, sizeof time, "%" PRId64,
                 r->wall_us / (int64_t)(is_ms ? US_PER_MS : US_PER_S));
    }
    result = append_of(&text, str_view(s->of), r, time);
    if (result == RESULT_OK &&
        !digest_of(str_view(s->key.sent), buf_view(&text), md, digest, &len)) {
        result = why_no_digest();
    }
    result = result == RESULT_OK ? buf_printf(&lines[0], "%s: ", s->header) : result;
    if (result == RESULT_OK && s->encoding && strcmp(s->encoding, "base64") == 0) {
        result = base64_append(&lines[0], (struct str){ (const char *)digest, len });
    } else if (result == RESULT_OK) {
        result = append_hex(&lines[0], digest, len);
    }
    result = result == RESULT_OK && s->time_header
                 ? buf_printf(&lines[1], "%s: %s", s->time_header, time)
                 : result;
    os_wipe(digest, sizeof digest);
    auth_wipe(&text);
    return result;
}

enum result sign_make(const struct job_sign *s, const struct sign_request *r,
                      struct buf lines[SIGN_HEADERS_MAX])
{
    for (size_t i = 0; i < SIGN_HEADERS_MAX; i++) {
        buf_reset(&lines[i]);
    }
    return s->aws ? sign_aws(s, r, lines) : sign_hmac(s, r, lines);
}
