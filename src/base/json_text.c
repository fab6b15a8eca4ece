#include "base/json_text.h"

#include "base/utf8.h"

/* Bytes at the head of `s` that stand for themselves; `*step` gets what follows them and does not:
 * 1 a byte to escape, 0 the end. */
static size_t plain_prefix(struct str s, size_t *step)
{
    size_t at = 0;

    *step = 1;
    while (at < s.len) {
        unsigned char c = (unsigned char)s.data[at];
        uint32_t code;
        size_t len;

        if (c < 0x20 || c == '"' || c == '\\') {
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
        at += len;
    }
    *step = 0;
    return at;
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

enum result json_text_append(struct buf *to, struct str bytes)
{
    size_t before = to->len;
    enum result result = buf_append_char(to, '"');

    while (result == RESULT_OK && bytes.len) {
        size_t step;
        size_t plain = plain_prefix(bytes, &step);

        result = buf_append(to, bytes.data, plain);
        if (result == RESULT_OK && step) {
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

static bool take_hex4(struct str *s, uint32_t *code)
{
    *code = 0;
    if (s->len < 4) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        char c = s->data[i];
        uint32_t digit;

        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        } else {
            return false;
        }
        *code = *code << 4 | digit;
    }
    *s = (struct str){ s->data + 4, s->len - 4 };
    return true;
}

/* The character of "\uXXXX", of two of them for one beyond U+FFFF; `s` stands behind the first 'u'. */
static bool take_unicode(struct str *s, uint32_t *code)
{
    uint32_t low;

    if (!take_hex4(s, code) || (*code >= 0xDC00 && *code <= 0xDFFF)) {
        return false;
    }
    if (*code < 0xD800 || *code > 0xDBFF) {
        return true;
    }
    if (!str_starts(*s, STR("\\u"))) {
        return false;
    }
    *s = (struct str){ s->data + 2, s->len - 2 };
    if (!take_hex4(s, &low) || low < 0xDC00 || low > 0xDFFF) {
        return false;
    }
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static enum result append_utf8(struct buf *to, uint32_t code)
{
    char text[4];
    size_t len = 0;

    if (code < 0x80) {
        text[len++] = (char)code;
    } else if (code < 0x800) {
        text[len++] = (char)(0xC0 | code >> 6);
    } else if (code < 0x10000) {
        text[len++] = (char)(0xE0 | code >> 12);
        text[len++] = (char)(0x80 | (code >> 6 & 0x3F));
    } else {
        text[len++] = (char)(0xF0 | code >> 18);
        text[len++] = (char)(0x80 | (code >> 12 & 0x3F));
        text[len++] = (char)(0x80 | (code >> 6 & 0x3F));
    }
    if (code >= 0x80) {
        text[len++] = (char)(0x80 | (code & 0x3F));
    }
    return buf_append(to, text, len);
}

/* `s` stands behind a backslash. */
static enum result decode_escape(struct buf *to, struct str *s)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    uint32_t code;
    char letter;

    if (!s->len) {
        return RESULT_INVALID;
    }
    letter = *s->data;
    *s = (struct str){ s->data + 1, s->len - 1 };
    if (letter == 'u') {
        return take_unicode(s, &code) ? append_utf8(to, code) : RESULT_INVALID;
    }
    for (size_t i = 0; letters[i]; i++) {
        if (letters[i] == letter) {
            return buf_append_char(to, meanings[i]);
        }
    }
    return RESULT_INVALID;
}

enum result json_text_decode(struct buf *to, struct str inside)
{
    size_t before = to->len;
    enum result result = RESULT_OK;

    while (result == RESULT_OK && inside.len) {
        size_t step;
        size_t plain = plain_prefix(inside, &step);

        result = buf_append(to, inside.data, plain);
        if (result != RESULT_OK || !step) {
            break;
        }
        if (inside.data[plain] != '\\') {
            result = RESULT_INVALID;
            break;
        }
        inside = (struct str){ inside.data + plain + 1, inside.len - plain - 1 };
        result = decode_escape(to, &inside);
    }
    if (result != RESULT_OK) {
        to->len = before;
    }
    return result;
}
