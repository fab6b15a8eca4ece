/**
 * Borrowed bytes: a pointer and a length, owning nothing.
 *
 * A `struct str` may hold NUL bytes and is not terminated. It lives as long as what it points
 * into; who needs it longer copies it (`str_dup`, or `buf_append`). Do not grow this into a
 * string library: what owns bytes is `base/buf.h`.
 */
#ifndef SCRAPETOP_BASE_STR_H
#define SCRAPETOP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *data;
    size_t len;
};

#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    } /* in tables with static storage */
#define STR(literal) ((struct str)STR_INIT(literal))
#define STR_NONE ((struct str){ NULL, 0 })

/** For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).data

/** View of a terminated string; NULL gives STR_NONE. */
struct str str_view(const char *text);

bool str_equal(struct str a, struct str b);
bool str_same_nocase(const char *a, const char *b, size_t len);

/** ASCII only. Most texts that are compared differ in their lengths. */
static inline bool str_equal_nocase(struct str a, struct str b)
{
    return a.len == b.len && str_same_nocase(a.data, b.data, a.len);
}

/** By bytes: negative, 0 or positive, as memcmp has it; a prefix comes first. */
int str_compare(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);

/** ASCII letters in lower case, in `room`, which cuts what is longer. */
struct str str_lower(struct str s, char *room, size_t size);

/** Without leading and trailing spaces, tabs, CR and LF. */
struct str str_trim(struct str s);

/** Cuts `*rest` at the first `separator`: returns what stood before it, leaves what follows.
 *  Without one, returns all and leaves STR_NONE. */
struct str str_cut(struct str *rest, char separator);

/** Decimal digits only, whole string, no sign; false when empty, foreign or above UINT64_MAX. */
bool str_to_u64(struct str s, uint64_t *number);

/** Heap copy with a NUL after; NULL when out of memory. */
char *str_dup(struct str s);

/** Fewest single-letter edits (insert, delete, replace, swap neighbours) between two short words;
 *  for "did you mean". Words over 32 bytes compare as far apart. */
unsigned str_distance(struct str a, struct str b);

#endif
