/**
 * The kernels' one text. Each json_kernel_<name>.c includes it once, compiled for its instruction set
 * and with JSON_KERNEL and JSON_KERNEL_NAME defined; no other file includes it.
 */
#include "base/json_kernel.h"
#include "base/json_kernel_verify.h"
#include "base/json_scan.h"
#include "base/json_step.h"
#include "base/json_verify.h"

static const char *verify(const char *p, const char *end, unsigned depth_max)
{
    bool escaped = false;

    if (p == end) {
        return NULL;
    }
    if (*p == '{' || *p == '[') {
        return verify_container(p, end, depth_max);
    }
    if (*p == '"') {
        p = json_verify_string(p + 1, end, &escaped);
        return p ? p + 1 : NULL;
    }
    return json_verify_bare(p, end);
}

static const char *verify_string(const char *p, const char *end, bool *escaped)
{
    p = json_verify_string(p, end, escaped);
    return p ? p + 1 : NULL;
}

static const char *container_end(const char *p, const char *end)
{
    uint64_t inside = 0; /* all bits: a string goes on from the block before */
    size_t depth = 0;
    bool carry = false;
    char tail[64];

    while (p < end) {
        size_t left = (size_t)(end - p);
        struct json_simd_block b;
        uint64_t quotes, strings, open, close, stops;

        if (left >= 64) {
            b = json_simd_block(p);
        } else {
            memset(tail, ' ', sizeof tail);
            memcpy(tail, p, left);
            b = json_simd_block(tail);
        }
        quotes = b.quote & ~json_simd_escaped(b.backslash, &carry);
        strings = json_simd_between(quotes) ^ inside;
        inside = strings >> 63 ? UINT64_MAX : 0;
        open = b.open & ~strings;
        close = b.close & ~strings;
        if ((size_t)__builtin_popcountll(close) < depth) { /* cannot come down to the ground */
            depth += (size_t)__builtin_popcountll(open);
            depth -= (size_t)__builtin_popcountll(close);
        } else {
            for (stops = open | close; stops; stops &= stops - 1) {
                if (open & stops & -stops) {
                    depth++;
                } else if (depth <= 1) {
                    return p + json_simd_first(stops) + 1;
                } else {
                    depth--;
                }
            }
        }
        p += left < 64 ? left : 64;
    }
    return end;
}

/* Bracket by bracket, where the block may touch the container's own level: `*level` gets a bit for each byte
 * that stands on it. False: the container ends in this block. */
static inline bool split_block(struct json_split *s, uint64_t open, uint64_t close, size_t at,
                               uint64_t *level, struct json_split_found *found)
{
    uint64_t below = s->depth ? 0 : UINT64_MAX; /* bits from where the level was reached last */

    for (uint64_t stops = open | close; stops; stops &= stops - 1) {
        uint64_t bit = stops & -stops;

        if (s->depth == 0) {
            *level |= below & (bit - 1);
        }
        if (open & bit) {
            s->depth++;
        } else if (s->depth == 0) {
            found->end = at + json_simd_first(bit);
            return false;
        } else if (--s->depth == 0) {
            below = ~(bit - 1) & ~bit;
        }
    }
    *level |= s->depth ? 0 : below;
    return true;
}

static struct json_split_found split(struct json_split *s, struct str text)
{
    struct json_split_found found = { SIZE_MAX, SIZE_MAX };

    for (size_t at = 0; at < text.len; at += JSON_SPLIT_BLOCK) {
        char tail[JSON_SPLIT_BLOCK];
        const char *p = text.data + at;
        struct json_simd_block b;
        uint64_t quotes, strings, open, close, level = 0;
        bool goes_on = true;

        if (text.len - at < JSON_SPLIT_BLOCK) {
            memset(tail, ' ', sizeof tail);
            memcpy(tail, p, text.len - at);
            p = tail;
        }
        b = json_simd_block(p);
        quotes = b.quote;
        if (b.backslash || s->escape) {
            quotes &= ~json_simd_escaped(b.backslash, &s->escape);
        }
        strings = json_simd_between(quotes) ^ s->inside;
        s->inside = strings >> 63 ? UINT64_MAX : 0;
        open = b.open & ~strings;
        close = b.close & ~strings;
        if ((size_t)__builtin_popcountll(close) <
            s->depth) { /* stays below the container's level */
            s->depth += (size_t)__builtin_popcountll(open);
            s->depth -= (size_t)__builtin_popcountll(close);
        } else {
            goes_on = split_block(s, open, close, at, &level, &found);
        }
        level &= level ? json_simd_commas(p) & ~strings : 0;
        if (level) {
            found.comma = at + 63 - (size_t)__builtin_clzll(level);
        }
        if (!goes_on) {
            break;
        }
    }
    return found;
}

const struct json_kernel JSON_KERNEL = {
    .name = JSON_KERNEL_NAME,
    .verify = verify,
    .verify_string = verify_string,
    .container_end = container_end,
    .split = split,
};
