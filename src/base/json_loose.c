#include "base/json_loose.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct str no_values[] = {
    STR_INIT("-Infinity"), STR_INIT("Infinity"), STR_INIT("NaN"), STR_INIT("-nan"),
    STR_INIT("nan"),       STR_INIT("-inf"),     STR_INIT("inf"), STR_INIT("undefined"),
};

struct reader {
    const char *p;    /* where it is, ... */
    const char *end;  /* ... up to here */
    const char *from; /* what lies before `p` and is not copied yet */
    char last;        /* the last sign outside of texts that is no space; NUL: none */
    bool is_in_text;
    struct buf *out;
    unsigned *had;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* `instead` stands for the next `len` bytes. */
static enum result put(struct reader *r, size_t len, struct str instead, enum json_loose_had had)
{
    enum result result = buf_append(r->out, r->from, (size_t)(r->p - r->from));

    result = result == RESULT_OK ? buf_append_str(r->out, instead) : result;
    r->p += len;
    r->from = r->p;
    *r->had |= had;
    return result;
}

static enum result put_control(struct reader *r)
{
    char escape[8];

    switch (*r->p) {
    case '\t':
        return put(r, 1, STR("\\t"), JSON_LOOSE_SIGNS);
    case '\n':
        return put(r, 1, STR("\\n"), JSON_LOOSE_SIGNS);
    case '\r':
        return put(r, 1, STR("\\r"), JSON_LOOSE_SIGNS);
    default:
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)*r->p);
        return put(r, 1, str_view(escape), JSON_LOOSE_SIGNS);
    }
}

/* At a backslash. Two hexadecimal digits follow \x, or it is no escape of JavaScript either; json_check looks at them. */
static enum result step_escape(struct reader *r)
{
    size_t left = (size_t)(r->end - r->p);

    if (left >= 2 && r->p[1] == '\'') {
        return put(r, 2, STR("'"), JSON_LOOSE_SIGNS);
    }
    if (left >= 4 && r->p[1] == 'x') {
        return put(r, 2, STR("\\u00"), JSON_LOOSE_SIGNS);
    }
    r->p += left >= 2 ? 2 : 1;
    return RESULT_OK;
}

static enum result step_in_text(struct reader *r)
{
    if (*r->p == '\\') {
        return step_escape(r);
    }
    if ((unsigned char)*r->p < 0x20) {
        return put_control(r);
    }
    r->is_in_text = *r->p++ != '"';
    return RESULT_OK;
}

/* The length of a word for no value at `p`; 0: there is none. */
static size_t no_value_at(const char *p, const char *end)
{
    for (size_t i = 0; i < sizeof no_values / sizeof no_values[0]; i++) {
        struct str word = no_values[i];

        if ((size_t)(end - p) >= word.len && memcmp(p, word.data, word.len) == 0) {
            return word.len;
        }
    }
    return 0;
}

/* A comma after which a list or an object ends, and before which it has something. */
static bool is_last_comma(const struct reader *r)
{
    const char *next = r->p + 1;

    while (next < r->end && is_space(*next)) {
        next++;
    }
    return next < r->end && (*next == ']' || *next == '}') && r->last && !strchr("[{,:", r->last);
}

static enum result step_between(struct reader *r)
{
    char c = *r->p;
    size_t len = c == 'N' || c == 'n' || c == 'I' || c == 'i' || c == '-' || c == 'u'
                     ? no_value_at(r->p, r->end)
                     : 0;

    if (len) {
        r->last = 'n';
        return put(r, len, STR("null"), JSON_LOOSE_NAN);
    }
    if (c == ',' && is_last_comma(r)) {
        return put(r, 1, STR(""), JSON_LOOSE_SIGNS);
    }
    r->is_in_text = c == '"';
    r->last = is_space(c) ? r->last : c;
    r->p++;
    return RESULT_OK;
}

enum result json_loose_read(struct str text, struct buf *out, unsigned *had)
{
    struct reader r = { .p = text.data, .from = text.data, .out = out, .had = had };
    enum result result = RESULT_OK;

    *had = 0;
    while (text.len && (!text.data[text.len - 1] || is_space(text.data[text.len - 1]))) {
        *had |= text.data[--text.len] ? 0 : JSON_LOOSE_SIGNS;
    }
    r.end = text.data + text.len;
    while (r.p < r.end && result == RESULT_OK) {
        result = r.is_in_text ? step_in_text(&r) : step_between(&r);
    }
    return result == RESULT_OK ? buf_append(out, r.from, (size_t)(r.end - r.from)) : result;
}
