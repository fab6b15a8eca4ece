/*
 * The ledger's files while it is open: how long to wait for another program that holds them, whether they are
 * still there, and when the log is folded into the database.
 */
#include "store/ledger_sql.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static int on_busy(void *context, int times)
{
    const struct ledger *ledger = context;
    const struct timespec step = { .tv_nsec = LEDGER_BUSY_STEP_MS * 1000000L };

    if (!ledger->waits(ledger->waits_context, (unsigned)times * LEDGER_BUSY_STEP_MS)) {
        return 0;
    }
    nanosleep(&step, NULL);
    return 1;
}

void ledger_set_busy_handler(struct ledger *ledger)
{
    if (ledger->waits) {
        sqlite3_busy_handler(ledger->db, on_busy, ledger);
    } else {
        sqlite3_busy_timeout(ledger->db, LEDGER_BUSY_MS);
    }
}

void ledger_set_patience(struct ledger *ledger, bool (*waits)(void *context, unsigned waited_ms),
                         void *context)
{
    ledger->waits = waits;
    ledger->waits_context = context;
    ledger_set_busy_handler(ledger);
}

/* The same file as ever under that name; the first look finds out which that is. */
static bool is_there(const struct ledger *ledger, const char *name, struct ledger_file *file,
                     bool *has_shrunk)
{
    struct stat st;

    if (fstatat(ledger->dir->fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
        return false;
    }
    if (!file->is_known) {
        *file = (struct ledger_file){ true, st.st_dev, st.st_ino, 0 };
    }
    *has_shrunk = st.st_size < file->size;
    file->size = st.st_size;
    return !ledger->dir->has_inodes || (st.st_dev == file->device && st.st_ino == file->inode);
}

enum result ledger_look(struct ledger *ledger, struct err *err)
{
    int has_moved = 0;
    bool is_cut = false, log_is_folded = false;

    /* SQLite knows what it has opened; of the log it does not tell. */
    (void)sqlite3_file_control(ledger->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    has_moved &= ledger->dir->has_inodes;
    if (has_moved || !is_there(ledger, RUN_DIR_LEDGER, &ledger->database, &is_cut) ||
        !is_there(ledger, RUN_DIR_LEDGER "-wal", &ledger->log, &log_is_folded) ||
        !is_there(ledger, RUN_DIR_LEDGER "-shm", &ledger->index, &log_is_folded)) {
        return err_set(err, RESULT_NOT_FOUND, "E-DIR4",
                       "%s, or its -wal or -shm, was removed or replaced while the run was at work",
                       ledger->path);
    }
    if (is_cut) { /* SQLite only ever lets it grow */
        return err_set(err, RESULT_NOT_FOUND, "E-DIR4", "%s was cut while the run was at work",
                       ledger->path);
    }
    return RESULT_OK;
}

enum result ledger_checkpoint(struct ledger *ledger, bool truncate, struct err *err)
{
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    enum result result = RESULT_OK;

    sqlite3_busy_timeout(ledger->db, 0);
    if (sqlite3_wal_checkpoint_v2(ledger->db, NULL, mode, NULL, NULL) != SQLITE_OK) {
        result = ledger_fail(ledger, "folding the log", err);
    }
    ledger_set_busy_handler(ledger);
    ledger->log_pages = 0;
    ledger->folded = truncate && result == RESULT_OK;
    /* A reader in the way, or no room for the database to grow: the log is as good a place. */
    return result == RESULT_BUSY || result == RESULT_FULL ? RESULT_OK : result;
}
