/**
 * Raw segments: raw/00000001.jsonl and on, append-only, one record a line (store/line.h).
 *
 * The writer gathers bytes and writes them in large pieces; nothing is durable before segment_sync,
 * and nothing counts before the ledger has the new committed length. What lies after that length is
 * a tail without meaning: segment_recover cuts it at the next start, readers never look at it. A
 * segment of SEGMENT_MAX_BYTES or more is left alone and the next one begun.
 *
 * Ownership  the writer owns its descriptor and buffer; a reader its descriptors.
 * Errors     RESULT_FULL (ENOSPC, EDQUOT, EFBIG): segment_rewind, then try again later. Any other
 *            is final (RESULT_IO): after a failed sync nothing may be written to the file, and a
 *            second sync would lie. E-DISK1 no space, E-DISK2 any other I/O error, E-SEG1 shorter
 *            than the ledger says, E-SEG2 a damaged record, E-SEG3 no regular file (a link, a FIFO, a
 *            device: none of them is waited for), E-LEDG4 a segment is missing.
 * Threads    none of its own; segment_read_line may be called by one thread at a time for a reader.
 */
#ifndef SCRAPETOP_STORE_SEGMENT_H
#define SCRAPETOP_STORE_SEGMENT_H

#include "base/buf.h"
#include "base/err.h"
#include "store/line.h"
#include "store/record.h"
#include "store/run_dir.h"

#define SEGMENT_DIR "raw"
#define SEGMENT_MAX_BYTES (256U << 20)
#define SEGMENT_NAME_SIZE sizeof "00000001.jsonl"

/** What the ledger knows of a segment. */
struct segment_extent {
    uint32_t number;     /* from 1 */
    uint64_t committed;  /* [0, committed) counts */
    uint64_t last_batch; /* where the last committed batch began */
    uint64_t body_bytes; /* of the bodies in it */
    uint64_t lines;
};

void segment_name(uint32_t number, char name[SEGMENT_NAME_SIZE]);

/** Opens raw/, creating it (0700) when `create`; the ledger, created after it, makes its name durable. */
MUST_CHECK enum result segment_dir_open(const struct run_dir *dir, bool create, int *raw_fd,
                                        struct err *err);

/** Whether raw/ holds any bytes: a run without a ledger must not. */
MUST_CHECK enum result segment_dir_is_empty(int raw_fd, bool *empty, struct err *err);

/** Compares a file with its extent: cuts a tail (adding to `*discarded`) and syncs, refuses a file
 *  that is missing or too short. */
MUST_CHECK enum result segment_recover(int raw_fd, const struct segment_extent *extent,
                                       uint64_t *discarded, struct err *err);

/** Reads the last committed batch and checks every line's CRC: an unclean stop may hide a lost page. */
MUST_CHECK enum result segment_check_last_batch(int raw_fd, const struct segment_extent *extent,
                                                struct err *err);

/** A segment that the ledger names, for who reads it in pieces of his own. The caller closes `*fd`. */
MUST_CHECK enum result segment_open_to_read(int raw_fd, uint32_t number, int *fd, struct err *err);

/** Calls `visit` for every segment file that is not empty, in order of number. Ends when it says other than
 *  RESULT_OK, with that. */
MUST_CHECK enum result segment_each_file(int raw_fd,
                                         enum result (*visit)(void *context, uint32_t number,
                                                              uint64_t size, struct err *err),
                                         void *context, struct err *err);

/** Calls `visit` for every whole line from byte `from` on whose CRC is right, to the end of the file; passes
 *  over all else. Of the record the endpoint is not known. */
MUST_CHECK enum result segment_each_line(int raw_fd, uint32_t number, uint64_t from,
                                         enum result (*visit)(void *context, struct record *record,
                                                              const struct line_view *line,
                                                              struct err *err),
                                         void *context, struct err *err);

/** fdatasync of a file that another process may have written. */
MUST_CHECK enum result segment_sync_file(int raw_fd, uint32_t number, struct err *err);

/** The file being written. The archive sets `extent` once the ledger has a new one; nobody else writes
 *  to any field. */
struct segment {
    int raw_fd; /* borrowed */
    int fd;     /* -1: none yet */
    struct segment_extent extent;
    uint64_t end; /* where the next line goes */
    char *out;    /* gathered, not yet written */
    size_t out_len;
};

MUST_CHECK enum result segment_init(struct segment *segment, int raw_fd, struct err *err);
void segment_release(struct segment *segment);

/** Goes on with the last segment of an earlier session, after segment_recover. */
MUST_CHECK enum result segment_resume(struct segment *segment, const struct segment_extent *extent,
                                      struct err *err);

/** Begins the next file: its name is durable when this returns; the ledger is to be told before the
 *  first line. Skips numbers whose file is there and is not empty: nothing is ever overwritten. */
MUST_CHECK enum result segment_begin_next(struct segment *segment, struct err *err);

/** True when there is no file yet or the present one has its size. */
bool segment_is_full(const struct segment *segment);

MUST_CHECK enum result segment_append(struct segment *segment, struct str bytes, struct err *err);

/** Writes what is gathered. */
MUST_CHECK enum result segment_flush(struct segment *segment, struct err *err);

/** fdatasync. A failure is final. */
MUST_CHECK enum result segment_sync(struct segment *segment, struct err *err);

/** Forgets everything after extent.committed, in the file too. */
MUST_CHECK enum result segment_rewind(struct segment *segment, struct err *err);

#define SEGMENT_READER_FILES 4

/** Reads lines back; keeps a few files open. */
struct segment_reader {
    int raw_fd; /* borrowed */
    struct {
        uint32_t number; /* 0: unused */
        int fd;
    } files[SEGMENT_READER_FILES];
    unsigned next; /* to be replaced */
};

void segment_reader_init(struct segment_reader *reader, int raw_fd);
void segment_reader_release(struct segment_reader *reader);

/** Reads, parses and checks one record's line. `line` is reset first and owns what `view` shows.
 *  RESULT_CORRUPT (E-SEG2) tells damage: bytes missing, not a line, CRC or id wrong. */
MUST_CHECK enum result segment_read_line(struct segment_reader *reader, const struct record *record,
                                         struct buf *line, struct line_view *view, struct err *err);

/** Reads no more of the line than its key takes, and checks only the id. The view has `id` and `key`. */
MUST_CHECK enum result segment_read_key(struct segment_reader *reader, const struct record *record,
                                        struct buf *line, struct line_view *view, struct err *err);

#endif
