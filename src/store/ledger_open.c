#include "store/ledger_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x5354504C /* "STPL" */
#define VERSION 1
#define NAME "ledger.db"
#define OPEN_BUSY_MS 5000 /* a reader may be in the middle of a query when the mode changes */

/* The partial index costs nothing for done rows and finds the few others without a walk over all. */
static const char schema[] =
    "CREATE TABLE request("
    " id INTEGER PRIMARY KEY, state INTEGER NOT NULL CHECK(state IN (1,2,3)),"
    " endpoint INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, status INTEGER NOT NULL, body INTEGER NOT NULL,"
    " segment INTEGER, line_at INTEGER, line_bytes INTEGER, crc32c INTEGER,"
    " key TEXT, reason TEXT, set_by TEXT, not_before_us INTEGER) STRICT;"
    "CREATE INDEX request_open ON request(state) WHERE state<>1;"
    "CREATE TABLE segment("
    " number INTEGER PRIMARY KEY, committed INTEGER NOT NULL, last_batch INTEGER NOT NULL,"
    " body_bytes INTEGER NOT NULL, lines INTEGER NOT NULL) STRICT;"
    "CREATE TABLE session("
    " number INTEGER PRIMARY KEY, pid INTEGER NOT NULL, started_us INTEGER NOT NULL,"
    " ended_us INTEGER, clean INTEGER) STRICT;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* SQLite wants a path. Ours is taken from the open descriptor, so that it is the directory that was
 * checked, and without symlinks, so that SQLITE_OPEN_NOFOLLOW only refuses one in our place. */
static char *ledger_path(const struct run_dir *dir)
{
    char link[48];
    char target[PATH_MAX];
    size_t size;
    ssize_t len;
    char *path;

    snprintf(link, sizeof link, "/proc/self/fd/%d", dir->fd);
    len = readlink(link, target, sizeof target - 1);
    if (len > 0 && target[0] == '/') {
        target[len] = '\0';
    } else if (!realpath(dir->path, target)) {
        return NULL;
    }
    size = strlen(target) + sizeof "/" NAME;
    path = malloc(size);
    if (path) {
        snprintf(path, size, "%s/%s", target, NAME);
    }
    return path;
}

/* SQLite would make it readable by others; its -wal and -shm take after it. */
static enum result create_file(const struct run_dir *dir, struct err *err)
{
    int fd = openat(dir->fd, NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    S_IRUSR | S_IWUSR);

    if (fd < 0) {
        return errno == EEXIST
                   ? RESULT_OK
                   : err_set_errno(err, errno, "E-DIR1", "%s/%s: cannot create", dir->path, NAME);
    }
    close(fd);
    if (fsync(dir->fd)) {
        return err_set_errno(err, errno, "E-DISK2", "%s: cannot sync the directory", dir->path);
    }
    return RESULT_OK;
}

static enum result execute(struct ledger *ledger, const char *text, const char *doing,
                           struct err *err)
{
    if (sqlite3_exec(ledger->db, text, NULL, NULL, NULL) != SQLITE_OK) {
        return ledger_fail(ledger, doing, err);
    }
    return RESULT_OK;
}

/* One number that a PRAGMA or a query yields. */
static enum result ask(struct ledger *ledger, const char *text, int64_t *value, struct err *err)
{
    sqlite3_stmt *st = NULL;
    enum result result = RESULT_OK;

    if (sqlite3_prepare_v2(ledger->db, text, -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW) {
        result = ledger_fail(ledger, "opening it", err);
    } else {
        *value = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    return result;
}

static enum result create_schema(struct ledger *ledger, struct err *err)
{
    char text[sizeof schema + 160];
    enum result result;

    snprintf(text, sizeof text,
             "BEGIN IMMEDIATE;%sPRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT;", schema,
             APPLICATION_ID, VERSION);
    result = execute(ledger, text, "creating it", err);
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

/* Ours, of a version that we know? `*empty`: nothing is in it yet. */
static enum result look_at_header(struct ledger *ledger, bool *empty, struct err *err)
{
    int64_t application = 0, version = 0, tables = 0;
    enum result result = ask(ledger, "PRAGMA application_id", &application, err);

    if (result == RESULT_OK) {
        result = ask(ledger, "PRAGMA user_version", &version, err);
    }
    if (result == RESULT_OK) {
        result = ask(ledger, "SELECT count(*) FROM sqlite_schema", &tables, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    *empty = application == 0 && version == 0 && tables == 0;
    if (*empty) {
        return RESULT_OK;
    }
    if (application != APPLICATION_ID || version < 1) {
        return err_set(err, RESULT_CORRUPT, "E-LEDG1", "%s is not a ledger of scrapetop",
                       ledger->path);
    }
    if (version > VERSION) {
        return err_set(err, RESULT_CORRUPT, "E-LEDG2",
                       "%s is of version %lld, this scrapetop knows up to %d: use a newer one",
                       ledger->path, (long long)version, VERSION);
    }
    return RESULT_OK;
}

/* Everything behind the first lines is the same for both ways of opening. */
static enum result open_database(struct ledger **opened, const struct run_dir *dir, int flags,
                                 bool *empty, struct err *err)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    enum result result = RESULT_OK;

    if (ledger) {
        ledger->path = ledger_path(dir);
    }
    if (!ledger || !ledger->path) {
        ledger_close(ledger);
        return err_nomem(err, "opening the ledger");
    }
    if (sqlite3_open_v2(ledger->path, &ledger->db,
                        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK) {
        result = ledger->db ? ledger_fail(ledger, "opening it", err)
                            : err_nomem(err, "opening the ledger");
    }
    if (result == RESULT_OK) {
        sqlite3_extended_result_codes(ledger->db, 1);
        sqlite3_busy_timeout(ledger->db, OPEN_BUSY_MS);
        result = execute(ledger, "PRAGMA trusted_schema=OFF;PRAGMA cell_size_check=ON;",
                         "opening it", err);
    }
    if (result == RESULT_OK) {
        result = look_at_header(ledger, empty, err);
    }
    if (result != RESULT_OK) {
        ledger_close(ledger);
        return result;
    }
    *opened = ledger;
    return RESULT_OK;
}

/* Takes the place of SQLite's automatic checkpoint, which does not tell when its sync fails. */
static int note_log_pages(void *context, sqlite3 *db, const char *name, int pages)
{
    struct ledger *ledger = context;

    (void)db;
    (void)name;
    ledger->log_pages = pages;
    return SQLITE_OK;
}

static enum result use_wal(struct ledger *ledger, struct err *err)
{
    sqlite3_stmt *st = NULL;
    enum result result = RESULT_OK;

    if (sqlite3_prepare_v2(ledger->db, "PRAGMA journal_mode=WAL", -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW) {
        result = ledger_fail(ledger, "opening it", err);
    } else if (!str_equal(ledger_column_text(st, 0), STR("wal"))) {
        result =
            err_set(err, RESULT_IO, "E-DISK2",
                    "%s: this filesystem cannot hold a SQLite log; choose a local disk with -o",
                    ledger->path);
    } else if (sqlite3_step(st) != SQLITE_DONE) { /* only here is the mode written */
        result = ledger_fail(ledger, "opening it", err);
    }
    sqlite3_finalize(st);
    if (result == RESULT_OK) {
        result = execute(ledger, "PRAGMA synchronous=FULL;PRAGMA journal_size_limit=67108864;",
                         "opening it", err);
    }
    sqlite3_wal_hook(ledger->db, note_log_pages, ledger);
    return result;
}

enum result ledger_open(struct ledger **ledger, const struct run_dir *dir, bool *created,
                        struct err *err)
{
    enum result result = create_file(dir, err);

    if (result == RESULT_OK) {
        result = open_database(ledger, dir, SQLITE_OPEN_READWRITE, created, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    result = use_wal(*ledger, err);
    if (result == RESULT_OK && *created) {
        result = create_schema(*ledger, err);
    }
    if (result != RESULT_OK) {
        ledger_close(*ledger);
        *ledger = NULL;
    }
    return result;
}

/* A process that died while it opened the ledger may have left a journal to be rolled back, which a
 * reader's rights do not allow: then with ours, SQLite's locks see to it that nobody is disturbed. */
static enum result open_for_reading(struct ledger **ledger, const struct run_dir *dir, bool *empty,
                                    struct err *err)
{
    enum result result = open_database(ledger, dir, SQLITE_OPEN_READONLY, empty, err);

    if (result != RESULT_DENIED) {
        return result;
    }
    result = open_database(ledger, dir, SQLITE_OPEN_READWRITE, empty, err);
    if (result == RESULT_OK) {
        result = execute(*ledger, "PRAGMA query_only=ON;", "opening it", err);
        if (result != RESULT_OK) {
            ledger_close(*ledger);
        }
    }
    return result;
}

enum result ledger_open_readonly(struct ledger **ledger, const struct run_dir *dir, struct err *err)
{
    bool empty = false;
    enum result result = open_for_reading(ledger, dir, &empty, err);

    if (result == RESULT_OK && empty) {
        result = err_set(err, RESULT_INVALID, "E-DIR2", "%s: the run has not begun", dir->path);
        ledger_close(*ledger);
    }
    if (result != RESULT_OK) {
        *ledger = NULL;
    }
    return result;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger) {
        return;
    }
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(ledger->statements[i]);
    }
    if (ledger->db) {
        /* SQLite would fold the log here, and where a sync has failed before, believe a second one. */
        (void)sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_close(ledger->db);
    }
    free(ledger->path);
    free(ledger);
}

enum result ledger_checkpoint(struct ledger *ledger, bool truncate, struct err *err)
{
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    enum result result = RESULT_OK;

    sqlite3_busy_timeout(ledger->db, 0);
    if (sqlite3_wal_checkpoint_v2(ledger->db, NULL, mode, NULL, NULL) != SQLITE_OK) {
        result = ledger_fail(ledger, "folding the log", err);
    }
    sqlite3_busy_timeout(ledger->db, OPEN_BUSY_MS);
    ledger->log_pages = 0;
    /* A reader in the way, or no room for the database to grow: the log is as good a place. */
    return result == RESULT_BUSY || result == RESULT_FULL ? RESULT_OK : result;
}

enum result ledger_fold(struct ledger *ledger, struct err *err)
{
    enum result result = ledger_checkpoint(ledger, true, err);

    if (result == RESULT_OK) {
        result = execute(ledger, "PRAGMA journal_mode=DELETE", "folding the log", err);
    }
    return result == RESULT_BUSY || result == RESULT_FULL ? RESULT_OK : result;
}

enum result ledger_check(struct ledger *ledger, struct err *err)
{
    sqlite3_stmt *st = NULL;
    enum result result = RESULT_OK;

    if (sqlite3_prepare_v2(ledger->db, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW) {
        result = ledger_fail(ledger, "checking it", err);
    } else if (!str_equal(ledger_column_text(st, 0), STR("ok"))) {
        result = err_set(err, RESULT_CORRUPT, "E-LEDG3",
                         "%s is damaged (%s): put it back from a copy, or begin anew with --fresh "
                         "(the old run is set aside, not deleted)",
                         ledger->path, (const char *)sqlite3_column_text(st, 0));
    }
    sqlite3_finalize(st);
    return result;
}
