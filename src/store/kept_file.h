/**
 * Kept file: a small file with secrets in it (cookies, a refresh token) that outlives the process.
 *
 * It is made 0600, and is refused when others may read it; a link is not followed. A write goes to
 * a temporary name, is synced, renamed and
 * synced with its directory, so that after any crash there is the old content or the new one, whole.
 *
 * Ownership  kept_file_close releases everything but the struct.
 * Errors     E-SEC1: somebody else can read it, or owns it, or it is no file; E-DIR3: it cannot be read or written.
 * Threads    any, one at a time for each file.
 */
#ifndef SCRAPETOP_STORE_KEPT_FILE_H
#define SCRAPETOP_STORE_KEPT_FILE_H

#include "base/buf.h"
#include "store/run_dir.h"

struct kept_file {
    struct run_dir dir; /* of the file */
    char *name;
    bool is_borrowed; /* the directory is the run's */
};

/** A file of the run. */
MUST_CHECK enum result kept_file_of_run(struct kept_file *file, const struct run_dir *dir,
                                        const char *name, struct err *err);

/** Any file; its directory must exist. */
MUST_CHECK enum result kept_file_at(struct kept_file *file, const char *path, struct err *err);

/** Zeroed is closed. */
void kept_file_close(struct kept_file *file);

/** Appends all of it. RESULT_NOT_FOUND: there is none. RESULT_LIMIT: it is longer than `max`. */
MUST_CHECK enum result kept_file_read(const struct kept_file *file, size_t max, struct buf *out,
                                      struct err *err);

MUST_CHECK enum result kept_file_write(const struct kept_file *file, struct str bytes,
                                       struct err *err);

#endif
