#include "base/json_split.h"

#include "base/json_simd.h"

#include <string.h>

/* Bit by bit, where the block may touch the container's own level. */
static bool step_block(struct json_split *s, uint64_t open, uint64_t close, uint64_t comma,
                       size_t at, struct json_split_found *found)
{
    for (uint64_t stops = open | close | comma; stops; stops &= stops - 1) {
        uint64_t bit = stops & -stops;

        if (open & bit) {
            s->depth++;
        } else if (close & bit) {
            if (s->depth == 0) {
                found->end = at + json_simd_first(bit);
                return false;
            }
            s->depth--;
        } else if (s->depth == 0) {
            found->comma = at + json_simd_first(bit);
        }
    }
    return true;
}

struct json_split_found json_split_next(struct json_split *s, struct str text)
{
    struct json_split_found found = { SIZE_MAX, SIZE_MAX };

    for (size_t at = 0; at < text.len; at += JSON_SPLIT_BLOCK) {
        char tail[JSON_SPLIT_BLOCK];
        const char *p = text.data + at;
        struct json_simd_block b;
        uint64_t quotes, strings, open, close;

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
        } else if (!step_block(s, open, close, json_simd_commas(p) & ~strings, at, &found)) {
            break;
        }
    }
    return found;
}
