/**
 * What a table is to look like, as its user says it; and what the flattener makes of that.
 *
 * Plain data. A zeroed spec is a table of all there is.
 *
 * Ownership  a spec owns nothing: its texts live as long as the table is being built. A table_shape
 *            owns its picks (table_shape_release) and points into itself: do not copy it.
 * Errors     table_shape_init: RESULT_NOMEM, RESULT_INVALID (E-PTR1). Columns are looked for later (layout.h).
 */
#ifndef SCRAPETOP_TABLE_TABLE_SPEC_H
#define SCRAPETOP_TABLE_TABLE_SPEC_H

#include "base/body_format.h"
#include "base/record_shape.h"
#include "base/column_wish.h"
#include "base/err.h"
#include "base/row_keep.h"
#include "base/json_scan.h"
#include "base/str.h"
#include "base/table_expect.h"
#include "normalise/flatten.h"
#include "table/csv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_MEMORY_DEFAULT ((uint64_t)512 << 20)
#define TABLE_MEMORY_MIN ((uint64_t)32 << 20)
#define TABLE_WITH_MAX 32

/** The columns of `meta`, for people. */
#define TABLE_META_NAMES "_request_key, _url, _status, _fetched_at, _source_file"

/* One of --columns: a column by its name, or a value by a pointer under a name of its own. */
struct table_pick {
    struct str name;
    struct str pointer; /* STR_NONE: the column of that name */
    struct column_wish wish;
};

struct known_types;

struct table_spec {
    struct body_reading reading; /* of files, which are no run's: what is told of them */
    enum record_shape shape;     /* of the tables in documents */
    const char *explode;         /* JSON Pointer from the record to an array; NULL: none */
    const char *separator;       /* between the keys of a path; NULL: "." */
    bool depth_limited;
    /* when limited: objects that a path goes into, 0: only the record's members */
    uint32_t depth_max;
    bool meta; /* columns that say where a record came from */
    /* Columns out of what a run keeps of the record's request: the variable of that name, or
     * "_fetched_at". */
    const struct str *with;
    size_t with_count;
    const struct table_pick *picks; /* these columns, in this order; none: all */
    size_t pick_count;
    const struct str *unique; /* columns by which rows are told apart */
    size_t unique_count;
    enum row_keep keep;    /* which of those that are alike stays */
    struct str table;      /* of a database: the table's name; STR_NONE: as the file is called */
    const struct str *key; /* of a database: columns whose values tell which row is replaced */
    size_t key_count;
    struct str where_present;   /* rows without a value in this column are dropped; STR_NONE */
    int64_t as_of_us;           /* of a run: answers that came later are not there; 0: all are */
    struct table_expect expect; /* what the table must hold to be taken */
    /* of the other parts of a dataset: they have a say in types, and columns may be missing; NULL */
    const struct known_types *known;
    bool types;              /* find the types, for the report; typed formats do so anyway */
    bool coerce, assume_utc; /* see normalise/types.h */
    struct csv_style csv;
    uint64_t memory_bytes; /* 0: TABLE_MEMORY_DEFAULT */
};

/** Bytes that building the table may hold; never 0. */
uint64_t table_memory(const struct table_spec *spec);

struct table_shape {
    struct flatten_shape flatten; /* points at what follows */
    struct json_pointer explode;
    struct flatten_pick *picks;
};

MUST_CHECK enum result table_shape_init(struct table_shape *shape, const struct table_spec *spec,
                                        bool facts, struct err *err);
void table_shape_release(struct table_shape *shape);

#endif
