/**
 * Formats: what a table may be written as. Each is a value; all of them are the rows of formats.c.
 *
 * A table is written by several workers and one writer (table_writer.h). A worker has an encoder, which turns
 * the rows of its chunk into blocks of bytes. The format's table takes the blocks one at a time, in the plan's
 * order, and makes the file of them. So a file's bytes depend on rows and blocks, not on the number of workers.
 *
 * To add a format: write its file and give it a row in TABLE_FORMATS below. Options, job file, its schema, manual and
 * messages take its name and endings from there.
 *
 * A format that is plain bytes may be packed (packing.h): items.csv.gz.
 *
 * Ownership  what `open` and `encoder_new` return is the format's own; `close` and `encoder_free` free it.
 *            A struct format_target and all that it points to outlive both.
 * Errors     of `open`, `take` and `finish` each format's own, or those of the target's `write`. `add` and `flush`:
 *            RESULT_NOMEM, RESULT_CANCELLED from the sequencer, RESULT_DENIED for a row that the format refuses
 *            (never RESULT_INVALID, which is a document's), and RESULT_CORRUPT for a value that is not of its
 *            column's type, which can only be while types are a guess, or if the input has changed.
 * Threads    an encoder belongs to one worker. Of one table, `take` is called one at a time, and `finish`
 *            and `close` after all encoders are gone.
 */
#ifndef SCRAPETOP_TABLE_FORMAT_H
#define SCRAPETOP_TABLE_FORMAT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "normalise/rows.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct layout;
struct sequencer;
struct table_packing;
struct table_spec;

/* What is written, as whom, and where to: borrowed by the format until it is closed. */
struct format_target {
    const char *path;
    const struct layout *layout;
    const struct table_spec *spec;
    /* Puts bytes into the file, after those before. Of formats without `has_place` only. */
    enum result (*write)(void *context, struct str bytes, struct err *err);
    void *context;
    const atomic_bool *stop; /* becomes true when nobody waits for the table any more; or NULL */
};

/* Where a block stands: `sequencer` has been entered for `chunk`; `more` blocks of it follow. */
struct format_turn {
    struct sequencer *sequencer;
    uint64_t chunk;
    bool more;
};

struct table_format {
    const char *name;    /* "jsonl": for --format and the job file */
    const char *endings; /* of file names, the usual one first: "jsonl ndjson" */
    const char *about;   /* one sentence for the manual */
    const char *between; /* what stands between two blocks with rows, or NULL */
    bool typed;          /* the columns' types are needed */
    /* it is for a database: --table names the table, --key says which rows are replaced */
    bool has_keys;
    bool packable;    /* the bytes of its blocks are the file's */
    bool has_place;   /* it writes where `path` says by itself: never standard output */
    bool may_be_away; /* its place is no file, and RESULT_BUSY may pass: it is waited for */

    /* Of a format with a place of its own: whether that could be written to now. */
    enum result (*check)(const char *path, struct err *err);
    enum result (*open)(void **table, const struct format_target *target, struct err *err);
    /* A block, which is not empty. NULL: its bytes are the file's. */
    enum result (*take)(void *table, struct str block, struct err *err);
    /* After the last block. NULL: nothing is left to do. */
    enum result (*finish)(void *table, struct err *err);
    void (*close)(void *table); /* also without `finish`: then nothing may have changed */

    void *(*encoder_new)(void *table); /* NULL when out of memory */
    void (*encoder_free)(void *encoder);
    /* The row has the layout's columns. `lone_surrogates` is raised by the number of U+FFFD written for them. */
    enum result (*add)(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err);
    /* Memory that rows take which are not in the block yet. NULL: all are. */
    size_t (*held)(const void *encoder);
    /* Completes the block. May wait for the chunks before (sequencer_await). NULL: it is complete after each row. */
    enum result (*flush)(void *encoder, struct buf *block, const struct format_turn *turn,
                         struct err *err);
};

/** All of them: a new one is its file and a row here. The first is what a name without an ending means. */
#define TABLE_FORMATS(FIRST, ROW)                                                                  \
    FIRST(csv) ROW(tsv) ROW(parquet) ROW(jsonl) ROW(json) ROW(sqlite) ROW(postgres) ROW(singer)

#define TABLE_FORMAT_EXTERN(name) extern const struct table_format name##_format;
TABLE_FORMATS(TABLE_FORMAT_EXTERN, TABLE_FORMAT_EXTERN)
#undef TABLE_FORMAT_EXTERN

/** With a NULL after the last. */
extern const struct table_format *const table_formats[];

/* Their names, for help and completion: "csv, tsv, ...". */
#define TABLE_FORMAT_WORDS TABLE_FORMATS(TABLE_FORMAT_FIRST_WORD, TABLE_FORMAT_WORD)
#define TABLE_FORMAT_FIRST_WORD(name) #name
#define TABLE_FORMAT_WORD(name) ", " #name

/** By name, or NULL. */
const struct table_format *table_format_named(struct str name);

#define TABLE_ENDINGS_MAX 256

/** ".csv, .tsv, .parquet ..., and .gz or .zst after ..." for messages. */
const char *table_endings(char text[TABLE_ENDINGS_MAX]);

/** Appends "csv csv.gz csv.zst tsv ...". */
MUST_CHECK enum result table_formats_endings(struct buf *out);

/** Appends a list of formats and packings for the manual, in man's macros. */
MUST_CHECK enum result table_formats_describe(struct buf *out);

/* A file that is to be made. */
struct table_output {
    const char *path; /* "-": standard output */
    const struct table_format *format;
    const struct table_packing *packing; /* NULL: none */
};

#define TABLE_OUTPUTS_MAX 8 /* of one pass over the records */
#define TABLE_OUTPUTS_TEXT 512

/** "a.csv, b.parquet", as far as there is room. */
const char *table_outputs_text(const struct table_output *outputs, size_t count,
                               char text[TABLE_OUTPUTS_TEXT]);

/** Whose files end so: "csv", "jsonl.gz". NULL: none's. */
const struct table_format *table_format_ending(struct str ending);

/** Borrows the path. Its ending tells the format; `format`, if not NULL, takes names that tell none. Without it, a
 *  name without an ending, or with one that no format could have ("data.2026-11-21"), is CSV. E-ARG1: there is no
 *  such format, the ending is of another one, or the format cannot go there. */
MUST_CHECK enum result table_output_init(struct table_output *output, const char *path,
                                         const struct table_format *format, struct err *err);

/** Likewise of a format that is no row of TABLE_FORMATS: names may end as those of `like`, as none, and in a packing. */
MUST_CHECK enum result table_output_init_like(struct table_output *output, const char *path,
                                              const struct table_format *format,
                                              const struct table_format *like, struct err *err);

/** The directories that the file lies in, if it is one. */
void table_output_make_parents(const struct table_output *output);

/** Whether the file could be made now, so that a long run need not end without it. */
MUST_CHECK enum result table_output_check(const struct table_output *output, struct err *err);

#endif
