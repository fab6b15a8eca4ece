/*
 * The judge. Whether a text is valid is found by a kernel (json_kernel.h) at full speed; only text that
 * it refuses is gone through again here, byte by byte, for the place and the words.
 *
 * One loop over the structure, three scanners for what stands between; the stack is a bit for
 * each level (object or array), so that depth costs nothing and no recursion is needed. Scanners
 * return where they stopped, or NULL with the fault written down.
 */
#include "base/json_scan.h"

#include "base/json_kernel.h"
#include "base/json_step.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

struct scan {
    const unsigned char *start, *end;
    enum json_fault fault;
    const unsigned char *fault_at;
    const char *want;   /* what the grammar allows there */
    const char *inside; /* the token that was being read, NULL between tokens */
    unsigned depth, depth_max;
    uint64_t in_object[JSON_DEPTH_MAX / 64];
};

static const unsigned char *fail(struct scan *s, enum json_fault fault, const unsigned char *at,
                                 const char *want)
{
    /* Running out of bytes is one fault, whatever was being looked for. */
    s->fault = at == s->end && fault != JSON_FAULT_DEPTH ? JSON_FAULT_ENDS_EARLY : fault;
    s->fault_at = at;
    s->want = want;
    return NULL;
}

/* The text stops in the middle of a token. */
static const unsigned char *ends_inside(struct scan *s, const char *token)
{
    s->inside = token;
    return fail(s, JSON_FAULT_ENDS_EARLY, s->end, NULL);
}

static inline const unsigned char *skip_space(const struct scan *s, const unsigned char *p)
{
    while (p < s->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

/* Over bytes that mean themselves: 0x20 to 0x7F without quote and backslash. */
static const unsigned char *skip_plain(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }
    return p;
}

/* `p` at the backslash. */
static const unsigned char *scan_escape(struct scan *s, const unsigned char *p)
{
    p++;
    if (p == s->end) {
        return ends_inside(s, "string");
    }
    if (*p != 'u') {
        return *p && strchr("\"\\/bfnrt", *p)
                   ? p + 1
                   : fail(s, JSON_FAULT_SYNTAX, p, "one of \"\\/bfnrtu after a backslash");
    }
    p++;
    for (int i = 0; i < 4; i++, p++) {
        unsigned char c;

        if (p == s->end) {
            return ends_inside(s, "string");
        }
        c = *p | 0x20;
        if (!((*p >= '0' && *p <= '9') || (c >= 'a' && c <= 'f'))) {
            return fail(s, JSON_FAULT_SYNTAX, p, "four hexadecimal digits after \\u");
        }
    }
    return p;
}

/* `p` after the opening quote; returns after the closing one. */
static const unsigned char *scan_string(struct scan *s, const unsigned char *p)
{
    for (;;) {
        p = skip_plain(p, s->end);
        if (p == s->end) {
            return ends_inside(s, "string");
        }
        if (*p == '"') {
            return p + 1;
        }
        if (*p == '\\') {
            p = scan_escape(s, p);
            if (!p) {
                return NULL;
            }
        } else if (*p < 0x20) {
            return fail(s, JSON_FAULT_CONTROL, p, NULL);
        } else {
            uint32_t code;
            size_t len = utf8_decode((struct str){ (const char *)p, (size_t)(s->end - p) }, &code);

            if (!len) {
                return fail(s, JSON_FAULT_UTF8, p, NULL);
            }
            p += len;
        }
    }
}

static inline const unsigned char *scan_digits(struct scan *s, const unsigned char *p)
{
    const unsigned char *first = p;

    while (p < s->end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p > first ? p : fail(s, JSON_FAULT_SYNTAX, p, "a digit");
}

/* `p` at a minus or a digit. */
static const unsigned char *scan_number(struct scan *s, const unsigned char *p)
{
    p += *p == '-';
    if (p < s->end && *p == '0') {
        p++;
        if (p < s->end && *p >= '0' && *p <= '9') {
            return fail(s, JSON_FAULT_SYNTAX, p, "no digit after a leading zero");
        }
    } else {
        p = scan_digits(s, p);
    }
    if (p && p < s->end && *p == '.') {
        p = scan_digits(s, p + 1);
    }
    if (p && p < s->end && (*p | 0x20) == 'e') {
        p++;
        p += p < s->end && (*p == '+' || *p == '-');
        p = scan_digits(s, p);
    }
    if (!p && s->fault == JSON_FAULT_ENDS_EARLY) {
        return ends_inside(s, "number");
    }
    return p;
}

static const unsigned char *scan_literal(struct scan *s, const unsigned char *p)
{
    const char *word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";

    for (size_t i = 0; word[i]; i++) {
        if (p + i == s->end) {
            return ends_inside(s, "literal");
        }
        if (p[i] != (unsigned char)word[i]) {
            return fail(s, JSON_FAULT_SYNTAX, p, "a value");
        }
    }
    return p + strlen(word);
}

static inline const unsigned char *scan_scalar(struct scan *s, const unsigned char *p)
{
    switch (*p) {
    case '"':
        return scan_string(s, p + 1);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return scan_number(s, p);
    case 't':
    case 'f':
    case 'n':
        return scan_literal(s, p);
    default:
        return fail(s, JSON_FAULT_SYNTAX, p, "a value");
    }
}

static inline bool in_object(const struct scan *s)
{
    return s->depth && (s->in_object[(s->depth - 1) / 64] >> ((s->depth - 1) % 64) & 1);
}

/* `p` at the opening brace or bracket. */
static inline bool push(struct scan *s, const unsigned char *p)
{
    uint64_t bit = UINT64_C(1) << (s->depth % 64), *word = &s->in_object[s->depth / 64];

    if (s->depth == s->depth_max) {
        fail(s, JSON_FAULT_DEPTH, p, NULL);
        return false;
    }
    *word = *p == '{' ? *word | bit : *word & ~bit;
    s->depth++;
    return true;
}

/* A member's name and colon; `p` at what should be the quote. Returns at the value. */
static inline const unsigned char *scan_name(struct scan *s, const unsigned char *p)
{
    if (p == s->end || *p != '"') {
        return fail(s, JSON_FAULT_SYNTAX, p, "a quoted member name");
    }
    p = scan_string(s, p + 1);
    if (!p) {
        return NULL;
    }
    p = skip_space(s, p);
    if (p == s->end || *p != ':') {
        return fail(s, JSON_FAULT_SYNTAX, p, "a colon");
    }
    return skip_space(s, p + 1);
}

/* After a value: closes what closes, steps over the comma. Returns at the next value (in an
 * object: after its name and colon), or at depth 0 after it all. */
static inline const unsigned char *scan_after(struct scan *s, const unsigned char *p)
{
    while (s->depth) {
        bool object = in_object(s);

        p = skip_space(s, p);
        if (p < s->end && *p == ',') {
            p = skip_space(s, p + 1);
            return object ? scan_name(s, p) : p;
        }
        if (p == s->end || *p != (object ? '}' : ']')) {
            return fail(s, JSON_FAULT_SYNTAX, p, object ? "a comma or }" : "a comma or ]");
        }
        s->depth--;
        p++;
    }
    return p;
}

/* One value and all it holds; `p` at its first byte. Returns after it. */
static const unsigned char *scan_value(struct scan *s, const unsigned char *p)
{
    do {
        if (p == s->end) {
            return fail(s, JSON_FAULT_ENDS_EARLY, p, NULL);
        }
        if (*p == '{' || *p == '[') {
            unsigned char close = *p == '{' ? '}' : ']';

            if (!push(s, p)) {
                return NULL;
            }
            p = skip_space(s, p + 1);
            if (p == s->end || *p != close) {
                p = close == '}' ? scan_name(s, p) : p;
                if (!p) {
                    return NULL;
                }
                continue;
            }
            s->depth--;
            p++;
        } else {
            p = scan_scalar(s, p);
            if (!p) {
                return NULL;
            }
        }
        if (s->depth) {
            p = scan_after(s, p);
            if (!p) {
                return NULL;
            }
        }
    } while (s->depth);
    return p;
}

#define FOUND_COLUMNS 24

/* Looked at once a fault is known: finds the words for it. */
static void explain(const struct scan *s, struct json_error *e)
{
    struct str rest = { (const char *)s->fault_at, (size_t)(s->end - s->fault_at) };
    char found[FOUND_COLUMNS * 12 + 1];
    uint32_t code;

    e->fault = s->fault;
    e->at = (size_t)(s->fault_at - s->start);
    /* A byte that is no text at all is the more telling fault. */
    if (e->fault == JSON_FAULT_SYNTAX && !utf8_decode(rest, &code)) {
        e->fault = JSON_FAULT_UTF8;
    }
    if (e->fault == JSON_FAULT_SYNTAX && s->fault_at == skip_space(s, s->start)) {
        e->fault = JSON_FAULT_NOT_JSON;
    }
    rest.len = rest.len > 80 ? 80 : rest.len;
    utf8_display(found, sizeof found, rest, FOUND_COLUMNS);
    switch (e->fault) {
    case JSON_FAULT_NONE:
        break;
    case JSON_FAULT_EMPTY:
        snprintf(e->text, sizeof e->text, "empty body (%zu bytes)", e->at);
        break;
    case JSON_FAULT_NOT_JSON:
        snprintf(e->text, sizeof e->text, "expected JSON, got \"%.100s\"", found);
        break;
    case JSON_FAULT_ENDS_EARLY:
        snprintf(e->text, sizeof e->text, "JSON ends at byte %zu inside %s", e->at,
                 s->inside      ? s->inside
                 : in_object(s) ? "object"
                                : "array");
        break;
    case JSON_FAULT_EXTRA:
        snprintf(e->text, sizeof e->text, "extra data at byte %zu", e->at);
        break;
    case JSON_FAULT_SYNTAX:
        snprintf(e->text, sizeof e->text, "expected %s at byte %zu, found \"%.60s\"", s->want,
                 e->at, found);
        break;
    case JSON_FAULT_CONTROL:
        snprintf(e->text, sizeof e->text, "control character \\x%02x in string at byte %zu",
                 *s->fault_at, e->at);
        break;
    case JSON_FAULT_UTF8:
        snprintf(e->text, sizeof e->text, "invalid UTF-8 at byte %zu (0x%02x)", e->at,
                 *s->fault_at);
        break;
    case JSON_FAULT_DEPTH:
        snprintf(e->text, sizeof e->text, "nesting deeper than %u at byte %zu", s->depth_max,
                 e->at);
        break;
    }
}

bool json_check_closely(struct str text, unsigned depth_max, struct json_error *error)
{
    const unsigned char *start = (const unsigned char *)(text.data ? text.data : ""), *p;
    struct scan s = { .start = start,
                      .end = start + text.len,
                      .depth_max = depth_max < JSON_DEPTH_MAX ? depth_max : JSON_DEPTH_MAX };

    p = text.len ? skip_space(&s, start) : s.end;
    if (p == s.end) {
        fail(&s, JSON_FAULT_EMPTY, p, NULL);
        s.fault = JSON_FAULT_EMPTY;
    } else {
        p = scan_value(&s, p);
        p = p ? skip_space(&s, p) : NULL;
        if (p && p < s.end) {
            fail(&s, JSON_FAULT_EXTRA, p, NULL);
        }
    }
    if (error) {
        *error = (struct json_error){ .fault = JSON_FAULT_NONE };
        if (s.fault != JSON_FAULT_NONE) {
            explain(&s, error);
        }
    }
    return s.fault == JSON_FAULT_NONE;
}

bool json_check(struct str text, unsigned depth_max, struct json_error *error)
{
    const char *start = text.data ? text.data : ""; /* no arithmetic with NULL, be it by 0 */
    const char *end = start + text.len;
    const char *p = text.len ? json_step_space(start, end) : end;

    p = p < end ? json_kernel_best()->verify(p, end, depth_max) : NULL;
    if (p && json_step_space(p, end) == end) {
        if (error) {
            *error = (struct json_error){ .fault = JSON_FAULT_NONE };
        }
        return true;
    }
    return json_check_closely(text, depth_max, error);
}
