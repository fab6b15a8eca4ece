/**
 * Declared columns: a value that is not of its column's declared type leaves its cell, its row or the table.
 *
 * Numbers may stand in strings, as long as they are written as JSON writes numbers and the type keeps them. What is
 * missing or null is never at fault.
 *
 * Ownership  the caller's room for cells, which grows and is freed by it.
 * Errors     RESULT_NOT_FOUND (E-TAB8) where the job wants to fail; RESULT_NOMEM.
 * Threads    no state but the caller's.
 */
#ifndef SCRAPETOP_TABLE_TABLE_WISH_H
#define SCRAPETOP_TABLE_TABLE_WISH_H

#include "base/column_wish.h"
#include "normalise/rows.h"
#include "normalise/types.h"
#include "table/layout.h"

#define WISH_WORDS_MAX 160

/** The type that a column gets whose values are these. */
enum type wish_type(const struct column_wish *wish, const struct type_facts *facts,
                    bool assume_utc);

struct wish_room {
    struct row_cell *cells;
    size_t cap;
};

struct wish_verdict {
    bool is_dropped;
    unsigned bad;               /* cells */
    char words[WISH_WORDS_MAX]; /* of the first: "price is no double: "n/a"" */
};

/** `row` is the tree's; `*heeded` becomes it, or what is left of it, in `room`. */
MUST_CHECK enum result wish_heed(const struct layout *layout, const struct row *row,
                                 struct wish_room *room, struct row *heeded,
                                 struct wish_verdict *verdict, struct err *err);

#endif
