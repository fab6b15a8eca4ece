/**
 * The kernels' judge: whether a text is JSON, 64 bytes at a time.
 *
 * Masks of a block (json_simd.h) say where strings are, so their bytes are not looked at one by
 * one, and where tokens begin. JSON's grammar is a matter of neighbours: what may follow a token
 * depends on that token alone, and on whether both are in an object. So all tokens of a block are
 * judged together, by masks of those that follow a comma, a colon, a bracket. Bracket by bracket it
 * is only seen in which container each token is. Plain numbers are judged by masks, too. Literals,
 * escapes, other numbers, and what is beyond ASCII are read closely.
 *
 * Included by json_kernel_body.h alone, once for each instruction set. Nothing outside [p, end) is
 * read.
 */
#ifndef SCRAPETOP_BASE_JSON_KERNEL_VERIFY_H
#define SCRAPETOP_BASE_JSON_KERNEL_VERIFY_H

#include "base/json_scan.h"
#include "base/json_verify.h"

#define VERIFY_BLOCK 64
#define VERIFY_KINDS 64

/* Where no number or literal goes on. */
static const bool verify_ends[256] = {
    [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true, ['"'] = true, ['{'] = true,
    ['}'] = true, ['['] = true,  [']'] = true,  [':'] = true,  [','] = true,
};

/* Bit 0: the last token so far was such a one. */
struct verify_last {
    uint64_t to_name, to_value; /* after which a name is wanted, or a value */
    uint64_t mark, name;        /* a comma or a colon; a name */
};

struct verify {
    const char *end;
    const char *utf8_until; /* what is beyond ASCII before it is good */
    struct verify_last last;
    unsigned depth, depth_max;
    uint64_t kinds;  /* of the containers that are open, the innermost in bit 0: 1 is an object */
    bool escape;     /* the block before ended in a backslash with a meaning */
    uint64_t inside; /* all bits: a string goes on from the block before */
    uint64_t scalar; /* 1: the block before ended within a number or a literal */
    uint64_t outer[JSON_DEPTH_MAX /
                   64]; /* of those that `kinds` has no room for, from the outermost on */
};

/* The masks of a block: bits by what a byte is. All but the last three are of bytes outside of
 * strings. */
struct verify_masks {
    uint64_t comma, colon, open, close;
    uint64_t brace;   /* of `open` and `close`: not a bracket */
    uint64_t string;  /* opening quotes */
    uint64_t scalar;  /* first bytes of numbers and literals */
    uint64_t rest;    /* all of their bytes */
    uint64_t tokens;  /* first bytes of all of these */
    uint64_t strings; /* from an opening quote to before the closing one */
    uint64_t escapes; /* backslashes with a meaning, in strings */
    uint64_t control, high;
};

static inline void verify_masks(struct verify *v, const char *p, struct verify_masks *m)
{
    uint64_t quotes = 0, backslash = 0, space = 0, odd = 0, escaped = 0, outside;
    uint64_t comma = 0, colon = 0, open = 0, close = 0, brace = 0;

    for (unsigned i = 0; i < VERIFY_BLOCK; i += JSON_SIMD_WIDTH) {
        json_simd x = json_simd_load(p + i), folded = json_simd_with(x, 0x20); /* [] become {} */

        quotes |= json_simd_bits(json_simd_is(x, '"')) << i;
        backslash |= json_simd_bits(json_simd_is(x, '\\')) << i;
        space |= json_simd_bits(json_simd_at_most(x, ' ')) << i;
        odd |= json_simd_bits(json_simd_is_odd(x)) << i;
        comma |= json_simd_bits(json_simd_is(x, ',')) << i;
        colon |= json_simd_bits(json_simd_is(x, ':')) << i;
        open |= json_simd_bits(json_simd_is(folded, '{')) << i;
        close |= json_simd_bits(json_simd_is(folded, '}')) << i;
        brace |= json_simd_bits(json_simd_or(json_simd_is(x, '{'), json_simd_is(x, '}'))) << i;
    }
    m->high = odd & ~space; /* odd is what is below a space, or beyond ASCII */
    m->control = odd & space;
    if (backslash || v->escape) {
        escaped = json_simd_escaped(backslash, &v->escape);
        quotes &= ~escaped;
    }
    m->strings = json_simd_between(quotes) ^ v->inside;
    v->inside = m->strings >> 63 ? UINT64_MAX : 0;
    m->escapes = backslash & ~escaped & m->strings;
    outside = ~m->strings;
    m->string = quotes & m->strings;
    m->comma = comma & outside;
    m->colon = colon & outside;
    m->open = open & outside;
    m->close = close & outside;
    m->brace = brace;
    m->tokens = (comma | colon | open | close) & outside;
    m->rest = outside & ~(space | m->tokens | quotes);
    m->scalar = m->rest & ~(m->rest << 1 | v->scalar);
    m->tokens |= m->string | m->scalar;
    v->scalar = m->rest >> 63;
}

/* What is not plain among the bytes of `which`; `p` is where they stand in the text itself. */
static bool verify_closely(struct verify *v, const char *p, const struct verify_masks *m,
                           uint64_t which)
{
    for (uint64_t bits = m->control & which; bits; bits &= bits - 1) {
        unsigned at = json_simd_first(bits);

        if (m->strings >> at & 1 || !verify_ends[(unsigned char)p[at]]) {
            return false;
        }
    }
    for (uint64_t bits = m->escapes & which; bits; bits &= bits - 1) {
        if (!json_verify_escape(p + json_simd_first(bits), v->end)) {
            return false;
        }
    }
    for (uint64_t bits = m->high & which; bits; bits &= bits - 1) {
        const char *at = p + json_simd_first(bits);
        uint32_t code;
        size_t len;

        if (at < v->utf8_until) {
            continue;
        }
        len = utf8_decode((struct str){ at, (size_t)(v->end - at) }, &code);
        if (!len) {
            return false;
        }
        v->utf8_until = at + len;
    }
    return true;
}

/* A number or a literal, which ends before a byte that is no part of one. */
static inline bool verify_scalar(const char *p, const char *end)
{
    p = json_verify_bare(p, end);
    return p && (p == end || verify_ends[(unsigned char)*p]);
}

/* Each by itself. */
static bool verify_scalars(const char *p, const char *end, uint64_t scalars)
{
    for (; scalars; scalars &= scalars - 1) {
        if (!verify_scalar(p + json_simd_first(scalars), end)) {
            return false;
        }
    }
    return true;
}

/* Of numbers, what ends each run of digits. Adding its first bit to a run clears it, and sets the
 * bit after. */
static inline uint64_t verify_runs(uint64_t first, uint64_t digits)
{
    return (first + digits) & ~digits;
}

/* Bits of the numbers and literals that the masks do not show to be good: they are to be read
 * closely. `block` has the block's bytes. */
static inline uint64_t verify_odd_scalars(const struct verify_masks *m, const char *block)
{
    uint64_t digit = 0, dot = 0, minus = 0, zero = 0, numbers, first, bad, ends, fraction;

    for (unsigned i = 0; i < VERIFY_BLOCK; i += JSON_SIMD_WIDTH) {
        json_simd x = json_simd_load(block + i);

        digit |=
            (json_simd_bits(json_simd_at_most(x, '9')) & ~json_simd_bits(json_simd_at_most(x, '/')))
            << i;
        dot |= json_simd_bits(json_simd_is(x, '.')) << i;
        minus |= json_simd_bits(json_simd_is(x, '-')) << i;
        zero |= json_simd_bits(json_simd_is(x, '0')) << i;
    }
    digit &= m->rest;
    minus &= m->scalar;
    numbers = (m->scalar & digit) | minus;
    first = (m->scalar & digit) | minus << 1;
    bad = (first & ~digit) | ((first & zero) << 1 & digit);
    ends = verify_runs(first & digit, digit);
    fraction = (ends & dot) << 1;
    bad |= fraction & ~digit;
    bad |= ((ends & ~dot) | verify_runs(fraction & digit, digit)) & m->rest;
    if (bad) {
        return m->scalar;
    }
    if (m->rest >> 63 && m->scalar) { /* the last one goes on */
        numbers &= ~(UINT64_C(1) << (63 - __builtin_clzll(m->scalar)));
    }
    return m->scalar & ~numbers;
}

/* The tokens that follow one of `of`; bits of other bytes mean nothing. Adding a bit to the bytes
 * after a token, none of which begins another one, sets that of the next token. */
static inline uint64_t verify_next(uint64_t of, uint64_t between, uint64_t *last)
{
    uint64_t sum, after = of << 1 | *last;

    *last = __builtin_add_overflow(after, between, &sum) | of >> 63;
    return sum;
}

static bool verify_open(struct verify *v, bool object)
{
    if (v->depth == v->depth_max) {
        return false;
    }
    if (v->depth >= VERIFY_KINDS) { /* the one that is pushed out */
        unsigned level = v->depth - VERIFY_KINDS;
        uint64_t bit = UINT64_C(1) << (level % 64), *word = &v->outer[level / 64];

        *word = v->kinds >> (VERIFY_KINDS - 1) & 1 ? *word | bit : *word & ~bit;
    }
    v->kinds = v->kinds << 1 | object;
    v->depth++;
    return true;
}

static void verify_close(struct verify *v)
{
    v->depth--;
    v->kinds >>= 1;
    if (v->depth >= VERIFY_KINDS) {
        unsigned level = v->depth - VERIFY_KINDS;
        uint64_t kind = v->outer[level / 64] >> (level % 64) & 1;

        v->kinds |= kind << (VERIFY_KINDS - 1);
    }
}

/* Also where the depth may come to its ends. */
static int verify_brackets_slowly(struct verify *v, const struct verify_masks *m,
                                  uint64_t *in_object)
{
    *in_object = -(v->kinds & 1);
    for (uint64_t bits = m->open | m->close; bits; bits &= bits - 1) {
        unsigned at = json_simd_first(bits);
        uint64_t is_brace = m->brace >> at & 1, before = v->kinds & 1;

        if (m->open >> at & 1) {
            if (!verify_open(v, is_brace)) {
                return -1;
            }
        } else if (is_brace != before) {
            return -1;
        } else {
            verify_close(v);
            if (v->depth == 0) {
                return (int)at;
            }
        }
        *in_object ^= -((v->kinds & 1) ^ before) << at << 1;
    }
    return VERIFY_BLOCK;
}

/* Over the brackets of a block, to where the outermost container ends: its bit, 64 when that is not
 * in this block. -1: they do not match, or are too deep. `in_object`: tokens that are in an object;
 * a closing one is in the container that it closes. */
static inline int verify_brackets(struct verify *v, const struct verify_masks *m,
                                  uint64_t *in_object)
{
    uint64_t bits = m->open | m->close, inside = -(v->kinds & 1), wrong = 0;
    unsigned opens = (unsigned)__builtin_popcountll(m->open);
    unsigned closes = (unsigned)__builtin_popcountll(m->close);

    if (v->depth + opens > VERIFY_KINDS || closes >= v->depth || v->depth + opens > v->depth_max) {
        return verify_brackets_slowly(v, m, in_object);
    }
    v->depth += opens - closes;
    for (; bits; bits &= bits - 1) {
        unsigned at = json_simd_first(bits);
        uint64_t is_brace = m->brace >> at & 1, opened = v->kinds << 1 | is_brace;
        uint64_t is_open = m->open >> at & 1, before = v->kinds;

        wrong |= (is_brace ^ before) & ~is_open;
        v->kinds = is_open ? opened : before >> 1;
        inside ^= -((before ^ v->kinds) & 1) << at << 1;
    }
    *in_object = inside;
    return wrong & 1 ? -1 : VERIFY_BLOCK;
}

/* The tokens that may not be where they are. A name is a string that follows a brace, or a comma in
 * an object: a colon follows each, and nothing else. A token after a comma is in the comma's
 * container, or amiss. */
static inline uint64_t verify_misplaced(struct verify *v, const struct verify_masks *m,
                                        uint64_t in_object)
{
    uint64_t between = ~m->tokens;
    uint64_t to_name = (m->open & m->brace) | (m->comma & in_object);
    uint64_t to_value = (m->open & ~m->brace) | (m->comma & ~in_object) | m->colon;
    uint64_t wants_name = verify_next(to_name, between, &v->last.to_name);
    uint64_t wants_value = verify_next(to_value, between, &v->last.to_value);
    uint64_t after_mark = verify_next(m->comma | m->colon, between, &v->last.mark);
    uint64_t name = m->string & wants_name;
    uint64_t value = (m->string & ~name) | m->scalar | m->open;
    uint64_t named = verify_next(name, between, &v->last.name) & m->tokens;

    return (named ^ m->colon) | (value & ~wants_value) | (m->comma & (wants_name | wants_value)) |
           (m->close & after_mark);
}

/* `p` at an opening brace or bracket; to after its partner, or NULL. `p` is never moved beyond
 * `end`. */
static const char *verify_container(const char *p, const char *end, unsigned depth_max)
{
    struct verify v = { .end = end,
                        .utf8_until = p,
                        .last = { .to_value = 1 },
                        .depth_max = depth_max < JSON_DEPTH_MAX ? depth_max : JSON_DEPTH_MAX };

    for (;; p += VERIFY_BLOCK) {
        struct verify_masks m;
        char tail[VERIFY_BLOCK];
        const char *block = p;
        uint64_t which = UINT64_MAX, in_object;
        int last = VERIFY_BLOCK;

        if (end - p < VERIFY_BLOCK) {
            memset(tail, ' ', sizeof tail);
            memcpy(tail, p, (size_t)(end - p));
            which = (UINT64_C(1) << (end - p)) - 1;
            block = tail;
        }
        verify_masks(&v, block, &m);
        if (m.tokens) {
            last = verify_brackets(&v, &m, &in_object);
            if (last < VERIFY_BLOCK) { /* what follows is not the container's */
                which &= last < 0 ? 0 : (UINT64_C(2) << last) - 1;
            }
            if (last < 0 || verify_misplaced(&v, &m, in_object) & which ||
                (m.scalar & which &&
                 !verify_scalars(p, end, verify_odd_scalars(&m, block) & which))) {
                return NULL;
            }
        }
        if ((m.control | m.escapes | m.high) & which && !verify_closely(&v, p, &m, which)) {
            return NULL;
        }
        if (last < VERIFY_BLOCK) {
            return p + last + 1;
        }
        if (end - p <= VERIFY_BLOCK) {
            return NULL;
        }
    }
}

#endif
