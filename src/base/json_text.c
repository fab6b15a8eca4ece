#include "base/json_text.h"

#include "base/json_step.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* The highest bit of some byte is set if one of the eight is 0; else no bit is. */
static uint64_t zero_byte(uint64_t eight)
{
    return (eight - EACH_BYTE(1)) & ~eight & EACH_BYTE(0x80);
}

/* All eight bytes are printable ASCII that stands for itself. */
static bool are_plain(const char *bytes)
{
    uint64_t eight;

    memcpy(&eight, bytes, sizeof eight);
    return !((eight & EACH_BYTE(0x80)) | ((eight - EACH_BYTE(0x20)) & ~eight & EACH_BYTE(0x80)) |
             zero_byte(eight ^ EACH_BYTE('"')) | zero_byte(eight ^ EACH_BYTE('\\')) |
             zero_byte(eight ^ EACH_BYTE(0x7F)));
}

bool json_text_is_plain(const char *bytes, size_t len)
{
    char eight[8] = "        ";
    size_t at = 0;

    for (; len - at >= 8; at += 8) {
        if (!are_plain(bytes + at)) {
            return false;
        }
    }
    memcpy(eight, bytes + at, len - at);
    return are_plain(eight);
}

/* Bytes at the head of `s` that stand for themselves; `*step` gets how many after them do not, those of one
 * character: 0 at the end. `shown`: nor does one that acts on a terminal. */
static size_t plain_prefix(struct str s, bool shown, size_t *step)
{
    size_t at = 0;

    *step = 1;
    while (at < s.len) {
        unsigned char c = (unsigned char)s.data[at];
        uint32_t code;
        size_t len;

        if (s.len - at >= 8 && are_plain(s.data + at)) {
            at += 8;
            continue;
        }
        if (c < 0x20 || c == '"' || c == '\\' || (shown && c == 0x7F)) {
            return at;
        }
        if (c < 0x80) {
            at++;
            continue;
        }
        len = utf8_decode((struct str){ s.data + at, s.len - at }, &code);
        if (!len) {
            return at;
        }
        if (shown && !utf8_is_safe(code)) {
            *step = len;
            return at;
        }
        at += len;
    }
    *step = 0;
    return at;
}

static enum result append_code(struct buf *to, uint32_t code)
{
    if (code < 0x10000) {
        return buf_printf(to, "\\u%04x", (unsigned)code);
    }
    code -= 0x10000;
    return buf_printf(to, "\\u%04x\\u%04x", 0xD800U + (unsigned)(code >> 10),
                      0xDC00U + (unsigned)(code & 0x3FF));
}

static enum result append_escape(struct buf *to, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = "\\u00";

    switch (c) {
    case '"':
        return buf_append_str(to, STR("\\\""));
    case '\\':
        return buf_append_str(to, STR("\\\\"));
    case '\b':
        return buf_append_str(to, STR("\\b"));
    case '\f':
        return buf_append_str(to, STR("\\f"));
    case '\n':
        return buf_append_str(to, STR("\\n"));
    case '\r':
        return buf_append_str(to, STR("\\r"));
    case '\t':
        return buf_append_str(to, STR("\\t"));
    default:
        break;
    }
    if (c >= 0x80) {
        return buf_append_str(to, STR("\\ufffd"));
    }
    text[4] = hex[c >> 4];
    text[5] = hex[c & 15];
    return buf_append(to, text, sizeof text);
}

static enum result append(struct buf *to, struct str bytes, bool shown)
{
    size_t before = to->len;
    enum result result = buf_append_char(to, '"');

    while (result == RESULT_OK && bytes.len) {
        size_t step;
        size_t plain = plain_prefix(bytes, shown, &step);
        uint32_t code = 0x7F;

        result = buf_append(to, bytes.data, plain);
        if (result == RESULT_OK && (step > 1 || (step && bytes.data[plain] == 0x7F))) {
            (void)utf8_decode((struct str){ bytes.data + plain, step }, &code);
            result = append_code(to, code);
        } else if (result == RESULT_OK && step) {
            result = append_escape(to, (unsigned char)bytes.data[plain]);
        }
        bytes = (struct str){ bytes.data + plain + step, bytes.len - plain - step };
    }
    if (result == RESULT_OK) {
        result = buf_append_char(to, '"');
    }
    if (result != RESULT_OK) {
        to->len = before;
    }
    return result;
}

enum result json_text_append(struct buf *to, struct str bytes)
{
    return append(to, bytes, false);
}

enum result json_text_append_shown(struct buf *to, struct str bytes)
{
    return append(to, bytes, true);
}

/* A whole escape at the head of `s`, as RFC 8259 has it; what it means is not looked at. */
static bool starts_with_escape(struct str s)
{
    if (s.len < 2 || s.data[0] != '\\') {
        return false;
    }
    if (s.data[1] != 'u') {
        return memchr("\"\\/bfnrt", s.data[1], 8) != NULL;
    }
    for (size_t i = 2; i < 6; i++) {
        char lower = i < s.len ? (char)(s.data[i] | 0x20) : '\0';

        if (!(i < s.len && s.data[i] >= '0' && s.data[i] <= '9') && (lower < 'a' || lower > 'f')) {
            return false;
        }
    }
    return true;
}

/* The stored text was valid UTF-8 once, so unlike in a body no surrogate may stand alone here. */
static enum result decode_escape(struct buf *to, struct str *s)
{
    uint64_t lone_surrogates = 0;
    size_t used, len;
    char text[4];

    if (!starts_with_escape(*s)) {
        return RESULT_INVALID;
    }
    len = json_step_escape(*s, text, &used, &lone_surrogates);
    if (lone_surrogates ||
        (used > 6 && !starts_with_escape((struct str){ s->data + 6, s->len - 6 }))) {
        return RESULT_INVALID;
    }
    *s = (struct str){ s->data + used, s->len - used };
    return buf_append(to, text, len);
}

enum result json_text_decode(struct buf *to, struct str inside)
{
    size_t before = to->len;
    enum result result = RESULT_OK;

    while (result == RESULT_OK && inside.len) {
        size_t step;
        size_t plain = plain_prefix(inside, false, &step);

        result = buf_append(to, inside.data, plain);
        if (result != RESULT_OK || !step) {
            break;
        }
        inside = (struct str){ inside.data + plain, inside.len - plain };
        result = decode_escape(to, &inside);
    }
    if (result != RESULT_OK) {
        to->len = before;
    }
    return result;
}

enum result json_text_compact(struct buf *to, struct str json)
{
    enum result result = RESULT_OK;
    bool in_string = false;

    for (size_t i = 0; i < json.len && result == RESULT_OK; i++) {
        char c = json.data[i];

        if (in_string && c == '\\' && i + 1 < json.len) {
            result = buf_append_char(to, c);
            c = json.data[++i];
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            continue;
        }
        result = result == RESULT_OK ? buf_append_char(to, c) : result;
    }
    return result;
}
