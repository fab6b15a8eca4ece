/**
 * Segment reader: reads single lines back, by what the ledger says of them.
 *
 * Ownership  a reader owns its descriptors.
 * Errors     those of store/segment_file.h.
 * Threads    one at a time for a reader.
 */
#ifndef SCRAPETOP_STORE_SEGMENT_READER_H
#define SCRAPETOP_STORE_SEGMENT_READER_H

#include "base/buf.h"
#include "store/line.h"
#include "store/record.h"
#include "store/segment_bytes.h"

#define SEGMENT_READER_FILES 4

/** Reads lines back; keeps a few files open. */
struct segment_reader {
    int raw_fd; /* borrowed */
    struct {
        uint32_t number; /* 0: unused */
        struct segment_bytes bytes;
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

/** The same up to the time: the view has `fetched_at` besides. */
MUST_CHECK enum result segment_read_time(struct segment_reader *reader, const struct record *record,
                                         struct buf *line, struct line_view *view, struct err *err);

#endif
