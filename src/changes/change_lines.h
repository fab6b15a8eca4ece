/**
 * Changes as lines of JSON in a temporary file: what the table of changes is made of.
 *
 *   {"_time":...,"_round":2,"_endpoint":"items", key..., "_change":"changed","_field":"price","_from":"1","_to":"2"}
 *
 * A line for each value that changed; of a record that was added or is gone one line, with the record in `_to` or
 * `_from` as JSON. Values are text, so that a column keeps its type whatever comes.
 *
 * Ownership  change_lines_end hands the descriptor to the caller; change_lines_drop is for who does not get that far.
 * Errors     RESULT_NOMEM; E-IN2 when the file cannot be made or written.
 * Threads    one.
 */
#ifndef SCRAPETOP_CHANGES_CHANGE_LINES_H
#define SCRAPETOP_CHANGES_CHANGE_LINES_H

#include "base/buf.h"
#include "changes/differ.h"

struct change_lines {
    const char *endpoint; /* borrowed */
    int64_t until_us;     /* changes that were seen later are left out; 0: none is */
    uint64_t later;       /* of them */
    int fd;
    struct buf held;
};

MUST_CHECK enum result change_lines_begin(struct change_lines *lines, const char *endpoint,
                                          int64_t until_us, struct err *err);

/** Fits struct differ_options. */
MUST_CHECK enum result change_lines_take(void *lines, const struct change *change, struct err *err);

/** Lines of changes as they are, of the written journal, say. */
MUST_CHECK enum result change_lines_take_lines(void *lines, struct str text, struct err *err);

/** One line, without a file. */
MUST_CHECK enum result change_line_append(struct buf *out, const char *endpoint,
                                          const struct change *change);

MUST_CHECK enum result change_lines_end(struct change_lines *lines, int *fd, struct err *err);
void change_lines_drop(struct change_lines *lines);

#define CHANGE_COLUMNS "_time", "_round", "_endpoint", "_change", "_field", "_from", "_to"

#endif
