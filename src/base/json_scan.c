#include "base/json_scan.h"

#include "base/json_kernel.h"
#include "base/json_step.h"
#include "base/utf8.h"

#include <string.h>

const char *json_step_container(const char *p, const char *end)
{
    return json_kernel_best()->container_end(p, end);
}

struct str json_without_bom(struct str text)
{
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) {
        return (struct str){ text.data + 3, text.len - 3 };
    }
    return text;
}

enum json_type json_type_of(struct str value)
{
    const char *p, *end;

    if (!value.len) {
        return JSON_NONE;
    }
    end = value.data + value.len;
    p = json_step_space(value.data, end);
    if (p == end) {
        return JSON_NONE;
    }
    switch (*p) {
    case 'n':
        return JSON_NULL;
    case 't':
    case 'f':
        return JSON_BOOL;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        return JSON_NUMBER;
    }
}

struct str json_string_raw(struct str value)
{
    const char *end, *first, *close;
    bool escaped = false;

    if (json_type_of(value) != JSON_STRING) {
        return STR_NONE;
    }
    end = value.data + value.len;
    first = json_step_space(value.data, end) + 1;
    close = json_step_string(first, end, &escaped);
    return (struct str){ first, (size_t)(close - first) };
}

static unsigned hex_digit(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20U) - 'a' + 10;
}

/* The four digits after `\u`; false when fewer are left. */
static bool hex4(struct str raw, uint32_t *unit)
{
    if (raw.len < 4) {
        return false;
    }
    *unit = hex_digit(raw.data[0]) << 12 | hex_digit(raw.data[1]) << 8 |
            hex_digit(raw.data[2]) << 4 | hex_digit(raw.data[3]);
    return true;
}

/* UTF-8 of a code point that is no surrogate. */
static size_t encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

#define REPLACEMENT 0xFFFD

size_t json_step_escape(struct str raw, char out[4], size_t *used, uint64_t *lone_surrogates)
{
    uint32_t unit = 0, low = 0;

    if (raw.len < 2) { /* only text that was never checked */
        *used = raw.len;
        return 0;
    }
    if (raw.data[1] != 'u') {
        out[0] = json_step_letter(raw.data[1]);
        *used = 2;
        return 1;
    }
    if (!hex4((struct str){ raw.data + 2, raw.len - 2 }, &unit)) {
        *used = raw.len;
        return 0;
    }
    *used = 6;
    if (unit >= 0xD800 && unit < 0xDC00 && raw.len >= 12 && raw.data[6] == '\\' &&
        raw.data[7] == 'u' && hex4((struct str){ raw.data + 8, 4 }, &low) && low >= 0xDC00 &&
        low < 0xE000) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        *used = 12;
    } else if ((unit >= 0xD800 && unit < 0xE000) || unit > 0xFFFF) {
        unit = REPLACEMENT;
        ++*lone_surrogates;
    }
    return encode(unit, out);
}

/* Copies up to the next backslash or the end, in blocks; those may be read and written past it. */
static inline const char *copy_plain(char **to, const char *p, const char *end)
{
    char *at = *to;

    while (end - p >= JSON_SIMD_WIDTH) {
        json_simd v = json_simd_load(p);
        uint64_t slashes = json_simd_bits(json_simd_is(v, '\\'));

        json_simd_store(at, v);
        if (slashes) {
            *to = at + json_simd_first(slashes);
            return p + json_simd_first(slashes);
        }
        p += JSON_SIMD_WIDTH;
        at += JSON_SIMD_WIDTH;
    }
    while (p < end && *p != '\\') {
        *at++ = *p++;
    }
    *to = at;
    return p;
}

/* An escape is never shorter than what it means, so a block that begins where text may be put does not
 * end after where the text's own would. */
char *json_step_unescape(char *to, struct str raw, uint64_t *lone_surrogates)
{
    const char *p = raw.data, *end = p + raw.len;

    for (;;) {
        char piece[4];
        size_t used, len;

        p = copy_plain(&to, p, end);
        if (p == end) {
            return to;
        }
        if (end - p > 1 && p[1] != 'u') { /* most are */
            *to++ = json_step_letter(p[1]);
            p += 2;
            continue;
        }
        len = json_step_escape((struct str){ p, (size_t)(end - p) }, piece, &used, lone_surrogates);
        memcpy(to, piece, len);
        to += len;
        p += used;
    }
}

enum result json_unescape(struct buf *out, struct str raw, uint64_t *lone_surrogates)
{
    enum result result = buf_reserve(out, raw.len); /* no escape is shorter than what it means */
    uint64_t lone = 0;

    if (result != RESULT_OK || !raw.len) {
        return result;
    }
    out->len = (size_t)(json_step_unescape(out->data + out->len, raw, &lone) - out->data);
    if (lone_surrogates) {
        *lone_surrogates += lone;
    }
    return RESULT_OK;
}

bool json_raw_equal(struct str raw, struct str plain)
{
    uint64_t lone = 0;

    while (raw.len) {
        char piece[4] = { raw.data[0] };
        size_t used = 1, len = 1;

        if (raw.data[0] == '\\') {
            len = json_step_escape(raw, piece, &used, &lone);
        }
        if (plain.len < len || memcmp(plain.data, piece, len) != 0) {
            return false;
        }
        raw = (struct str){ raw.data + used, raw.len - used };
        plain = (struct str){ plain.data + len, plain.len - len };
    }
    return plain.len == 0;
}

void json_walk_begin(struct json_walk *walk, struct str container)
{
    const char *p, *end;

    *walk = (struct json_walk){ .at = container.data, .end = container.data };
    if (!container.len) {
        return;
    }
    end = container.data + container.len;
    p = json_step_space(container.data, end);
    *walk = (struct json_walk){ .at = end, .end = end };
    if (p < end && (*p == '{' || *p == '[')) {
        walk->at = json_step_space(p + 1, end);
        walk->object = *p == '{';
    }
}

bool json_walk_next(struct json_walk *walk, struct str *key, struct str *value)
{
    const char *p = walk->at, *end = walk->end, *first;
    bool escaped = false;

    if (key) {
        *key = STR_NONE;
    }
    if (p == end || *p == '}' || *p == ']') {
        return false;
    }
    if (walk->object) {
        first = *p == '"' ? p + 1 : p;
        p = json_step_string(first, end, &escaped);
        if (key) {
            *key = (struct str){ first, (size_t)(p - first) };
        }
        p = json_step_space(p < end ? p + 1 : end, end);
        p = json_step_space(p < end && *p == ':' ? p + 1 : p, end);
    }
    first = p;
    p = json_step_value(p, end);
    if (value) {
        *value = (struct str){ first, (size_t)(p - first) };
    }
    p = json_step_space(p, end);
    walk->at = p < end && *p == ',' ? json_step_space(p + 1, end) : p;
    /* Only text that was never checked stands still or has no comma; end there. */
    if (walk->at == first || (p < end && *p != ',' && *p != '}' && *p != ']')) {
        walk->at = end;
    }
    return true;
}
