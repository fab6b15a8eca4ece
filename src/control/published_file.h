/**
 * A small file that other programs read while it is written anew: metrics, a run's totals.
 *
 * It is written beside and renamed, so that a reader has the old or the new one, and on the thread pool, so that a slow
 * disk does not stop the loop. While one text is being written, the latest that came waits.
 *
 * Ownership  published_file_close frees what there is once the pool is done with it.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_CONTROL_PUBLISHED_FILE_H
#define SCRAPETOP_CONTROL_PUBLISHED_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <uv.h>

struct published_file;

/** `path` is borrowed until the close. */
MUST_CHECK enum result published_file_new(struct published_file **file, uv_loop_t *loop,
                                          const char *path, struct err *err);

/** Takes the content of `text`. */
void published_file_put(struct published_file *file, struct buf *text);

/** Why the last one whose writing has ended could not be written, as an errno; 0: it was. */
int published_file_trouble(const struct published_file *file);

/** What is being written or waits is written to its end. NULL is allowed. */
void published_file_close(struct published_file *file);

#endif
