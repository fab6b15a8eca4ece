#include "job/secret.h"

#include "base/url_make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_NAME_SHOWN 64 /* bytes of a name repeated in a message */

void secrets_release(struct secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        explicit_bzero(secrets->values[i], strlen(secrets->values[i]));
        free(secrets->values[i]);
    }
    free(secrets->values);
    *secrets = (struct secrets){ NULL, 0 };
}

enum result secrets_add(struct secrets *secrets, struct str value, struct err *err)
{
    size_t at = 0;
    char **values, *copy;

    if (value.len < SECRET_MIN_BYTES) {
        return RESULT_OK;
    }
    /* Longest first, so that a secret that holds another one is replaced as a whole. */
    for (; at < secrets->count && strlen(secrets->values[at]) >= value.len; at++) {
        if (str_equal(str_view(secrets->values[at]), value)) {
            return RESULT_OK;
        }
    }
    values = reallocarray(secrets->values, secrets->count + 1, sizeof *values);
    if (!values) {
        return err_nomem(err, "registering a secret");
    }
    secrets->values = values;
    copy = str_dup(value);
    if (!copy) {
        return err_nomem(err, "registering a secret");
    }
    memmove(values + at + 1, values + at, (secrets->count - at) * sizeof *values);
    values[at] = copy;
    secrets->count++;
    return RESULT_OK;
}

/* The length of the secret that `text` starts with, 0 for none. A server that repeats a key need not
 * escape it as we did. */
static size_t secret_at(const struct secrets *secrets, struct str text)
{
    for (size_t i = 0; i < secrets->count; i++) {
        const char *secret = secrets->values[i];
        size_t len = text.data[0] == secret[0] || strchr("%+", text.data[0])
                         ? url_head_means(text, str_view(secret))
                         : 0;

        if (len) {
            return len;
        }
    }
    return 0;
}

struct str secrets_uncut(const struct secrets *secrets, struct str text)
{
    for (size_t i = 0; i < secrets->count; i++) {
        struct str secret = str_view(secrets->values[i]);
        size_t most = secret.len - 1 < text.len ? secret.len - 1 : text.len;

        for (size_t part = most; part > 0; part--) {
            if (memcmp(text.data + text.len - part, secret.data, part) == 0) {
                text.len -= part;
                break;
            }
        }
    }
    return text;
}

bool secrets_are_in(const struct secrets *secrets, struct str text)
{
    for (; text.len; text.data++, text.len--) {
        if (secret_at(secrets, text)) {
            return true;
        }
    }
    return false;
}

enum result secrets_redact(const struct secrets *secrets, struct str text, struct buf *out)
{
    enum result result = RESULT_OK;

    while (text.len && result == RESULT_OK) {
        size_t len = secret_at(secrets, text);

        result = len ? buf_append_str(out, STR("***")) : buf_append_char(out, text.data[0]);
        len = len ? len : 1;
        text.data += len;
        text.len -= len;
    }
    return result;
}

bool url_param_is_secret(struct str name)
{
    static const struct str names[] = {
        STR_INIT("api_key"),
        STR_INIT("apikey"),
        STR_INIT("api-key"),
        STR_INIT("key"),
        STR_INIT("token"),
        STR_INIT("access_token"),
        STR_INIT("refresh_token"),
        STR_INIT("id_token"),
        STR_INIT("auth"),
        STR_INIT("auth_token"),
        STR_INIT("sig"),
        STR_INIT("signature"),
        STR_INIT("password"),
        STR_INIT("passwd"),
        STR_INIT("pwd"),
        STR_INIT("secret"),
        STR_INIT("client_secret"),
        STR_INIT("x-amz-signature"),
        STR_INIT("x-amz-security-token"),
        STR_INIT("x-goog-signature"),
        STR_INIT("subscription-key"),
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

static enum result redact_parameter(struct str parameter, struct buf *out)
{
    struct str value = parameter;
    struct str name = str_cut(&value, '=');
    enum result result = buf_append_str(out, name);

    if (name.len == parameter.len || result != RESULT_OK) {
        return result;
    }
    result = buf_append_char(out, '=');
    if (result != RESULT_OK) {
        return result;
    }
    return buf_append_str(out, value.len && url_param_is_secret(name) ? STR("***") : value);
}

enum result url_redact(struct str url, struct buf *out)
{
    struct str query = url;
    struct str head = str_cut(&query, '?');
    enum result result = buf_append_str(out, head);
    char separator = '?';

    if (head.len == url.len) {
        return result;
    }
    for (;;) {
        size_t len = 0;

        while (len < query.len && !strchr("&#", query.data[len])) {
            len++;
        }
        if (result == RESULT_OK) {
            result = buf_append_char(out, separator);
        }
        if (result == RESULT_OK) {
            result = redact_parameter((struct str){ query.data, len }, out);
        }
        if (len == query.len || result != RESULT_OK) {
            return result;
        }
        separator = query.data[len];
        query.data += len + 1;
        query.len -= len + 1;
    }
}

static bool is_name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

/* Appends the value of the variable that stands, as "${NAME}", at the head of `*text`; moves past. */
static enum result take_variable(struct str *text, struct secrets *secrets, struct buf *out,
                                 struct err *err)
{
    char name[SECRET_NAME_SHOWN + 1];
    size_t len = 0;
    const char *value;
    enum result result;

    while (2 + len < text->len && is_name_char(text->data[2 + len], len == 0)) {
        len++;
    }
    if (!len || 2 + len >= text->len || text->data[2 + len] != '}') {
        return err_set(err, RESULT_INVALID, "E-SEC2",
                       "\"${\" without a variable's name and \"}\"; write $${ for a plain ${");
    }
    if (len > SECRET_NAME_SHOWN) {
        return err_set(err, RESULT_INVALID, "E-SEC2", "the name of a variable is over %d bytes",
                       SECRET_NAME_SHOWN);
    }
    memcpy(name, text->data + 2, len);
    name[len] = '\0';
    value = getenv(name);
    if (!value) {
        return err_set(err, RESULT_NOT_FOUND, "E-SEC2", "environment variable %s is not set", name);
    }
    text->data += len + 3;
    text->len -= len + 3;
    result = secrets_add(secrets, str_view(value), err);
    if (result == RESULT_OK && buf_append_str(out, str_view(value)) != RESULT_OK) {
        result = err_nomem(err, "expanding an environment variable");
    }
    return result;
}

enum result secret_expand(struct str text, struct secrets *secrets, struct buf *out,
                          struct err *err)
{
    enum result result = RESULT_OK;

    while (text.len && result == RESULT_OK) {
        if (str_starts(text, STR("${"))) {
            result = take_variable(&text, secrets, out, err);
            continue;
        }
        if (str_starts(text, STR("$${"))) { /* the first dollar says: no variable */
            result = buf_append_str(out, STR("${"));
            text.data += 3;
            text.len -= 3;
        } else {
            result = buf_append_char(out, text.data[0]);
            text.data++;
            text.len--;
        }
        if (result != RESULT_OK) {
            return err_nomem(err, "expanding an environment variable");
        }
    }
    return result;
}

/* Not the file's bytes but who else can have them. */
static enum result check_owner(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return err_set_errno(err, errno, "E-SEC1", "cannot read %s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, RESULT_DENIED, "E-SEC1", "%s is not a regular file", path);
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        return err_set(err, RESULT_DENIED, "E-SEC1", "%s belongs to another user", path);
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        return err_set(err, RESULT_DENIED, "E-SEC1",
                       "%s is readable by others (%04o); chmod 600 %s", path,
                       (unsigned)(st.st_mode & 07777), path);
    }
    if (st.st_size > SECRET_FILE_MAX) {
        return err_set(err, RESULT_LIMIT, "E-SEC1", "%s is over %d bytes", path, SECRET_FILE_MAX);
    }
    return RESULT_OK;
}

enum result secret_read_file(const char *path, struct buf *out, struct err *err)
{
    /* Not blocking: a FIFO is to be refused, not waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum result result;
    ssize_t got;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-SEC1", "cannot read %s", path);
    }
    result = check_owner(fd, path, err);
    if (result != RESULT_OK) {
        goto done;
    }
    if (buf_reserve(out, SECRET_FILE_MAX) != RESULT_OK) {
        result = err_nomem(err, "reading a file of headers");
        goto done;
    }
    do {
        got = read(fd, out->data + out->len, out->cap - out->len);
        if (got < 0 && errno != EINTR) {
            result = err_set_errno(err, errno, "E-SEC1", "cannot read %s", path);
            goto done;
        }
        out->len += got > 0 ? (size_t)got : 0;
    } while (got != 0 && out->len < out->cap);
done:
    close(fd);
    return result;
}

static bool is_token_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static enum result check_name(struct str name, struct err *err)
{
    static const struct {
        struct str name;
        const char *why;
    } ours[] = {
        { STR_INIT("Host"), "it follows from the URL" },
        { STR_INIT("Content-Length"), "it follows from the body" },
        { STR_INIT("Transfer-Encoding"), "the body's framing is the program's" },
        { STR_INIT("Connection"), "connections are the program's" },
        { STR_INIT("Keep-Alive"), "connections are the program's" },
        { STR_INIT("Upgrade"), "connections are the program's; see --http2" },
        { STR_INIT("TE"), "the body's framing is the program's" },
        { STR_INIT("Expect"), "the program sends bodies at once" },
        { STR_INIT("Accept-Encoding"), "the program asks for what it can unpack" },
    };

    for (size_t i = 0; i < name.len; i++) {
        if (!is_token_char(name.data[i])) {
            return err_set(err, RESULT_INVALID, "E-HDR2",
                           "header name: byte \\x%02x at %zu is not allowed",
                           (unsigned)(unsigned char)name.data[i], i + 1);
        }
    }
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (str_equal_nocase(name, ours[i].name)) {
            return err_set(err, RESULT_INVALID, "E-HDR2", "header %.*s cannot be set: %s",
                           STR_ARG(ours[i].name), ours[i].why);
        }
    }
    return RESULT_OK;
}

enum result header_split(struct str line, struct str *name, struct str *value, struct err *err)
{
    enum result result;
    struct str rest = line;
    int shown;

    if (line.len > HEADER_LINE_MAX) {
        return err_set(err, RESULT_LIMIT, "E-HDR2", "header line over %d bytes", HEADER_LINE_MAX);
    }
    *name = str_cut(&rest, ':');
    /* Without a colon the whole line may be a secret that was pasted in: it is not repeated. */
    if (name->len == line.len || !name->len) {
        return err_set(err, RESULT_INVALID, "E-HDR2",
                       "header without a name; want \"Name: value\"");
    }
    result = check_name(*name, err);
    if (result != RESULT_OK) {
        return result;
    }
    shown = (int)(name->len < SECRET_NAME_SHOWN ? name->len : SECRET_NAME_SHOWN);
    for (size_t i = 0; i < rest.len; i++) {
        unsigned char c = (unsigned char)rest.data[i];

        if (c == '\r' || c == '\n') {
            return err_set(err, RESULT_INVALID, "E-HDR2", "header %.*s: line break not allowed",
                           shown, name->data);
        }
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return err_set(err, RESULT_INVALID, "E-HDR2",
                           "header %.*s: control character \\x%02x not allowed", shown, name->data,
                           (unsigned)c);
        }
    }
    *value = str_trim(rest);
    if (!value->len) {
        return err_set(err, RESULT_INVALID, "E-HDR2", "header %.*s has no value", shown,
                       name->data);
    }
    return RESULT_OK;
}

static bool contains_nocase(struct str text, struct str word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (str_equal_nocase((struct str){ text.data + i, word.len }, word)) {
            return true;
        }
    }
    return false;
}

bool header_is_secret(struct str name)
{
    static const struct str words[] = { STR_INIT("auth"),    STR_INIT("cookie"),
                                        STR_INIT("key"),     STR_INIT("token"),
                                        STR_INIT("secret"),  STR_INIT("password"),
                                        STR_INIT("session"), STR_INIT("signature") };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (contains_nocase(name, words[i])) {
            return true;
        }
    }
    return false;
}
