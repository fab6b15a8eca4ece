/**
 * The run directory: opened once, safely, and held by one process.
 *
 * Created 0700; refused when it is a symlink, another user's, or writable by others; a lock file
 * with our pid is flock'd for as long as it is open (so a stale one never blocks). All files of the
 * run are opened relative to `fd` with O_NOFOLLOW|O_CLOEXEC. A directory that is not empty and holds
 * no ledger is not ours and is refused.
 *
 * Errors  E-DIR1 unsafe or unusable directory (RESULT_DENIED, or the errno's), E-DIR2 not a run
 *         directory, E-LOCK1 in use by pid N since TIME (RESULT_BUSY).
 */
#ifndef SCRAPETOP_STORE_RUN_DIR_H
#define SCRAPETOP_STORE_RUN_DIR_H

#include "base/buf.h"
#include "base/err.h"

struct run_dir {
    int fd;      /* O_DIRECTORY */
    int lock_fd; /* -1 when opened for reading only */
    char *path;  /* as given */
    bool fresh;  /* nothing was in it */
};

/** For a run: creates it when missing, takes the lock. */
MUST_CHECK enum result run_dir_open(struct run_dir *dir, const char *path, struct err *err);

/** For raw, verify, status, normalise: must exist, takes no lock. */
MUST_CHECK enum result run_dir_open_readonly(struct run_dir *dir, const char *path,
                                             struct err *err);
void run_dir_close(struct run_dir *dir);

/** Sets an existing run aside by renaming it to PATH.1, PATH.2, ... ; never deletes. RESULT_NOT_FOUND
 *  when there is none; RESULT_BUSY while a process runs it. `aside` gets the new name (to free). */
MUST_CHECK enum result run_dir_set_aside(const char *path, char **aside, struct err *err);

/** Whole small file (job.json) up to `max` bytes. */
MUST_CHECK enum result run_dir_read(const struct run_dir *dir, const char *name, size_t max,
                                    struct buf *out, struct err *err);

/** Temp name, write, fsync, rename, fsync the directory. */
MUST_CHECK enum result run_dir_replace(const struct run_dir *dir, const char *name,
                                       struct str bytes, struct err *err);

#endif
