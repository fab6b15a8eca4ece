#include "job/netrc.h"

#include "base/message.h"
#include "base/os.h"
#include "base/read_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
    struct str rest;
    unsigned line;
    struct buf word;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char take(struct reading *r)
{
    char c = r->rest.data[0];

    r->line += c == '\n';
    r->rest.data++;
    r->rest.len--;
    return c;
}

static void skip_line(struct reading *r)
{
    while (r->rest.len && take(r) != '\n') {
    }
}

static void skip_blanks(struct reading *r)
{
    while (r->rest.len && (is_blank(r->rest.data[0]) || r->rest.data[0] == '#')) {
        if (r->rest.data[0] == '#') {
            skip_line(r);
        } else {
            take(r);
        }
    }
}

static char escaped(char c)
{
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

/* RESULT_CORRUPT: a quote that is not closed on its line. */
static enum result read_quoted(struct reading *r)
{
    take(r);
    while (r->rest.len && r->rest.data[0] != '\n') {
        char c = take(r);

        if (c == '"') {
            return RESULT_OK;
        }
        if (c == '\\' && r->rest.len && r->rest.data[0] != '\n') {
            c = escaped(take(r));
        }
        if (buf_append_char(&r->word, c) != RESULT_OK) {
            return RESULT_NOMEM;
        }
    }
    return RESULT_CORRUPT;
}

/* The next word; RESULT_NOT_FOUND at the end. */
static enum result next_word(struct reading *r)
{
    buf_reset(&r->word);
    skip_blanks(r);
    if (!r->rest.len) {
        return RESULT_NOT_FOUND;
    }
    if (r->rest.data[0] == '"') {
        return read_quoted(r);
    }
    while (r->rest.len && !is_blank(r->rest.data[0])) {
        if (buf_append_char(&r->word, take(r)) != RESULT_OK) {
            return RESULT_NOMEM;
        }
    }
    return RESULT_OK;
}

/* A macro ends at an empty line. */
static void skip_macro(struct reading *r)
{
    bool is_empty = false;

    while (r->rest.len && !is_empty) {
        size_t before = r->rest.len;

        skip_line(r);
        is_empty = before - r->rest.len <= 1;
    }
}

static bool is_word(const struct reading *r, const char *word)
{
    return str_equal(buf_view(&r->word), str_view(word));
}

/* The value of "login", "password" and "account", kept when the entry is the host's. */
static enum result read_value(struct reading *r, struct buf *to)
{
    enum result result = next_word(r);

    if (result != RESULT_OK) {
        return result == RESULT_NOT_FOUND ? RESULT_CORRUPT : result;
    }
    if (!to) {
        return RESULT_OK;
    }
    buf_reset(to);
    return buf_append_str(to, buf_view(&r->word));
}

/* One word and what follows from it. `is_ours`: the entry that is read is the host's. */
static enum result read_item(struct reading *r, struct str host, bool *is_ours, struct buf *user,
                             struct buf *password)
{
    enum result result = RESULT_OK;

    if (is_word(r, "machine")) {
        result = next_word(r);
        *is_ours = result == RESULT_OK && str_equal_nocase(buf_view(&r->word), host);
        return result == RESULT_NOT_FOUND ? RESULT_CORRUPT : result;
    }
    if (is_word(r, "default")) {
        *is_ours = true;
    } else if (is_word(r, "macdef")) {
        skip_macro(r);
    } else if (is_word(r, "login")) {
        result = read_value(r, *is_ours ? user : NULL);
    } else if (is_word(r, "password")) {
        result = read_value(r, *is_ours ? password : NULL);
    } else if (is_word(r, "account")) {
        result = read_value(r, NULL);
    }
    return result;
}

static bool begins_entry(const struct reading *r)
{
    return is_word(r, "machine") || is_word(r, "default");
}

enum result netrc_find(struct str text, struct str host, struct buf *user, struct buf *password,
                       unsigned *line)
{
    struct reading r = { .rest = text, .line = 1 };
    bool is_ours = false, was_ours = false;
    enum result result;

    while ((result = next_word(&r)) == RESULT_OK) {
        if (was_ours && begins_entry(&r)) {
            break; /* the first one counts */
        }
        result = read_item(&r, host, &is_ours, user, password);
        was_ours |= is_ours;
        if (result != RESULT_OK) {
            break;
        }
    }
    *line = r.line;
    if (r.word.data) {
        os_wipe(r.word.data, r.word.cap);
    }
    buf_release(&r.word);
    return result == RESULT_OK || result == RESULT_NOT_FOUND
               ? (was_ours && (user->len || password->len) ? RESULT_OK : RESULT_NOT_FOUND)
               : result;
}

static void warn_of_readers(int fd, const char *path)
{
    struct stat st;
    char text[512];

    if (fstat(fd, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO))) {
        snprintf(text, sizeof text, "others can read the passwords in %s: chmod 600", path);
        message_warning("W-SEC1", text);
    }
}

static enum result read_whole(int fd, const char *path, struct buf *text, struct err *err)
{
    enum result result;

    buf_init(text, NETRC_FILE_MAX);
    result = buf_reserve(text, NETRC_FILE_MAX); /* it holds passwords: no copy is given back */
    if (result == RESULT_OK) {
        result = read_all(fd, text);
    }
    if (result == RESULT_IO) {
        return err_set_errno(err, errno, "E-SEC1", "cannot read %s", path);
    }
    if (result == RESULT_LIMIT) {
        return err_set(err, result, "E-SEC1", "%s is over %d bytes", path, NETRC_FILE_MAX);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading a netrc file");
}

enum result netrc_read(const char *path, struct str host, struct buf *user, struct buf *password,
                       struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct buf text = { 0 };
    unsigned line = 0;
    enum result result;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-SEC1", "cannot read %s", path);
    }
    warn_of_readers(fd, path);
    result = read_whole(fd, path, &text, err);
    close(fd);
    if (result == RESULT_OK) {
        result = netrc_find(buf_view(&text), host, user, password, &line);
        if (result == RESULT_CORRUPT) {
            result = err_set(err, RESULT_INVALID, "E-SEC1",
                             "%s:%u: a value or a closing quote is missing", path, line);
        } else if (result == RESULT_NOMEM) {
            result = err_nomem(err, "reading a netrc file");
        }
    }
    if (text.data) {
        os_wipe(text.data, text.cap);
    }
    buf_release(&text);
    return result;
}
