#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum result base64_append(struct buf *to, struct str bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t groups = bytes.len / 3 + (bytes.len % 3 != 0);
    enum result result;
    size_t len;
    char *out;

    if (__builtin_mul_overflow(groups, 4, &len)) {
        return RESULT_LIMIT;
    }
    result = buf_reserve(to, len);
    if (result != RESULT_OK || !len) {
        return result;
    }
    out = to->data + to->len;
    to->len += len;
    for (size_t left = bytes.len; left; at += 3, out += 4) {
        uint32_t group = (uint32_t)at[0] << 16;

        if (left > 1) {
            group |= (uint32_t)at[1] << 8;
        }
        if (left > 2) {
            group |= at[2];
        }
        out[0] = alphabet[group >> 18];
        out[1] = alphabet[group >> 12 & 63];
        out[2] = left > 1 ? alphabet[group >> 6 & 63] : '=';
        out[3] = left > 2 ? alphabet[group & 63] : '=';
        left -= left < 3 ? left : 3;
    }
    return RESULT_OK;
}

static bool value_of(char c, uint32_t *value)
{
    const char *found = c ? strchr(alphabet, c) : NULL;

    *value = found ? (uint32_t)(found - alphabet) : 0;
    return found;
}

/* One group of four; `*count` bytes come out. Bits that the padding leaves over must be zero. */
static bool decode_group(const char *text, bool last, char bytes[3], size_t *count)
{
    size_t digits = 4;
    uint32_t group = 0;

    if (last && text[3] == '=') {
        digits = text[2] == '=' ? 2 : 3;
    }
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = 0;

        if (i < digits && !value_of(text[i], &value)) {
            return false;
        }
        group = group << 6 | value;
    }
    *count = digits - 1;
    bytes[0] = (char)(group >> 16);
    bytes[1] = (char)(group >> 8);
    bytes[2] = (char)group;
    return digits == 4 || !(group & (digits == 3 ? 0xFFU : 0xFFFFU));
}

enum result base64_decode(struct buf *to, struct str text)
{
    size_t before = to->len;
    enum result result = text.len % 4 ? RESULT_INVALID : RESULT_OK;

    for (size_t at = 0; result == RESULT_OK && at < text.len; at += 4) {
        char bytes[3];
        size_t count;

        if (!decode_group(text.data + at, at + 4 == text.len, bytes, &count)) {
            result = RESULT_INVALID;
            break;
        }
        result = buf_append(to, bytes, count);
    }
    if (result != RESULT_OK) {
        to->len = before;
    }
    return result;
}
