/**
 * Reading a descriptor to its end: files that are read whole, standard input, pipes.
 *
 * Errors   RESULT_IO, and errno says why; RESULT_LIMIT when there is more than the buf's ceiling; RESULT_NOMEM. What
 *          was read by then stays in the buf.
 * Threads  any. It waits for as long as the descriptor does.
 */
#ifndef SCRAPETOP_BASE_READ_ALL_H
#define SCRAPETOP_BASE_READ_ALL_H

#include "base/buf.h"

/** Appends all that is left. Room that was reserved is filled first: with enough of it no copy of a secret is left in
 *  memory that was given back. */
MUST_CHECK enum result read_all(int fd, struct buf *to);

#endif
