/**
 * A chunk: the records that one worker takes on at a time, and how it reads them.
 *
 * Pieces that a record_source gave are gathered up to CHUNK_BYTES; chunk_read fetches their bytes
 * and tells of each document in them. The reader keeps its buffer and its open file from one chunk
 * to the next.
 *
 * Ownership  chunk_reader_release closes the file and frees the buffer; documents live during the
 *            call that is told of them.
 * Errors     chunk_read: RESULT_NOMEM, RESULT_LIMIT (E-TAB3) for a piece that is larger than the
 *            reader may hold, E-IN2 when a file cannot be read, E-TAB2 when it got shorter; or what the
 *            callback answered. Of a run's record that cannot be read, or is not the one that the
 *            ledger names, the callback is told: that is no error.
 * Threads    one worker a reader.
 */
#ifndef SCRAPETOP_TABLE_CHUNK_H
#define SCRAPETOP_TABLE_CHUNK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "normalise/raw_line.h"
#include "normalise/record_source.h"
#include "read/csv_cells.h"
#include "read/packed_text.h"

#include <stdbool.h>
#include <stdint.h>

#define CHUNK_BYTES ((uint64_t)1 << 20)
/* Of a table of thousands of columns: what is done for each of them once in a chunk is done for more values. */
#define CHUNK_BYTES_WIDE ((uint64_t)3 << 20)
#define CHUNK_WIDE_COLUMNS 512
#define CHUNK_PIECES_MAX 4096

struct chunk {
    uint64_t number; /* place in the plan's order, from 0 */
    struct record_piece *pieces;
    size_t count, cap;
    uint64_t bytes;
    struct buf vars; /* of its pieces: sources forget them */
};

/** Fills the chunk with the source's next pieces, until they have `bytes`; none when it has ended. */
MUST_CHECK enum result chunk_gather(struct chunk *chunk, struct record_source *source,
                                    uint64_t bytes, struct err *err);
void chunk_release(struct chunk *chunk);

enum document_kind {
    DOCUMENT_JSON,    /* should be JSON; nobody has looked yet */
    DOCUMENT_PART,    /* members of a container in a large document, likewise */
    DOCUMENT_REST,    /* that document without them */
    DOCUMENT_OTHER,   /* was no JSON when it came, and is kept as text */
    DOCUMENT_EMPTY,   /* a response without a body */
    DOCUMENT_DAMAGED, /* a record of a run that is not there as it was written */
};

struct document {
    enum document_kind kind;
    struct str text;            /* of the first three kinds */
    unsigned step;              /* DOCUMENT_PART: see struct record_piece */
    bool named;                 /* likewise */
    const char *path;           /* file that it lies in */
    struct str key;             /* of a run's record, still escaped; else STR_NONE */
    const struct raw_line *raw; /* all that the run's line says; NULL in files */
    uint64_t line;              /* in files of lines, from 1; else 0 */
    uint64_t offset;            /* DOCUMENT_DAMAGED: of the record in that file */
    const char *damage;         /* likewise: "does not match its CRC" */
    enum body_format as;        /* BODY_XML, when it is known to be that */
    bool is_texts; /* all values are strings, whatever they say: numbers are to be found in them */
    const char *fault;            /* why there is no row in it; NULL: see for yourself */
    uint64_t cells, cells_wanted; /* of a row of CSV; what its header has; 0: no such row */
    bool continued; /* the file began in an earlier chunk: `line` counts from this one's start */
};

/* Lines of the last file that a chunk reaches, so that the next chunk can count on. */
struct chunk_lines {
    const char *path;
    uint64_t count;
    bool continued;
};

typedef enum result chunk_document_fn(void *context, const struct document *document);

struct chunk_reader {
    struct buf bytes;
    struct buf json; /* of a row of CSV */
    struct csv_row cells;
    uint64_t piece_max; /* bytes of one piece */
    const char *path;   /* that `fd` was opened by */
    int fd;             /* -1: none */
    struct packed_window window;
};

void chunk_reader_init(struct chunk_reader *reader, uint64_t piece_max);
void chunk_reader_release(struct chunk_reader *reader);

/** `lines` is filled in. */
MUST_CHECK enum result chunk_read(struct chunk_reader *reader, const struct chunk *chunk,
                                  chunk_document_fn *fn, void *context, struct chunk_lines *lines,
                                  struct err *err);

#endif
