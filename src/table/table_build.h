/**
 * Table build: records in, a table's files out, on libuv's pool.
 *
 * The first pass over the source validates every record and collects the columns. Mostly it also
 * writes the rows, with the columns that a look at some of the records found; where these turn out not to
 * be all, rows are written in a last pass. One between them finds the first of the rows that are to be
 * unique. All go by chunks, in parallel, and the result is the same whatever the number of workers:
 * columns and rows stand in the plan's order. Then each file is synced and renamed. Memory is bounded by workers
 * and chunks, not by the input: a large document is cut up
 * (split_source.h). But a document that cannot be, as it is one record or invalid, is held whole while
 * a worker is at it.
 *
 * A record that cannot be used is skipped, counted by reason, and the first few of each reason are
 * named. A pointer that finds nothing anywhere is an error (E-TAB1, with pointers that would), and so
 * is, if the caller wants that, an input of which no document can be read (E-TAB7). So is a file
 * that changes between the passes (E-TAB2), or a single document, line or record that is
 * larger than the memory allowed (E-TAB3).
 *
 * Ownership  table_build_start copies the options and takes the source (also when it fails);
 *            table_build_free releases all, and may be called from `done` or later.
 * Errors     in the report, whose `result` is RESULT_CANCELLED after table_build_cancel. The old files
 *            stay unless the result is RESULT_OK; but of several, each gives way by itself.
 * Threads    loop thread. Nothing here blocks it: files are opened, synced and renamed on the pool.
 */
#ifndef SCRAPETOP_TABLE_TABLE_BUILD_H
#define SCRAPETOP_TABLE_TABLE_BUILD_H

#include "base/body_text.h"
#include "base/err.h"
#include "normalise/record_source.h"
#include "table/contract.h"
#include "table/format.h"
#include "table/table_schema.h"
#include "table/table_spec.h"
#include "work/work.h"

#include <stdbool.h>
#include <stdint.h>

#define TABLE_WORKERS_MAX 64
/* Of the memory allowed, for each worker: its chunk, the rows made of it, what it compresses with, and its part of
 * what all share. */
#define TABLE_WORKER_BYTES ((uint64_t)16 << 20)
#define TABLE_SKIP_NAMED 3 /* records named for each reason */
#define TABLE_SKIP_TEXT 400

enum table_skip {
    TABLE_SKIP_INVALID,  /* no valid JSON */
    TABLE_SKIP_OTHER,    /* a body that was kept as text or base64 */
    TABLE_SKIP_NO_MATCH, /* the pointer found nothing in it */
    TABLE_SKIP_DAMAGED,  /* a run's record that is not there as it was written */
    TABLE_SKIP_COUNT,
    /* Not skipped, but named likewise: */
    TABLE_ODD_CELLS = TABLE_SKIP_COUNT, /* a row of CSV with more or fewer cells than the header */
    TABLE_BAD_CELLS,                    /* a value that is not of its column's declared type */
    TABLE_NULL_CELLS,                   /* a row without a value where one is expected */
    TABLE_NAMED_COUNT,
};

/** "invalid JSON", "body is not JSON" ... */
const char *table_skip_name(enum table_skip reason);

struct table_skips {
    uint64_t count;
    unsigned named;                                /* of the first in the plan's order */
    char first[TABLE_SKIP_NAMED][TABLE_SKIP_TEXT]; /* "file:12: JSON ends at ..."; may hold bytes
                                                      from outside: escape before printing */
};

struct table_options {
    const char *records;                /* JSON Pointer with `*`, NULL: see normalise/flatten.h */
    const struct table_output *outputs; /* the files, all of them made of one reading */
    size_t output_count;                /* 1 to TABLE_OUTPUTS_MAX */
    unsigned workers;     /* 0: as many as the work's limit, and as the memory allows */
    uint64_t split_bytes; /* documents above this are cut up among the workers; 0: SPLIT_BYTES */
    uint64_t chunk_bytes; /* that a worker takes on at a time; 0: CHUNK_BYTES */
    bool background;      /* workers give way to the loop and all else that fetches */
    bool must_read; /* an input of which nothing can be read is an error, not an empty table */
    const struct table_schema *before; /* what the last table was, to be compared with; or NULL */
    int64_t wall_us;                   /* now, for what must be fresh; 0: the system knows */
    struct table_spec spec;            /* its texts live until table_build_free */
};

enum table_phase {
    TABLE_LEARNING, /* pass 1 */
    TABLE_SETTLING,
    TABLE_KEYING, /* a pass of its own for --unique */
    TABLE_KEYED,
    TABLE_CHECKING, /* a pass of its own for what is expected of the table */
    TABLE_CHECKED,
    TABLE_WRITING, /* the last pass, if pass 1 has not written the rows */
    TABLE_COMMITTING,
    TABLE_ENDED,
};

struct table_progress {
    enum table_phase phase;
    uint64_t records, records_total; /* of this pass; total 0: not known */
    uint64_t bytes, bytes_total;     /* likewise */
    uint64_t rows;                   /* of this pass */
    unsigned workers, busy;
    bool at_once; /* pass 1 writes the rows, or has until now: it may be the only one */
    bool cancelling;
};

struct table_report {
    enum result result;
    struct err err;
    const struct table_output *outputs; /* the files; live as long as the build */
    size_t output_count, made_count;    /* so many of them are there now */
    uint64_t made_bytes[TABLE_OUTPUTS_MAX];
    uint64_t records, rows; /* rows: of the file */
    uint64_t not_unique;    /* rows dropped: another with the same values stays */
    enum row_keep keep;     /* the one that came first, or last */
    uint64_t later;         /* records of a run that came after the time asked for */
    uint64_t not_present;   /* rows dropped: no value where one was wanted */
    uint32_t columns;
    uint32_t columns_renamed; /* their name was taken by another path */
    uint64_t duplicate_keys;  /* members lost to a later one of the same name */
    uint64_t lone_surrogates; /* U+FFFD in their place */
    uint64_t empty;           /* responses without a body */
    uint64_t nulls;           /* null where a record should be */
    /* documents that were not JSON but said some, by what they were */
    uint64_t read_as[BODY_WAS_COUNT];
    struct table_skips skipped[TABLE_NAMED_COUNT];
    uint64_t bytes_in, bytes_out;
    uint64_t wall_us, cpu_us;    /* cpu: of the workers */
    unsigned passes;             /* over the whole input */
    struct table_schema *schema; /* the columns and their types; the build's; NULL without types */
    const struct table_schema *before; /* the options' */
    /* What was expected and is not so: then the result is RESULT_INVALID, and the table stands in the files of `outputs`,
     * which have other names than those of the options. */
    struct contract_verdict verdict;
};

struct table_build;

/** Told once, on the loop thread. */
typedef void table_done_fn(void *context, const struct table_report *report);

MUST_CHECK enum result table_build_start(struct table_build **build, struct work *work,
                                         const struct table_options *options,
                                         struct record_source *source, table_done_fn *done,
                                         void *context, struct err *err);

/** Any time between start and free. */
void table_build_progress(const struct table_build *build, struct table_progress *progress);

/** Workers stop at their next record; `done` follows with RESULT_CANCELLED, unless the table was
 *  complete by then. */
void table_build_cancel(struct table_build *build);

/** From `done` on: the report's schema is the caller's now. */
struct table_schema *table_build_take_schema(struct table_build *build);

/** After `done`. NULL is fine. */
void table_build_free(struct table_build *build);

#endif
