#include "job/secret.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_NAME_SHOWN 64 /* bytes of a name repeated in a message */

static bool is_name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static void wipe_text(char *text)
{
    if (text) {
        os_wipe(text, strlen(text));
    }
    free(text);
}

void secrets_release(struct secrets *secrets)
{
    free(secrets->env_file);
    for (size_t i = 0; i < secrets->count; i++) {
        wipe_text(secrets->list[i].value);
        free(secrets->list[i].label);
    }
    free(secrets->list);
    *secrets = (struct secrets){ .count = 0 };
}

/* Where it goes: longest first, so that a secret that holds another one is replaced as a whole. SIZE_MAX
 * when it is known already. */
static size_t sort_key_of(const struct secrets *secrets, struct str value)
{
    size_t at = 0;

    for (; at < secrets->count && strlen(secrets->list[at].value) >= value.len; at++) {
        if (str_equal(str_view(secrets->list[at].value), value)) {
            return SIZE_MAX;
        }
    }
    return at;
}

enum result secrets_add(struct secrets *secrets, struct str value, const char *label,
                        struct err *err)
{
    size_t at = sort_key_of(secrets, value);
    struct secret *list, secret;

    if (value.len < SECRET_MIN_BYTES || at == SIZE_MAX) {
        return RESULT_OK;
    }
    list = reallocarray(secrets->list, secrets->count + 1, sizeof *list);
    if (!list) {
        return err_nomem(err, "registering a secret");
    }
    secrets->list = list;
    secret = (struct secret){ str_dup(value), str_dup(str_view(label)), secrets->count };
    if (!secret.value || !secret.label) {
        wipe_text(secret.value);
        free(secret.label);
        return err_nomem(err, "registering a secret");
    }
    memmove(list + at + 1, list + at, (secrets->count - at) * sizeof *list);
    list[at] = secret;
    secrets->count++;
    secrets->begins[(unsigned char)value.data[0]] = true;
    return RESULT_OK;
}

enum result secrets_add_all(struct secrets *to, const struct secrets *from, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t nth = 0; nth < from->count; nth++) {
        for (size_t i = 0; i < from->count && result == RESULT_OK; i++) {
            if (from->list[i].nth == nth) {
                result = secrets_add(to, str_view(from->list[i].value), from->list[i].label, err);
            }
        }
    }
    return result;
}

struct str secrets_find(const struct secrets *secrets, struct str label)
{
    const struct secret *first = NULL;

    for (size_t i = 0; i < secrets->count; i++) {
        const struct secret *secret = &secrets->list[i];

        if (str_equal(str_view(secret->label), label) && (!first || secret->nth < first->nth)) {
            first = secret;
        }
    }
    return first ? str_view(first->value) : STR_NONE;
}

void secret_label(char label[SECRET_LABEL_SIZE], const char *kind, struct str name)
{
    size_t len = (size_t)snprintf(label, SECRET_LABEL_SIZE, "%.16s.", kind);

    for (size_t i = 0; i < name.len && len + 1 < SECRET_LABEL_SIZE; i++) {
        char c = name.data[i];

        label[len++] = is_name_char(c, false) || c == '-' ? c : '_';
    }
    label[len] = '\0';
}

/* Appends the value of the variable that stands, as "${NAME}", at the head of `*text`; moves past. */
static enum result take_variable(struct str *text, struct secrets *secrets, struct buf *out,
                                 struct err *err)
{
    char name[SECRET_NAME_SHOWN + 1], label[SECRET_LABEL_SIZE];
    size_t len = 0;
    struct buf from_file = { .max = SECRET_FILE_MAX };
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
    if (!value && secrets->env_file) {
        result = secrets->env_find(secrets->env_file, name, &from_file, err);
        if (result != RESULT_OK && result != RESULT_NOT_FOUND) {
            return result;
        }
        value = result == RESULT_OK ? buf_cstr(&from_file) : NULL;
        secrets->env_file_is_used |= value != NULL;
    }
    if (!value) {
        buf_release(&from_file);
        return err_set(err, RESULT_NOT_FOUND, "E-SEC2", "environment variable %s is not set", name);
    }
    text->data += len + 3;
    text->len -= len + 3;
    secret_label(label, "env", str_view(name));
    result = secrets_add(secrets, str_view(value), label, err);
    if (result == RESULT_OK && buf_append_str(out, str_view(value)) != RESULT_OK) {
        result = err_nomem(err, "expanding an environment variable");
    }
    if (from_file.data) {
        os_wipe(from_file.data, from_file.cap);
    }
    buf_release(&from_file);
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

bool secret_is_pipe(const char *path)
{
    return strcmp(path, "-") == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/self/fd/", 14) == 0;
}

/* Not the file's bytes but who else can have them. */
static enum result check_owner(int fd, const char *path, struct err *err)
{
    struct stat st;
    bool is_pipe = secret_is_pipe(path);

    if (fstat(fd, &st) != 0) {
        return err_set_errno(err, errno, "E-SEC1", "cannot read %s", path);
    }
    if (is_pipe && !S_ISREG(st.st_mode)) {
        return RESULT_OK; /* what writes to it is the user's own */
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
    int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
             : secret_is_pipe(path) ? open(path, O_RDONLY | O_CLOEXEC)
                                    : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum result result;
    ssize_t got;
    char more;

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
    if (got != 0 && read(fd, &more, 1) > 0) { /* the size of a pipe is not known before */
        result = err_set(err, RESULT_LIMIT, "E-SEC1", "%s is over %d bytes", path, SECRET_FILE_MAX);
    }
done:
    close(fd);
    return result;
}

static bool is_token_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

enum result header_check_name(struct str name, struct err *err)
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

    if (!name.len) {
        return err_set(err, RESULT_INVALID, "E-HDR2", "header without a name");
    }
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
    result = header_check_name(*name, err);
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
