#include "probe/curl_words.h"

#include <string.h>

static enum result refuse(const struct curl_words *w, struct err *err, const char *why)
{
    return err_set(err, RESULT_INVALID, "E-CURL1", "curl command: byte %zu: %s", w->at + 1, why);
}

static bool at_end(const struct curl_words *w)
{
    return w->at >= w->text.len;
}

static char here(const struct curl_words *w)
{
    return w->text.data[w->at];
}

/* The byte after the one at hand; NUL at the end. */
static char ahead(const struct curl_words *w)
{
    return w->at + 1 < w->text.len ? w->text.data[w->at + 1] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A backslash and the end of its line; with it, what comes is one line. */
static size_t continuation(const struct curl_words *w)
{
    struct str rest = { w->text.data + w->at, w->text.len - w->at };

    return str_starts(rest, STR("\\\n")) ? 2 : str_starts(rest, STR("\\\r\n")) ? 3 : 0;
}

/* And comments, which begin where a word could. */
static void skip_blanks(struct curl_words *w)
{
    while (!at_end(w) && (is_blank(here(w)) || continuation(w) || here(w) == '#')) {
        const char *end =
            here(w) == '#' ? memchr(w->text.data + w->at, '\n', w->text.len - w->at) : NULL;

        w->at = here(w) != '#' ? w->at + (is_blank(here(w)) ? 1 : continuation(w))
                : end          ? (size_t)(end - w->text.data)
                               : w->text.len;
    }
}

static enum result put(struct buf *word, char c)
{
    return buf_append_char(word, c);
}

static enum result read_single(struct curl_words *w, struct buf *word, struct err *err)
{
    const char *from = w->text.data + ++w->at;
    const char *end = memchr(from, '\'', w->text.len - w->at);

    if (!end) {
        return refuse(w, err, "' is never closed");
    }
    w->at += (size_t)(end - from) + 1;
    return buf_append(word, from, (size_t)(end - from));
}

static enum result read_double(struct curl_words *w, struct buf *word, struct err *err)
{
    enum result result = RESULT_OK;

    for (w->at++; result == RESULT_OK && !at_end(w) && here(w) != '"'; w->at++) {
        if (here(w) == '`' || (here(w) == '$' && ahead(w) && !strchr("\" \t\n", ahead(w)))) {
            return refuse(w, err,
                          "what a shell would fill in is not: put the value itself there, "
                          "or '...' around it");
        }
        if (continuation(w)) {
            w->at += continuation(w) - 1;
            continue;
        }
        if (here(w) == '\\' && ahead(w) && strchr("\\\"$`", ahead(w))) {
            w->at++;
        }
        result = put(word, here(w));
    }
    if (result == RESULT_OK && at_end(w)) {
        return refuse(w, err, "\" is never closed");
    }
    w->at++;
    return result;
}

static int digit_of(char c, int base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;

    return value < base ? value : -1;
}

/* Up to `max` digits after the byte at hand; it ends on the last one. */
static uint32_t read_digits(struct curl_words *w, int base, size_t max)
{
    uint32_t value = 0;

    for (size_t i = 0; i < max && digit_of(ahead(w), base) >= 0; i++) {
        value = value * (uint32_t)base + (uint32_t)digit_of(ahead(w), base);
        w->at++;
    }
    return value;
}

static enum result put_character(struct buf *word, uint32_t code)
{
    char bytes[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    for (size_t i = len; i-- > 1;) {
        bytes[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    bytes[0] = (char)(heads[len] | code);
    return buf_append(word, bytes, len);
}

/* Firefox writes a character beyond the first plane as the two halves that its scripts see. */
static uint32_t join_pair(struct curl_words *w, uint32_t code)
{
    size_t before = w->at;
    uint32_t low;

    if (code < 0xD800 || code >= 0xDC00 || ahead(w) != '\\') {
        return code;
    }
    w->at++;
    if (ahead(w) == 'u') {
        w->at++;
        low = read_digits(w, 16, 4);
        if (low >= 0xDC00 && low < 0xE000) {
            return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    w->at = before;
    return code;
}

/* The escape at a backslash within $'...'. */
static enum result read_escape(struct curl_words *w, struct buf *word, struct err *err)
{
    static const char from[] = "abefnrtv\\'\"?", to[] = "\a\b\033\f\n\r\t\v\\'\"?";
    char c = ahead(w);
    const char *simple = c ? strchr(from, c) : NULL;
    uint32_t code;

    w->at++;
    if (simple) {
        return put(word, to[simple - from]);
    }
    if (c == 'x' && digit_of(ahead(w), 16) >= 0) {
        code = read_digits(w, 16, 2);
    } else if (digit_of(c, 8) >= 0) {
        w->at--;
        code = read_digits(w, 8, 3) & 0xFF;
    } else if ((c == 'u' || c == 'U') && digit_of(ahead(w), 16) >= 0) {
        code = join_pair(w, read_digits(w, 16, c == 'u' ? 4 : 8));
        if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
            return refuse(w, err, "no such character");
        }
        return code ? put_character(word, code) : refuse(w, err, "a NUL byte");
    } else {
        return refuse(w, err, "an unknown escape in $'...'");
    }
    return code ? put(word, (char)code) : refuse(w, err, "a NUL byte");
}

static enum result read_dollar(struct curl_words *w, struct buf *word, struct err *err)
{
    enum result result = RESULT_OK;

    for (w->at += 2; result == RESULT_OK && !at_end(w) && here(w) != '\''; w->at++) {
        result = here(w) == '\\' ? read_escape(w, word, err) : put(word, here(w));
    }
    if (result == RESULT_OK && at_end(w)) {
        return refuse(w, err, "$' is never closed");
    }
    w->at++;
    return result;
}

/* One piece of a word: quoted, escaped, or a plain byte. */
static enum result read_piece(struct curl_words *w, struct buf *word, struct err *err)
{
    char c = here(w);

    switch (c) {
    case '\'':
        return read_single(w, word, err);
    case '"':
        return read_double(w, word, err);
    case '$':
        if (ahead(w) == '\'') {
            return read_dollar(w, word, err);
        }
        break;
    case '\\':
        if (w->at + 1 == w->text.len) {
            return refuse(w, err, "a backslash with nothing after it");
        }
        w->at += 2;
        return put(word, w->text.data[w->at - 1]);
    case '^':
        if (ahead(w) == '"' || ahead(w) == '\n' || ahead(w) == '\r') {
            return refuse(w, err, "this is the form for cmd.exe; copy it as cURL (bash)");
        }
        break;
    case '`':
    case '|':
    case '&':
    case ';':
    case '<':
    case '>':
    case '(':
    case ')':
        return refuse(w, err,
                      "one curl command only, without what a shell would do to it; a URL "
                      "with & wants quotes");
    case '\0':
        return refuse(w, err, "a NUL byte");
    default:
        break;
    }
    if (c == '$' && ahead(w) && !is_blank(ahead(w))) {
        return refuse(w, err,
                      "what a shell would fill in is not: put the value itself there, or "
                      "'...' around it");
    }
    w->at++;
    return put(word, c);
}

enum result curl_words_next(struct curl_words *w, struct buf *word, bool *more, struct err *err)
{
    enum result result = RESULT_OK;

    buf_reset(word);
    skip_blanks(w);
    *more = !at_end(w);
    while (result == RESULT_OK && !at_end(w) && !is_blank(here(w))) {
        if (continuation(w)) {
            w->at += continuation(w);
            continue;
        }
        result = read_piece(w, word, err);
    }
    return result == RESULT_NOMEM ? err_nomem(err, "reading a curl command") : result;
}
