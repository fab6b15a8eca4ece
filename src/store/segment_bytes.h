/**
 * A segment's bytes, be its file packed or not.
 *
 * Ownership  segment_bytes_close. One reader at a time; for more, each has a window of its own (segment_bytes_read_by).
 * Errors     those of store/segment_file.h; E-SEG2 a packed file that is damaged.
 * Threads    open and close: one. Reading by own windows: any number.
 */
#ifndef SCRAPETOP_STORE_SEGMENT_BYTES_H
#define SCRAPETOP_STORE_SEGMENT_BYTES_H

#include "read/packed_text.h"
#include "store/segment_file.h"

#include <sys/types.h>

struct segment_bytes {
    int fd;                     /* -1: it is packed, or not open */
    struct packed_text *packed; /* NULL: it is not */
    struct packed_window window;
};

/** A segment that the ledger names. */
MUST_CHECK enum result segment_bytes_open(struct segment_bytes *bytes, int raw_fd, uint32_t number,
                                          struct err *err);
void segment_bytes_close(struct segment_bytes *bytes);

/** How many there are; the file may have more by now. */
MUST_CHECK enum result segment_bytes_size(const struct segment_bytes *bytes, uint32_t number,
                                          uint64_t *size, struct err *err);

/** As pread(2): fewer than `len` now and then, 0 at the end, -1 and errno. EBADMSG: a packed frame is damaged. */
ssize_t segment_bytes_read(struct segment_bytes *bytes, void *to, size_t len, uint64_t offset);

#endif
