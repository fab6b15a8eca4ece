/**
 * Where a table's records come from: files, standard input, or a run.
 *
 * A source says where bodies lie, in the plan's order; their reader (table/table_build) does so
 * in parallel. A table needs several passes, so a source is rewound between them and must then give the
 * same pieces again, even if the run behind it has grown meanwhile.
 *
 * Ownership  `close` frees the source. Paths and descriptors in a piece are the source's and live
 *            until then; its place and variables are gone with the next call.
 * Errors     `next` and `rewind` as usual; an error ends the table.
 * Threads    calls come from pool threads, one at a time.
 */
#ifndef SCRAPETOP_NORMALISE_RECORD_SOURCE_H
#define SCRAPETOP_NORMALISE_RECORD_SOURCE_H

#include "base/body_format.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Stands before each text of a JSON text sequence (RFC 7464). */
#define JSON_SEQUENCE_MARK '\x1E'

enum record_form {
    RECORD_DOCUMENT, /* one JSON text */
    RECORD_LINES, /* whole lines, each a JSON text (with JSON_SEQUENCE_MARK before it, perhaps) or blank */
    RECORD_RAW,   /* one line of a run's raw segment (normalise/raw_line.h) */
    RECORD_CELLS, /* whole rows of a CSV file, each a record */
    RECORD_PART,  /* some members of a container in a large document; see split_source.h */
};

struct cells_file;  /* normalise/cells_file.h */
struct packed_text; /* read/packed_text.h */

struct record_piece {
    enum record_form form;
    int fd;           /* open for reading, or -1: the reader opens `path` */
    const char *path; /* also names the piece in messages */
    /* RECORD_RAW: where the bytes are, and neither in `fd` nor in `path`; NULL: they are there */
    const struct packed_text *packed;
    uint64_t offset, length; /* bytes */
    uint64_t begin;          /* of the file that is meant, within the one that is read */
    const char *fault;   /* RECORD_DOCUMENT: why there is nothing in it; NULL: see for yourself */
    enum body_format as; /* RECORD_DOCUMENT: BODY_XML, when it is known to be that */
    /* RECORD_DOCUMENT: bytes that are not to be read, as they were handed out as RECORD_PART before;
     * without them it is a whole document. Length 0: none. */
    uint64_t gap, gap_length;
    /* RECORD_CELLS: what the columns are called, and the line in which the piece begins, from 1. */
    const struct cells_file *cells;
    uint64_t line;
    /* RECORD_PART: the step of the records pointer that walks over these, and whether they are named. */
    unsigned step;
    bool named;
    /* RECORD_RAW: where its request stands in the plan's order (plan/sort_key.h); until the source's next call. */
    struct str place;
    /* RECORD_RAW: stand for the line's "vars", unless empty; until the source's next call. */
    struct str vars;
    /* RECORD_RAW: `crc32c` is what the ledger says of the line, so that damage to it is seen. */
    bool is_sealed;
    uint32_t crc32c;
};

struct record_source {
    /** `*more` is false, and the piece untouched, at the end. */
    enum result (*next)(struct record_source *source, struct record_piece *piece, bool *more,
                        struct err *err);
    enum result (*rewind)(struct record_source *source, struct err *err);
    void (*close)(struct record_source *source);
    /* In all, for progress; 0 when not known. `next` may set them, so only its callers read them. */
    uint64_t bytes, records;
};

#endif
