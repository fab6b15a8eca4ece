/**
 * The kernels' judge: whether a text is JSON, 64 bytes at a time.
 *
 * Masks of a block (json_simd.h) say where strings are, so their bytes are not looked at one by one. What is
 * left are the tokens' first bytes: each is a step from one state to the next, by a table. Only numbers and
 * literals, escapes, and what is beyond ASCII are read closely.
 *
 * Included by json_kernel_body.h alone, once for each instruction set. Nothing outside [p, end) is read.
 */
#ifndef SCRAPETOP_BASE_JSON_KERNEL_VERIFY_H
#define SCRAPETOP_BASE_JSON_KERNEL_VERIFY_H

#include "base/json_scan.h"
#include "base/json_verify.h"

#define VERIFY_BLOCK 64

/* What a token leads to: something to be done, or else the state after it. */
enum verify_step {
    DOES_FAIL, /* what the table below does not name */
    DOES_SCALAR,
    DOES_OPEN_OBJECT,
    DOES_OPEN_ARRAY,
    DOES_CLOSE,
    WANTS_NAME_OR_END, /* after an opening brace */
    WANTS_NAME,
    WANTS_COLON,
    WANTS_MEMBER, /* the value after a colon */
    WANTS_COMMA_IN_OBJECT,
    WANTS_ELEMENT_OR_END, /* after an opening bracket */
    WANTS_ELEMENT,
    WANTS_COMMA_IN_ARRAY,
    VERIFY_STATES
};

enum verify_class {
    BYTE_OTHER, /* no token begins with it */
    BYTE_SPACE,
    BYTE_QUOTE,
    BYTE_SCALAR,
    BYTE_BRACE,
    BYTE_BRACKET,
    BYTE_BRACE_END,
    BYTE_BRACKET_END,
    BYTE_COLON,
    BYTE_COMMA,
    VERIFY_CLASSES = 16 /* a power of two */
};

static const unsigned char verify_class[256] = {
    [' '] = BYTE_SPACE,       ['\t'] = BYTE_SPACE,  ['\n'] = BYTE_SPACE, ['\r'] = BYTE_SPACE,
    ['"'] = BYTE_QUOTE,       ['-'] = BYTE_SCALAR,  ['0'] = BYTE_SCALAR, ['1'] = BYTE_SCALAR,
    ['2'] = BYTE_SCALAR,      ['3'] = BYTE_SCALAR,  ['4'] = BYTE_SCALAR, ['5'] = BYTE_SCALAR,
    ['6'] = BYTE_SCALAR,      ['7'] = BYTE_SCALAR,  ['8'] = BYTE_SCALAR, ['9'] = BYTE_SCALAR,
    ['t'] = BYTE_SCALAR,      ['f'] = BYTE_SCALAR,  ['n'] = BYTE_SCALAR, ['{'] = BYTE_BRACE,
    ['}'] = BYTE_BRACE_END,   ['['] = BYTE_BRACKET, [':'] = BYTE_COLON,  [','] = BYTE_COMMA,
    [']'] = BYTE_BRACKET_END,
};

static const unsigned char verify_table[VERIFY_STATES][VERIFY_CLASSES] = {
    [WANTS_NAME_OR_END] = { [BYTE_QUOTE] = WANTS_COLON, [BYTE_BRACE_END] = DOES_CLOSE },
    [WANTS_NAME] = { [BYTE_QUOTE] = WANTS_COLON },
    [WANTS_COLON] = { [BYTE_COLON] = WANTS_MEMBER },
    [WANTS_MEMBER] = { [BYTE_QUOTE] = WANTS_COMMA_IN_OBJECT,
                       [BYTE_SCALAR] = DOES_SCALAR,
                       [BYTE_BRACE] = DOES_OPEN_OBJECT,
                       [BYTE_BRACKET] = DOES_OPEN_ARRAY },
    [WANTS_COMMA_IN_OBJECT] = { [BYTE_COMMA] = WANTS_NAME, [BYTE_BRACE_END] = DOES_CLOSE },
    [WANTS_ELEMENT_OR_END] = { [BYTE_QUOTE] = WANTS_COMMA_IN_ARRAY,
                               [BYTE_SCALAR] = DOES_SCALAR,
                               [BYTE_BRACE] = DOES_OPEN_OBJECT,
                               [BYTE_BRACKET] = DOES_OPEN_ARRAY,
                               [BYTE_BRACKET_END] = DOES_CLOSE },
    [WANTS_ELEMENT] = { [BYTE_QUOTE] = WANTS_COMMA_IN_ARRAY,
                        [BYTE_SCALAR] = DOES_SCALAR,
                        [BYTE_BRACE] = DOES_OPEN_OBJECT,
                        [BYTE_BRACKET] = DOES_OPEN_ARRAY },
    [WANTS_COMMA_IN_ARRAY] = { [BYTE_COMMA] = WANTS_ELEMENT, [BYTE_BRACKET_END] = DOES_CLOSE },
};

struct verify {
    const char *end;
    const char *utf8_until; /* what is beyond ASCII before it is good */
    unsigned state;
    unsigned depth, depth_max;
    bool escape;     /* the block before ended in a backslash with a meaning */
    uint64_t inside; /* all bits: a string goes on from the block before */
    uint64_t token;  /* 1: the block before ended within a number or a literal */
    uint64_t objects[JSON_DEPTH_MAX / 64]; /* a bit for each level */
};

/* The masks of a block: bits by what a byte is. */
struct verify_masks {
    uint64_t quotes;  /* that begin or end a string */
    uint64_t strings; /* from an opening quote to before the closing one */
    uint64_t tokens;  /* where one begins */
    uint64_t escapes; /* backslashes with a meaning, in strings */
    uint64_t control, high;
};

static inline void verify_masks(struct verify *v, const char *p, struct verify_masks *m)
{
    uint64_t quote = 0, backslash = 0, marks = 0, space = 0, escaped = 0, rest;

    m->control = m->high = 0;
    for (unsigned i = 0; i < VERIFY_BLOCK; i += JSON_SIMD_WIDTH) {
        json_simd x = json_simd_load(p + i), folded = json_simd_with(x, 0x20); /* [] become {} */
        uint64_t odd = json_simd_bits(json_simd_is_odd(x));

        quote |= json_simd_bits(json_simd_is(x, '"')) << i;
        backslash |= json_simd_bits(json_simd_is(x, '\\')) << i;
        space |= json_simd_bits(json_simd_at_most(x, ' ')) << i;
        marks |= json_simd_bits(json_simd_or(
                     json_simd_or(json_simd_is(x, ','), json_simd_is(x, ':')),
                     json_simd_or(json_simd_is(folded, '{'), json_simd_is(folded, '}'))))
                 << i;
        m->control |= odd << i;
    }
    m->high = m->control & ~space; /* odd is what is below a space, or beyond ASCII */
    m->control &= space;
    m->quotes = quote;
    m->escapes = 0;
    if (backslash || v->escape) {
        escaped = json_simd_escaped(backslash, &v->escape);
        m->quotes &= ~escaped;
    }
    m->strings = json_simd_between(m->quotes) ^ v->inside;
    v->inside = m->strings >> 63 ? UINT64_MAX : 0;
    m->escapes = backslash & ~escaped & m->strings;
    rest = ~(space | marks | m->quotes | m->strings);
    m->tokens = (marks & ~m->strings) | (m->quotes & m->strings) | (rest & ~(rest << 1 | v->token));
    v->token = rest >> 63;
}

/* What is not plain among the bytes of `which`; `p` is where they stand in the text itself. */
static bool verify_closely(struct verify *v, const char *p, const struct verify_masks *m,
                           uint64_t which)
{
    for (uint64_t bits = m->control & which; bits; bits &= bits - 1) {
        unsigned at = json_simd_first(bits);

        if (m->strings >> at & 1 || verify_class[(unsigned char)p[at]] != BYTE_SPACE) {
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
    return p && (p == end || (verify_class[(unsigned char)*p] != BYTE_OTHER &&
                              verify_class[(unsigned char)*p] != BYTE_SCALAR));
}

static inline bool verify_open(struct verify *v, bool object)
{
    uint64_t bit = UINT64_C(1) << (v->depth % 64), *word = &v->objects[v->depth / 64];

    if (v->depth == v->depth_max) {
        return false;
    }
    *word = object ? *word | bit : *word & ~bit;
    v->depth++;
    v->state = object ? WANTS_NAME_OR_END : WANTS_ELEMENT_OR_END;
    return true;
}

/* The state after a value, in the container that it stands in. */
static inline unsigned verify_after(const struct verify *v)
{
    unsigned at = v->depth - 1;

    return v->objects[at / 64] >> (at % 64) & 1 ? WANTS_COMMA_IN_OBJECT : WANTS_COMMA_IN_ARRAY;
}

/* Over the tokens of a block, to where the outermost container ends: its bit, 64 when that is not in this
 * block. -1: it is not valid. */
static inline int verify_tokens(struct verify *v, const char *p, uint64_t tokens)
{
    unsigned state = v->state;

    for (; tokens; tokens &= tokens - 1) {
        unsigned at = json_simd_first(tokens);
        unsigned step = verify_table[state][verify_class[(unsigned char)p[at]]];

        if (step > DOES_CLOSE) {
            state = step;
            continue;
        }
        if (step == DOES_SCALAR) {
            if (!verify_scalar(p + at, v->end)) {
                return -1;
            }
            state = state == WANTS_MEMBER ? WANTS_COMMA_IN_OBJECT : WANTS_COMMA_IN_ARRAY;
        } else if (step == DOES_CLOSE) {
            if (--v->depth == 0) {
                return (int)at;
            }
            state = verify_after(v);
        } else if (step == DOES_FAIL || !verify_open(v, step == DOES_OPEN_OBJECT)) {
            return -1;
        } else {
            state = v->state;
        }
    }
    v->state = state;
    return VERIFY_BLOCK;
}

/* `p` at an opening brace or bracket; to after its partner, or NULL. `p` is never moved beyond `end`. */
static const char *verify_container(const char *p, const char *end, unsigned depth_max)
{
    struct verify v = { .end = end,
                        .utf8_until = p,
                        .state = WANTS_ELEMENT, /* which the container is */
                        .depth_max = depth_max < JSON_DEPTH_MAX ? depth_max : JSON_DEPTH_MAX };

    for (;; p += VERIFY_BLOCK) {
        struct verify_masks m;
        char tail[VERIFY_BLOCK];
        const char *block = p;
        uint64_t which = UINT64_MAX;
        int last;

        if (end - p < VERIFY_BLOCK) {
            memset(tail, ' ', sizeof tail);
            memcpy(tail, p, (size_t)(end - p));
            which = (UINT64_C(1) << (end - p)) - 1;
            block = tail;
        }
        verify_masks(&v, block, &m);
        last = verify_tokens(&v, p, m.tokens & which);
        if (last < VERIFY_BLOCK) { /* what follows is not the container's */
            which &= last < 0 ? 0 : (UINT64_C(2) << last) - 1;
        }
        if (last < 0 ||
            ((m.control | m.escapes | m.high) & which && !verify_closely(&v, p, &m, which))) {
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
