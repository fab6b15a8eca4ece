/**
 * Steps over JSON that nobody has looked at yet: as json_step.h, but each step answers NULL where the
 * text is not valid (RFC 8259, RFC 3629), or is cut. Where exactly and why is json_check's to say.
 *
 * Inline and for one instruction set (json_simd.h). Do not add policy here.
 */
#ifndef SCRAPETOP_BASE_JSON_VERIFY_H
#define SCRAPETOP_BASE_JSON_VERIFY_H

#include "base/json_simd.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool json_verify_is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/** `p` at a backslash; after the escape. */
static inline const char *json_verify_escape(const char *p, const char *end)
{
    if (end - p < 2) {
        return NULL;
    }
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        return end - p >= 6 && json_verify_is_hex(p[2]) && json_verify_is_hex(p[3]) &&
                       json_verify_is_hex(p[4]) && json_verify_is_hex(p[5])
                   ? p + 6
                   : NULL;
    default:
        return NULL;
    }
}

/** `p` at a byte from 0x80 up; after all characters beyond ASCII that follow. */
static inline const char *json_verify_utf8(const char *p, const char *end)
{
    do {
        uint32_t code;
        size_t len = utf8_decode((struct str){ p, (size_t)(end - p) }, &code);

        if (!len) {
            return NULL;
        }
        p += len;
    } while (p < end && (unsigned char)*p >= 0x80);
    return p;
}

/** From after the opening quote to the closing one. */
static inline const char *json_verify_string(const char *p, const char *end, bool *escaped)
{
    while (p) {
        uint64_t stops = 0;

        while (end - p >= JSON_SIMD_WIDTH) {
            stops = json_simd_not_plain(p);
            if (stops) {
                p += json_simd_first(stops);
                break;
            }
            p += JSON_SIMD_WIDTH;
        }
        while (!stops && p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
               (unsigned char)*p < 0x80) {
            p++;
        }
        if (p == end) {
            return NULL;
        }
        if (*p == '"') {
            return p;
        }
        if (*p == '\\') {
            *escaped = true;
            p = json_verify_escape(p, end);
        } else if ((unsigned char)*p < 0x20) {
            return NULL;
        } else {
            p = json_verify_utf8(p, end);
        }
    }
    return NULL;
}

static inline const char *json_verify_digits(const char *p, const char *end)
{
    const char *first = p;

    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p > first ? p : NULL;
}

/** `p` at a minus or a digit. Digit by digit: for what the quick way leaves over. */
static inline const char *json_verify_number_slowly(const char *p, const char *end)
{
    p += *p == '-';
    if (p < end && *p == '0') {
        p++;
        if (p < end && *p >= '0' && *p <= '9') {
            return NULL;
        }
    } else {
        p = json_verify_digits(p, end);
    }
    if (p && p < end && *p == '.') {
        p = json_verify_digits(p + 1, end);
    }
    if (p && p < end && (*p | 0x20) == 'e') {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        p = json_verify_digits(p, end);
    }
    return p;
}

/** `p` at a minus or a digit. Numbers without an exponent that are shorter than a block are found
 *  by the lengths of their two runs of digits. */
static inline const char *json_verify_number(const char *p, const char *end)
{
    const char *first = p + (*p == '-');
    uint64_t others;
    unsigned whole;

    if (end - first < JSON_SIMD_WIDTH) {
        return json_verify_number_slowly(p, end);
    }
    others = json_simd_not_digits(first);
    if (!others) { /* a large id, as a rule */
        for (p = first + JSON_SIMD_WIDTH; p < end && *p >= '0' && *p <= '9'; p++) {
        }
        return p < end && *first != '0' && *p != '.' && (*p | 0x20) != 'e'
                   ? p
                   : json_verify_number_slowly(first, end);
    }
    whole = json_simd_first(others);
    if (whole == 0 || (whole > 1 && *first == '0')) {
        return NULL;
    }
    if (first[whole] == '.') {
        others &= others - 1;
        if (!others || json_simd_first(others) == whole + 1) {
            return json_verify_number_slowly(p, end);
        }
        whole = json_simd_first(others);
    }
    return (first[whole] | 0x20) == 'e' ? json_verify_number_slowly(p, end) : first + whole;
}

/** `p` at the first letter. */
static inline const char *json_verify_literal(const char *p, const char *end)
{
    if (end - p >= 4 && (memcmp(p, "null", 4) == 0 || memcmp(p, "true", 4) == 0)) {
        return p + 4;
    }
    return end - p >= 5 && memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

/** A number or a literal; `p` at its first byte. */
static inline const char *json_verify_bare(const char *p, const char *end)
{
    return *p == '-' || (*p >= '0' && *p <= '9') ? json_verify_number(p, end)
                                                 : json_verify_literal(p, end);
}

#endif
