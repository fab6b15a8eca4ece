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

/* What is wanted of pass 1. */
struct facts_wish {
    bool types;    /* any facts at all */
    bool coerce;   /* see normalise/types.h */
    bool distinct; /* strings, too: for a Parquet dictionary */
};

struct facts {
    struct type_facts types;
    struct distinct distinct; /* given up when a value was no string */
};

/** A value that is not null. `scratch` is for strings with escapes. */
MUST_CHECK enum result facts_note(struct facts *facts, const struct facts_wish *wish,
                                  enum cell_kind kind, struct str text, struct buf *scratch);

MUST_CHECK enum result facts_merge(struct facts *into, const struct facts *from);

/** The column's dictionary, or NULL: only where most values repeat does one help. */
MUST_CHECK enum result facts_dictionary(const struct facts *facts, struct dictionary **dictionary);

void facts_release(struct facts *facts);

#endif
