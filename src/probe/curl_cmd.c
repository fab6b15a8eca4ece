#include "probe/curl_cmd.h"

#include <string.h>

/* After what a POSIX shell has in quotes that begin at `at`. */
static size_t behind_quotes(struct str text, size_t at)
{
    char quote = text.data[at];
    bool has_escapes = quote == '"' || (at && text.data[at - 1] == '$');

    for (at++; at < text.len && text.data[at] != quote; at++) {
        at += has_escapes && text.data[at] == '\\';
    }
    return at;
}

bool curl_cmd_is(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        char c = text.data[i];

        if (c == '\\') {
            i++;
        } else if (c == '\'' || c == '"') {
            i = behind_quotes(text, i);
        } else if (c == '^' && strchr("\"\r\n", text.data[i + 1])) {
            return true;
        }
    }
    return false;
}

static size_t line_end(struct str text, size_t at)
{
    return at < text.len && text.data[at] == '\n'                                    ? 1
           : at + 1 < text.len && text.data[at] == '\r' && text.data[at + 1] == '\n' ? 2
                                                                                     : 0;
}

/* cmd.exe's part: carets go, and the end of a line that stands after one; what comes next is what it is. */
static enum result drop_carets(struct str text, struct buf *line)
{
    bool in_quotes = false;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < text.len && result == RESULT_OK; i++) {
        char c = text.data[i];

        if (c == '^' && !in_quotes && i + 1 < text.len) {
            size_t end = line_end(text, i + 1);

            i += 1 + end;
            if (i >= text.len) {
                break;
            }
            if (end && (end = line_end(text, i))) { /* a line break that is meant */
                result = buf_append_char(line, '\n');
                i += end - 1;
                continue;
            }
            result = buf_append_char(line, text.data[i]);
            continue;
        }
        in_quotes ^= c == '"';
        result = buf_append_char(line, c);
    }
    return result;
}

static enum result put_in_quotes(struct buf *out, char c)
{
    return c == '\'' ? buf_append_str(out, STR("'\\''")) : buf_append_char(out, c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* All backslashes within quotes come in pairs, those before a quote aside. */
static bool are_in_pairs(struct str line)
{
    for (size_t i = 0; i < line.len; i++) {
        size_t slashes = 0;

        while (i < line.len && line.data[i] == '\\') {
            slashes++;
            i++;
        }
        if (slashes % 2 && (i == line.len || line.data[i] != '"')) {
            return false;
        }
    }
    return true;
}

/* One word by Microsoft's rules: 2n backslashes before a quote are n, one more makes the quote itself; two quotes
 * within quotes are one. */
static enum result put_word(struct str line, size_t *at, bool in_pairs, struct buf *out)
{
    bool in_quotes = false;
    enum result result = buf_append_char(out, '\'');

    for (; *at < line.len && result == RESULT_OK; ++*at) {
        size_t slashes = 0;
        char c;

        while (*at < line.len && line.data[*at] == '\\') {
            slashes++;
            ++*at;
        }
        c = *at < line.len ? line.data[*at] : '\0';
        for (size_t i = 0;
             i < (c == '"' || in_pairs ? slashes / 2 : slashes) && result == RESULT_OK; i++) {
            result = buf_append_char(out, '\\');
        }
        if (*at >= line.len || (is_blank(c) && !in_quotes)) {
            break;
        }
        if (c != '"' || slashes % 2) {
            result = result == RESULT_OK ? put_in_quotes(out, c) : result;
        } else if (in_quotes && *at + 1 < line.len && line.data[*at + 1] == '"') {
            result = result == RESULT_OK ? buf_append_char(out, '"') : result;
            ++*at;
        } else {
            in_quotes = !in_quotes;
        }
    }
    return result == RESULT_OK ? buf_append_str(out, STR("' ")) : result;
}

enum result curl_cmd_convert(struct str text, struct buf *out, struct err *err)
{
    struct buf line = { 0 };
    enum result result = drop_carets(text, &line);
    struct str rest = buf_view(&line);
    bool in_pairs = are_in_pairs(rest);

    if (result == RESULT_OK && rest.len && memchr(rest.data, '\0', rest.len)) {
        buf_release(&line);
        return err_set(err, RESULT_INVALID, "E-CURL1", "curl command: a NUL byte");
    }
    for (size_t at = 0; at < rest.len && result == RESULT_OK; at++) {
        if (!is_blank(rest.data[at])) {
            result = put_word(rest, &at, in_pairs, out);
        }
    }
    buf_release(&line);
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading a curl command");
}
