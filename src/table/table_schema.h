/**
 * Schema: what a table's columns were, kept for the report and to be compared with the next table's.
 *
 * Plain data that outlives the build it comes from. It is written to a run's tables.json, one
 * object for each table, and read from there; what differs is drift: columns that are new, gone or of
 * another type.
 *
 * Ownership  table_schema_free; drift texts are views into the two schemas.
 * Errors     RESULT_NOMEM; a tables.json that makes no sense is taken for one without the table.
 * Threads    none of its own.
 */
#ifndef SCRAPETOP_TABLE_TABLE_SCHEMA_H
#define SCRAPETOP_TABLE_TABLE_SCHEMA_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "normalise/types.h"
#include "table/layout.h"

#include <stdbool.h>
#include <stdint.h>

#define SCHEMA_COLUMNS_MAX COLUMNS_MAX

/* Why a column in conflict is text. */
struct schema_odd {
    struct type_odd is;
    bool is_placed;            /* what follows is known */
    struct record_place first; /* of these values; in its chunk */
    uint64_t record; /* the same, counted over all; who knows the chunks sets it. 0: not known */
    char text[FIRSTS_TEXT_MAX + 8];
};

struct schema_column {
    struct str name;
    enum type type;
    int64_t epoch_unit_us;        /* see struct type_decision; not stored */
    bool coerced, conflict, rare; /* see struct type_decision, struct layout_column */
    uint64_t present;             /* values */
    struct type_facts facts;      /* of them; not stored */
    struct schema_odd *odd;       /* of a conflict, else NULL; not stored */
};

struct table_schema {
    uint64_t rows;
    uint32_t count;
    struct schema_column *columns;
    struct buf names; /* the columns' names are views into it */
};

/** What a layout with facts says; `rows` is the table's. */
MUST_CHECK enum result table_schema_new(struct table_schema **schema, const struct layout *layout,
                                        uint64_t rows);
void table_schema_free(struct table_schema *schema);

/** Appends "3 of 1,000 values are not numbers, first: record 17, "n/a"": why the column is text. */
MUST_CHECK enum result table_schema_append_odd(const struct schema_column *column, struct buf *out);

/** Appends "12 strings, 3 arrays": why a column is what it is. */
MUST_CHECK enum result table_schema_append_kinds(const struct schema_column *column,
                                                 struct buf *out);

enum drift_kind { DRIFT_NEW, DRIFT_GONE, DRIFT_TYPE };

struct drift {
    enum drift_kind kind;
    struct str name;
    enum type before, now; /* DRIFT_TYPE; `now` of DRIFT_NEW, `before` of DRIFT_GONE */
};

/** Told of each difference, new and changed columns in the order of `now`, then those gone. */
typedef void drift_fn(void *context, const struct drift *drift);

void table_schema_compare(const struct table_schema *before, const struct table_schema *now,
                          drift_fn *tell, void *context);

/** The schema of the table called `table` in a tables.json; `*schema` is NULL when it is not there. */
MUST_CHECK enum result table_schema_read(struct table_schema **schema, struct str json,
                                         struct str table);

/** Appends a tables.json: `old` (empty, or one) with this table put in or replaced. */
MUST_CHECK enum result table_schema_write(const struct table_schema *schema, struct str table,
                                          struct str old, struct buf *out);

#endif
