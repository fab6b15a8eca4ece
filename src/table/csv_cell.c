/*
 * Strings without an escape are copied as they are, and quoted afterwards if a byte asks for it. What
 * has escapes and what is JSON mostly needs quotes, so those are written as if quoted, with room for
 * the first quote, and moved back by one where no byte asked for them.
 */
#include "table/csv_cell.h"

#include "base/json_scan.h"
#include "base/json_step.h"
#include "normalise/types.h"

#include <string.h>

char *csv_quote(char *first, char *end)
{
    size_t extra = 2;
    char *to;

    for (const char *p = memchr(first, '"', (size_t)(end - first)); p;
         p = memchr(p + 1, '"', (size_t)(end - p - 1))) {
        extra++;
    }
    if (extra == 2) {
        memmove(first + 1, first, (size_t)(end - first));
        end[1] = '"';
    } else {
        to = end + extra;
        *--to = '"';
        for (const char *p = end; p > first;) {
            *--to = *--p;
            if (*p == '"') {
                *--to = '"';
            }
        }
    }
    *first = '"';
    return end + extra;
}

/* The cell stands from after `first` to `end`: gets its quotes, or moves to where the first would
 * be. */
static char *end_cell(char *first, char *end, bool asked)
{
    size_t len = (size_t)(end - first - 1);

    if (asked || len == 0) {
        *first = '"';
        *end = '"';
        return end + 1;
    }
    memmove(first, first + 1, len);
    return first + len;
}

/* What the escape at the head of `raw` means; a quote is doubled. */
static inline char *put_escape(char *to, struct str raw, size_t *used, struct csv_style style,
                               bool *asked, uint64_t *lone_surrogates)
{
    size_t len = 1;

    if (raw.len > 1 && raw.data[1] != 'u') { /* most are */
        *to = json_step_letter(raw.data[1]);
        *used = 2;
    } else {
        len = json_step_escape(raw, to, used, lone_surrogates);
    }
    if (len == 1 && csv_asks_for_quotes(*to, style)) {
        *asked = true;
        if (*to == '"') {
            to[1] = '"';
            return to + 2;
        }
    }
    return to + len;
}

static char *put_escaped(char *first, struct str raw, const char *readable, struct csv_style style,
                         uint64_t *lone_surrogates)
{
    char *to = first + 1;
    bool asked = false;

    while (raw.len) {
        size_t plain = raw.len, used = 0;

        if (csv_has_block(raw.data, readable)) {
            json_simd v = json_simd_load(raw.data);
            uint64_t slashes = json_simd_bits(json_simd_is(v, '\\')) & csv_first_bits(raw.len);

            plain = raw.len < JSON_SIMD_WIDTH ? raw.len : JSON_SIMD_WIDTH;
            plain = slashes ? json_simd_first(slashes) : plain;
            json_simd_store(to, v);
            asked |= (csv_quote_askers(v, style) & csv_first_bits(plain)) != 0;
        } else {
            const char *slash = memchr(raw.data, '\\', raw.len);

            plain = slash ? (size_t)(slash - raw.data) : raw.len;
            asked |= csv_copy_text(to, raw.data, plain, NULL, style);
        }
        to += plain;
        raw = (struct str){ raw.data + plain, raw.len - plain };
        if (raw.len && raw.data[0] == '\\') {
            to = put_escape(to, raw, &used, style, &asked, lone_surrogates);
            raw = (struct str){ raw.data + used, raw.len - used };
        }
    }
    return end_cell(first, to, asked);
}

/* Where JSON text is cut: quotes, and white space outside strings. */
struct cuts {
    uint64_t quotes, idle;
};

/* What a string's state is from one block to the next. */
struct carry {
    uint64_t inside; /* all bits: within a string */
    bool escape;     /* the last byte was a backslash with a meaning */
};

static inline struct cuts find_cuts(const char *p, struct carry *carry)
{
    struct json_simd_block b = json_simd_block(p);
    uint64_t ends = b.quote, strings;

    if (b.backslash || carry->escape) {
        ends &= ~json_simd_escaped(b.backslash, &carry->escape);
    }
    strings = json_simd_between(ends) ^ carry->inside;
    carry->inside = strings >> 63 ? UINT64_MAX : 0;
    return (struct cuts){ b.quote, b.space & ~strings };
}

/* `len` bytes at `from` (in a block of 64 and 16 more that may be read), quotes doubled. */
static inline char *put_block(char *to, const char *from, unsigned len, struct cuts cuts)
{
    uint64_t stops = (cuts.quotes | cuts.idle) & csv_first_bits(len);
    unsigned at = 0;

    for (;;) {
        unsigned stop = stops ? json_simd_first(stops) : len;

        for (; at < stop; at += JSON_SIMD_WIDTH, to += JSON_SIMD_WIDTH) {
            json_simd_store(to, json_simd_load(from + at));
        }
        to -= at - stop; /* the last block may have been too long */
        if (!stops) {
            return to;
        }
        if (cuts.quotes & stops & -stops) {
            *to++ = '"';
            *to++ = '"';
        }
        at = stop + 1;
        stops &= stops - 1;
    }
}

/* Without the white space between tokens. */
static char *put_json(char *first, struct str text, const char *readable, struct csv_style style)
{
    char *to = first + 1, tail[64 + JSON_SIMD_WIDTH];
    struct carry carry = { 0, false };
    bool asked;

    for (size_t at = 0; at < text.len; at += 64) {
        const char *from = text.data + at;
        size_t left = text.len - at;

        if (!readable || readable - from < (ptrdiff_t)sizeof tail) {
            memset(tail, 0, sizeof tail);
            memcpy(tail, from, left < 64 ? left : 64);
            from = tail;
        }
        to = put_block(to, from, left < 64 ? (unsigned)left : 64, find_cuts(from, &carry));
    }
    /* A list of one number or literal at most is all that can do without. */
    asked = memchr(first + 1, '"', (size_t)(to - first - 1)) != NULL;
    for (const char *p = first + 1; !asked && p < to; p++) {
        asked = csv_asks_for_quotes(*p, style);
    }
    return end_cell(first, to, asked);
}

static bool looks_like_formula(struct str text)
{
    return text.len && memchr("=+-@\t\r", text.data[0], 6) && !types_is_number(text);
}

/* A text that a spreadsheet would compute gets an apostrophe in front. What has been written is taken
 * apart again, which only --csv-safe pays for. */
static char *disarm(char *first, char *end)
{
    bool quoted = end - first >= 2 && *first == '"';
    char *text = first + quoted;

    if (!looks_like_formula((struct str){ text, (size_t)(end - text) - quoted })) {
        return end;
    }
    memmove(text + 1, text, (size_t)(end - text));
    *text = '\'';
    return end + 1;
}

char *csv_put_special(char *to, const struct row_cell *cell, const char *readable,
                      const struct csv_style *given, uint64_t *lone_surrogates)
{
    const struct csv_style style = *given;
    struct str text = { cell->text, cell->len };
    char *end = to + text.len;

    switch (cell->kind) {
    case CELL_ESCAPED:
        end = put_escaped(to, text, readable, style, lone_surrogates);
        return style.safe ? disarm(to, end) : end;
    case CELL_JSON:
        return put_json(to, text, readable, style);
    case CELL_STRING:
        end = csv_copy_text(to, text.data, text.len, readable, style) || !text.len
                  ? csv_quote(to, end)
                  : end;
        return style.safe ? disarm(to, end) : end;
    default: /* a number or a literal has nothing to quote */
        cell_text_copy(to, text.data, text.len, readable);
        return end;
    }
}
