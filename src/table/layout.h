/**
 * Layout: the columns that a table gets, their names and types, once all records have been seen.
 *
 * Read off a settled tree and its facts: all columns, or those that the spec picks, in its order.
 *
 * Ownership  layout_free releases all; the tree must outlive it, and names are views into tree and
 *            spec.
 * Errors     E-TAB5 (RESULT_NOT_FOUND): a column is asked for by a name that none has.
 * Threads    read-only once made.
 */
#ifndef SCRAPETOP_TABLE_LAYOUT_H
#define SCRAPETOP_TABLE_LAYOUT_H

#include "normalise/columns.h"
#include "table/table_spec.h"

struct layout_column {
    struct str name;
    uint32_t source;         /* column of the tree, COLUMNS_NONE for one that holds nothing */
    struct column_wish wish; /* COLUMN_ANY: the decision is what the values say */
    struct type_decision decision;
    const struct type_facts *facts; /* NULL when types were not asked for */
    bool rare;                      /* a value in under 1 % of the rows that could have one */
};

struct layout {
    const struct columns *tree;
    struct layout_column *columns;
    uint32_t count;
    uint32_t common; /* the first so many have the same cells in all rows of a record */
    bool has_wishes;
    bool straight;    /* the tree's columns as they are */
    bool has_facts;   /* types are known */
    uint32_t *unique; /* columns of the tree */
    size_t unique_count;
    uint32_t where_present; /* likewise, or COLUMNS_NONE */
    struct str *names;      /* by column */
};

#define LAYOUT_RARE_ROWS_MIN 100 /* in a shorter table nothing is called rare */

/** `rows` and `records` are those of pass 1. */
MUST_CHECK enum result layout_new(struct layout **layout, const struct table_spec *spec,
                                  const struct columns *columns, uint32_t explode_node,
                                  uint64_t rows, uint64_t records, struct err *err);
void layout_free(struct layout *layout);

/** The tree's column that the spec calls so: a name of --columns first, then the table's own. Or COLUMNS_NONE. */
uint32_t layout_find_column(const struct table_spec *spec, const struct columns *columns,
                            struct str name);

/** Marks the columns of the spec's key in `is_key`, by column. E-DB2 (RESULT_NOT_FOUND): there is no such column. */
MUST_CHECK enum result layout_find_keys(const struct layout *layout, const struct table_spec *spec,
                                        bool *is_key, struct err *err);

/** E-DB2 (RESULT_DENIED): a row has no value in this column of the key. */
enum result layout_refuse_null_key(const struct layout_column *column, struct err *err);

/** Whether both have the same columns, by name and node, in the same order; and, if so asked, of the same types.
 *  Their trees are two, but the nodes of `a`'s have the same numbers in `b`'s (columns_seed). */
bool layout_same(const struct layout *a, const struct layout *b, bool types);

/** The row as the layout has it; `cells` has room for its columns. */
struct row layout_row(const struct layout *layout, const struct row *row, struct row_cell *cells);

#endif
