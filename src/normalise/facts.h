/**
 * Facts: what pass 1 gathers about a column's values besides its name: kinds, and distinct strings.
 *
 * Ownership  facts_release frees the set; a zeroed struct holds nothing.
 * Errors     RESULT_NOMEM.
 * Threads    one writer; facts of several workers are merged in any order, with the same result.
 */
#ifndef SCRAPETOP_NORMALISE_FACTS_H
#define SCRAPETOP_NORMALISE_FACTS_H

#include "base/buf.h"
#include "base/err.h"
#include "normalise/distinct.h"
#include "normalise/rows.h"
#include "normalise/types.h"

#include <stdbool.h>
#include <stddef.h>

/* What is wanted of pass 1. */
struct facts_wish {
    bool types;            /* any facts at all */
    bool coerce;           /* see normalise/types.h */
    size_t distinct_bytes; /* for distinct strings, all columns together; 0: none are gathered */
};

struct facts {
    bool has_text; /* a string was met that is no timestamp */
    struct type_facts types;
    struct distinct distinct; /* given up when a value was no string, or a timestamp */
};

/** A value that is not null. `distinct_max` is the column's share of the wish's; `scratch` is for
 *  strings with escapes. */
MUST_CHECK enum result facts_note(struct facts *facts, const struct facts_wish *wish,
                                  size_t distinct_max, enum cell_kind kind, struct str text,
                                  struct buf *scratch);

MUST_CHECK enum result facts_merge(struct facts *into, const struct facts *from,
                                   size_t distinct_max);

/** The column's dictionary, or NULL: only where most values repeat does one help. It is written anew
 *  every `group_rows` rows, and that must pay, too. */
MUST_CHECK enum result facts_dictionary(const struct facts *facts, size_t distinct_max,
                                        uint64_t group_rows, struct dictionary **dictionary);

void facts_release(struct facts *facts);

#endif
