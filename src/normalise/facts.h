/**
 * Facts: what pass 1 gathers about a column's values besides its name: kinds, and distinct strings or
 * numbers.
 *
 * Ownership  facts_release frees the set, facts_queue_release what waits; a zeroed struct holds nothing.
 * Errors     RESULT_NOMEM.
 * Threads    one writer; facts of several workers are merged in any order, with the same result.
 */
#ifndef SCRAPETOP_NORMALISE_FACTS_H
#define SCRAPETOP_NORMALISE_FACTS_H

#include "base/buf.h"
#include "base/err.h"
#include "normalise/distinct.h"
#include "normalise/numbers.h"
#include "normalise/rows.h"
#include "normalise/types.h"

#include <stdbool.h>
#include <stddef.h>

/* What is wanted of pass 1. */
struct facts_wish {
    bool types;            /* any facts at all */
    bool coerce;           /* see normalise/types.h */
    size_t distinct_bytes; /* for distinct strings, all columns together; 0: none are gathered */
    size_t numbers_bytes;  /* likewise, for distinct numbers */
};

/* What one column may take of that. */
struct facts_room {
    size_t distinct_bytes;
    uint32_t numbers;
};

struct facts {
    bool has_text;   /* a string was met that is no timestamp */
    bool has_number; /* a number or timestamp was met */
    struct type_facts types;
    struct distinct distinct; /* given up when a value was no string, or a timestamp */
    struct numbers numbers;   /* given up when a value was anything else */
};

#define FACTS_AHEAD 16
#define FACTS_NOWHERE UINT32_MAX

/* Strings on their way into large sets: by when one is added, what it will be compared with has come
 * from memory. Zeroed: none. */
struct facts_queue {
    struct facts_waiting {
        uint32_t node; /* FACTS_NOWHERE: forgotten */
        struct keyed_hash hash;
        struct buf text;
    } waiting[FACTS_AHEAD]; /* a ring */
    uint32_t first, count;
};

/** A value of the node whose facts stand at `all[node]`. What `queue` holds then is added later, by this or
 *  by facts_catch_up. */
MUST_CHECK enum result facts_note(struct facts_queue *queue, struct facts *all, uint32_t node,
                                  const struct facts_wish *wish, const struct facts_room *room,
                                  enum cell_kind kind, struct str text);

/** All that waits is added. */
MUST_CHECK enum result facts_catch_up(struct facts_queue *queue, struct facts *all,
                                      const struct facts_room *room);

/** There are only `nodes` left: what waits for others goes. */
void facts_forget(struct facts_queue *queue, uint32_t nodes);

void facts_queue_release(struct facts_queue *queue);

/** `from` is only to be released then. */
MUST_CHECK enum result facts_merge(struct facts *into, struct facts *from,
                                   const struct facts_room *room);

/* Where the values are to go. */
struct facts_rows {
    uint64_t each;  /* that repeat a value: those of the elements of an exploded record */
    uint64_t group; /* for which a dictionary is written anew */
};

/** The dictionary of a column of text, a view into the facts, or NULL: only where most values repeat does one
 *  help, and not where it is written too often. */
MUST_CHECK enum result facts_dictionary(const struct facts *facts, const struct facts_room *room,
                                        const struct facts_rows *rows,
                                        struct dictionary **dictionary);

/** Likewise, of a column of `type`, whose values are all what they are written as. */
MUST_CHECK enum result facts_number_dictionary(const struct facts *facts, enum type type,
                                               const struct facts_room *room,
                                               const struct facts_rows *rows,
                                               struct number_dictionary **dictionary);

void facts_release(struct facts *facts);

#endif
