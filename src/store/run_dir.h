/**
 * The run directory: opened once, safely, and held by one process.
 *
 *   job.json        the job as given (run_dir_replace)
 *   urls-N.txt      the N-th list of URLs, as it was when the run began
 *   values-N        what stdin had for the job's N-th variable
 *   ledger.db       what was asked and how it ended (store/ledger.h); -wal and -shm beside it while
 *                   in use
 *   raw/            bodies (store/segment.h)
 *   events.jsonl    what happened (store/event_log.h), and events.1.jsonl before that, in a long run
 *   lock            the pid of the process that holds the run; stays behind, locked or not
 *   control         where its control socket is (control/socket_place.h); only while running
 *   ballast         space to give back when the disk is full (store/ballast.h); only while running
 *
 * Created 0700; refused when it is a symlink, another user's, or writable by others. It is locked twice for
 * as long as it is open: the directory itself, so that the lock is not gone with a file; and the file, of which
 * readers can ask who holds it without touching it. A stale lock never blocks. All files of the run are opened relative to
 * `fd` with O_NOFOLLOW|O_CLOEXEC. A directory that holds anything else and no ledger is not ours and
 * is refused.
 *
 * Ownership  run_dir_close releases everything but the struct.
 * Errors     E-DIR1 unsafe or unusable directory (RESULT_DENIED, or the errno's), E-DIR2 not a run
 *            directory (RESULT_INVALID), E-DIR3 a file in it cannot be read or written, E-DIR4 removed or
 *            replaced under the run (RESULT_NOT_FOUND), E-LOCK1 in use by pid N since TIME
 *            (RESULT_BUSY), E-LOCK2 another process has come to hold it (RESULT_NOT_FOUND). A
 *            reader's missing directory is RESULT_NOT_FOUND.
 */
#ifndef SCRAPETOP_STORE_RUN_DIR_H
#define SCRAPETOP_STORE_RUN_DIR_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

#define RUN_DIR_LIST_PREFIX "urls-"
#define RUN_DIR_VALUES_PREFIX "values-"
/* ends the name of what is to take a file's place: session/run_growth.h */
#define RUN_DIR_NEW ".new"
#define RUN_DIR_LEDGER "ledger.db"
#define RUN_DIR_CONTROL "control"

struct run_dir {
    int fd;      /* O_DIRECTORY */
    int lock_fd; /* -1 when opened for reading only */
    char *path;  /* as given, without slashes at its end */
    bool fresh;  /* there is no ledger yet */
    /* The file system tells a file by the same number whether it is open or named: not all do. Without,
     * only what is gone altogether is noticed (run_dir_look). */
    bool has_inodes;
};

/** For a run: creates it when missing, with the directories above it, and takes the lock. */
MUST_CHECK enum result run_dir_open(struct run_dir *dir, const char *path, struct err *err);

/** For raw, verify, status, normalise: must exist and hold a ledger; takes no lock, writes nothing. */
MUST_CHECK enum result run_dir_open_readonly(struct run_dir *dir, const char *path,
                                             struct err *err);

/** The same of a directory that may have no ledger yet (`fresh`), as another process is just making it. */
MUST_CHECK enum result run_dir_open_for_look(struct run_dir *dir, const char *path,
                                             struct err *err);
void run_dir_close(struct run_dir *dir);

/** Whether what this process holds is still there, under the same path. A lock that was removed is put back.
 *  Any thread, one at a time. */
MUST_CHECK enum result run_dir_look(const struct run_dir *dir, struct err *err);

/** The same of a file of the run: whether `name` in `dir_fd` is what `fd` has open. */
MUST_CHECK enum result run_dir_look_at(const struct run_dir *dir, int dir_fd, const char *name,
                                       int fd, struct err *err);

struct run_holder {
    bool held;
    pid_t pid;        /* 0 when it could not be read */
    int64_t since_us; /* wall clock */
};

/** The process that runs it at this moment. */
MUST_CHECK enum result run_dir_holder(const struct run_dir *dir, struct run_holder *holder,
                                      struct err *err);

/** Sets an existing run aside by renaming it to PATH.1, PATH.2, ... ; never deletes. RESULT_NOT_FOUND
 *  when there is none; RESULT_BUSY while a process runs it. `aside` gets the new name (to free). */
MUST_CHECK enum result run_dir_set_aside(const char *path, char **aside, struct err *err);

/** Opens a regular file of the run and nothing else: a link is not followed, a FIFO or a device is not
 *  waited for but refused (RESULT_DENIED). With O_CREAT in `flags` (those of open(2)) it is made 0600. The
 *  caller closes `*fd`. */
MUST_CHECK enum result run_dir_open_file(const struct run_dir *dir, const char *name, int flags,
                                         int *fd, struct err *err);

/** Whole small file (job.json) up to `max` bytes, appended to `out`. */
MUST_CHECK enum result run_dir_read(const struct run_dir *dir, const char *name, size_t max,
                                    struct buf *out, struct err *err);

/** The same of one that the caller has opened, as all of it or from where it stands. */
MUST_CHECK enum result run_dir_read_opened(const struct run_dir *dir, const char *name, int fd,
                                           size_t max, struct buf *out, struct err *err);

/** Temp name, write, fsync, rename, fsync the directory. The run's lock is held, or the name is the caller's own. */
MUST_CHECK enum result run_dir_replace(const struct run_dir *dir, const char *name,
                                       struct str bytes, struct err *err);

/** The same in a directory that is no run's: several processes may do so at once, and the last one's file stands. */
MUST_CHECK enum result run_dir_replace_unlocked(const struct run_dir *dir, const char *name,
                                                struct str bytes, struct err *err);

#endif
