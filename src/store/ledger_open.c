#include "store/ledger_sql.h"

#include "base/os.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x5354504C /* "STPL" */
#define VERSION 6
#define TEMP_NAME ".ledger.db.tmp"

/* What is the same in all versions that have it. */
#define FOUND_COLUMNS                                                                              \
    " id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, digest BLOB NOT NULL,"                    \
    " place BLOB NOT NULL, key TEXT NOT NULL, url TEXT NOT NULL, body TEXT, vars TEXT, etag TEXT," \
    " chain INTEGER, number INTEGER NOT NULL,"                                                     \
    " ordinal INTEGER NOT NULL, total INTEGER NOT NULL, expected INTEGER NOT NULL,"                \
    " size INTEGER NOT NULL, empty INTEGER NOT NULL, kind INTEGER NOT NULL,"                       \
    " named_by INTEGER NOT NULL, moved INTEGER NOT NULL"

#define FOUND_INDEXES                                                                              \
    "CREATE UNIQUE INDEX found_once ON found(endpoint,digest);"                                    \
    "CREATE INDEX found_place ON found(endpoint,place);"                                           \
    "CREATE TABLE page_note("                                                                      \
    " request INTEGER NOT NULL, kind INTEGER NOT NULL, text TEXT NOT NULL,"                        \
    " PRIMARY KEY(request,kind)) STRICT, WITHOUT ROWID;"

#define SAID_TABLE                                                                                 \
    "CREATE TABLE said("                                                                           \
    " request INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, headers TEXT NOT NULL,"                 \
    " body BLOB NOT NULL, body_bytes INTEGER NOT NULL) STRICT;"

#define EXCHANGE_TABLES                                                                            \
    "CREATE TABLE exchange("                                                                       \
    " request INTEGER PRIMARY KEY, url TEXT, asked INTEGER NOT NULL, waited_us INTEGER NOT NULL,"  \
    " is_foreign INTEGER NOT NULL, from_public INTEGER NOT NULL, with_get INTEGER NOT NULL) "      \
    "STRICT;"                                                                                      \
    "CREATE TABLE kept(name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;"

#define PAGE_TABLE                                                                                 \
    "CREATE TABLE page("                                                                           \
    " endpoint INTEGER NOT NULL, chain INTEGER NOT NULL, id INTEGER NOT NULL,"                     \
    " ordinal INTEGER NOT NULL, records INTEGER NOT NULL, total INTEGER,"                          \
    " expected INTEGER NOT NULL, size INTEGER NOT NULL, crc32c INTEGER NOT NULL,"                  \
    " ended INTEGER NOT NULL, PRIMARY KEY(endpoint,chain,id)) STRICT, WITHOUT ROWID;"

/* A new ledger: what the steps below make of an old one, and in the same order of columns, but made
 * at once: ALTER TABLE looks through all of the schema each time.
 *
 * The partial index costs nothing for done rows and finds the few others without a walk over all. The
 * check lets quick_check see a damaged state; as a list, IN (1,2,3), it would double the cost of a
 * row. */
static const char schema_new[] =
    "CREATE TABLE request("
    " id INTEGER PRIMARY KEY, state INTEGER NOT NULL CHECK(state BETWEEN 1 AND 3),"
    " endpoint INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, status INTEGER NOT NULL, body INTEGER NOT NULL,"
    " segment INTEGER, line_at INTEGER, line_bytes INTEGER, crc32c INTEGER,"
    " key TEXT, reason TEXT, due_said TEXT, not_before_us INTEGER, outcome INTEGER,"
    " class INTEGER, due_by INTEGER, due_wait_us INTEGER, due_ceiling_us INTEGER,"
    " due_host TEXT, due_length_us INTEGER, due_at_us INTEGER, due_boot INTEGER, url TEXT) STRICT;"
    "CREATE INDEX request_open ON request(state) WHERE state<>1;"
    "CREATE TABLE segment("
    " number INTEGER PRIMARY KEY, committed INTEGER NOT NULL, last_batch INTEGER NOT NULL,"
    " body_bytes INTEGER NOT NULL, lines INTEGER NOT NULL) STRICT;"
    "CREATE TABLE session("
    " number INTEGER PRIMARY KEY, pid INTEGER NOT NULL, started_us INTEGER NOT NULL,"
    " ended_us INTEGER, clean INTEGER) STRICT;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE found(" FOUND_COLUMNS ","
    " came INTEGER NOT NULL DEFAULT 0, previous INTEGER NOT NULL DEFAULT 0,"
    " most INTEGER NOT NULL DEFAULT 0, records_type INTEGER NOT NULL DEFAULT 0,"
    " records_at INTEGER NOT NULL DEFAULT 0, basis INTEGER NOT NULL DEFAULT 0,"
    " repeats INTEGER NOT NULL DEFAULT 0) STRICT;" FOUND_INDEXES "CREATE TABLE polled("
    " what BLOB PRIMARY KEY, etag TEXT, digest BLOB NOT NULL, request INTEGER,"
    " at_us INTEGER) STRICT, WITHOUT ROWID;" SAID_TABLE EXCHANGE_TABLES PAGE_TABLE;

/* What version 2 added. `moved`: it has got another place since it was found, and may have been asked
 * with what belonged to the first one. A row for a request of the plan's own is the first page of a
 * listing, there only so that the listing does not come back to it. */
static const char schema_2[] =
    "CREATE TABLE found(" FOUND_COLUMNS ") STRICT;" FOUND_INDEXES "CREATE TABLE polled("
    " what BLOB PRIMARY KEY, etag TEXT, digest BLOB NOT NULL) STRICT, WITHOUT ROWID;";

/* What version 3 added: copies of what stands beside the ledger, and facts in the place of words. The words of
 * before are read once, by the functions of ledger_guess.c; fresh ledgers have no rows that they would be
 * called for. */
static const char schema_3[] =
    "ALTER TABLE request RENAME COLUMN set_by TO due_said;"
    "ALTER TABLE request ADD COLUMN outcome INTEGER;"
    "ALTER TABLE request ADD COLUMN class INTEGER;"
    "ALTER TABLE request ADD COLUMN due_by INTEGER;"
    "ALTER TABLE request ADD COLUMN due_wait_us INTEGER;"
    "ALTER TABLE request ADD COLUMN due_ceiling_us INTEGER;"
    "ALTER TABLE request ADD COLUMN due_host TEXT;"
    "ALTER TABLE request ADD COLUMN due_length_us INTEGER;"
    "ALTER TABLE request ADD COLUMN due_at_us INTEGER;"
    "ALTER TABLE request ADD COLUMN due_boot INTEGER;"
    "ALTER TABLE request ADD COLUMN url TEXT;" SAID_TABLE
    "UPDATE request SET outcome=old_outcome(reason,status),class=old_class(reason,status),"
    "due_by=old_due_by(due_said),due_wait_us=old_due_wait(due_said),"
    "due_ceiling_us=old_due_ceiling(due_said),due_said=old_due_said(due_said)"
    " WHERE state<>1;" EXCHANGE_TABLES
    "ALTER TABLE found ADD COLUMN came INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE found ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE found ADD COLUMN most INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE found ADD COLUMN records_type INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE found ADD COLUMN records_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE found ADD COLUMN basis INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE found ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;" PAGE_TABLE;

/* And what the first ledgers of version 3 lack: those who read one can do without. */
static const char schema_sending[] =
    "CREATE TABLE IF NOT EXISTS sending("
    " id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " key TEXT NOT NULL, url TEXT NOT NULL) STRICT;";

/* What version 4 added: requests of the plan's own that a later plan no longer names, and what was found by them.
 * Those that are `pruned` are in no table. */
static const char schema_4[] =
    "CREATE TABLE gone(id INTEGER PRIMARY KEY, pruned INTEGER NOT NULL) STRICT;";

/* What version 5 added: whose line has the last body, and when it last came. Further rounds of `run
 * --again` put more into `meta` (ledger_again.c). */
static const char schema_5[] = "ALTER TABLE polled ADD COLUMN request INTEGER;"
                               "ALTER TABLE polled ADD COLUMN at_us INTEGER;";

/* What version 6 added: of a run that shares what it finds, what no other worker knows of yet, and where else a found
 * request would stand by others that led to it (ledger_shared.c). */
static const char schema_6[] = "CREATE TABLE IF NOT EXISTS outbox(seq INTEGER PRIMARY KEY "
                               "AUTOINCREMENT, id INTEGER NOT NULL) STRICT;"
                               "CREATE TABLE IF NOT EXISTS also(endpoint INTEGER NOT NULL, digest "
                               "BLOB NOT NULL, place BLOB NOT NULL,"
                               " vars TEXT) STRICT;"
                               "CREATE INDEX IF NOT EXISTS also_place ON also(endpoint,place);";

/* For who only reads a ledger that has none. */
static const char schema_4_empty[] =
    "CREATE TEMP TABLE gone(id INTEGER PRIMARY KEY, pruned INTEGER NOT NULL) STRICT;";

/* SQLite wants a path. Ours is taken from the open descriptor, so that it is the directory that was
 * checked, and without symlinks, so that SQLITE_OPEN_NOFOLLOW only refuses one in our place. */
static char *file_path(const struct run_dir *dir, const char *name)
{
    char target[PATH_MAX];
    size_t size;
    char *path;

    if (!os_path_of(dir->fd, target, sizeof target) && !realpath(dir->path, target)) {
        return NULL;
    }
    size = strlen(target) + strlen(name) + 2;
    path = malloc(size);
    if (path) {
        snprintf(path, size, "%s/%s", target, name);
    }
    return path;
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

/* Ours, of a version that we know? Notes which. */
static enum result look_at_header(struct ledger *ledger, struct err *err)
{
    int64_t application = 0, version = 0;
    enum result result = ask(ledger, "PRAGMA application_id", &application, err);

    if (result == RESULT_OK) {
        result = ask(ledger, "PRAGMA user_version", &version, err);
    }
    if (result != RESULT_OK) {
        return result;
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
    ledger->version = (int)version;
    return RESULT_OK;
}

/* "file:PATH?immutable=1", the path percent-encoded: how SQLite reads a file that does not change. */
static char *immutable_uri(char *path)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char head[] = "file:", tail[] = "?immutable=1";
    char *uri = path ? malloc(sizeof head + 3 * strlen(path) + sizeof tail) : NULL;
    char *to = uri;

    if (uri) {
        memcpy(to, head, strlen(head));
        to += strlen(head);
        for (const char *at = path; *at; at++) {
            if (isalnum((unsigned char)*at) || strchr("/._-", *at)) {
                *to++ = *at;
            } else {
                *to++ = '%';
                *to++ = hex[(unsigned char)*at >> 4];
                *to++ = hex[*at & 15];
            }
        }
        memcpy(to, tail, sizeof tail);
    }
    free(path);
    return uri;
}

/* Nobody asks how much memory SQLite has, and the account of it takes a lock at every block: eight times a row. Refused,
 * without harm, when something has opened a database before. */
static void leave_memory_uncounted(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum result open_file(struct ledger **opened, const struct run_dir *dir, const char *name,
                             bool immutable, struct err *err)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                (immutable ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    enum result result = RESULT_OK;

    pthread_once(&once, leave_memory_uncounted);
    *opened = NULL;
    if (ledger) {
        ledger->dir = dir;
        ledger->path = file_path(dir, name);
        if (immutable) {
            ledger->path = immutable_uri(ledger->path);
        }
    }
    if (!ledger || !ledger->path) {
        ledger_close(ledger);
        return err_nomem(err, "opening the ledger");
    }
    if (sqlite3_open_v2(ledger->path, &ledger->db, flags, NULL) != SQLITE_OK) {
        result = ledger->db ? ledger_fail(ledger, "opening it", err)
                            : err_nomem(err, "opening the ledger");
    }
    if (result == RESULT_OK) {
        sqlite3_extended_result_codes(ledger->db, 1);
        ledger_set_busy_handler(ledger);
        result = execute(ledger, "PRAGMA trusted_schema=OFF;PRAGMA cell_size_check=ON;",
                         "opening it", err);
    }
    if (result != RESULT_OK) {
        ledger_close(ledger);
        return result;
    }
    *opened = ledger;
    return RESULT_OK;
}

/* --- making and opening --------------------------------------------------------------------------- */

/* Without a journal and without a sync: it is nothing yet. */
static enum result fill_new(const struct run_dir *dir, struct err *err)
{
    char text[sizeof schema_new + sizeof schema_4 + sizeof schema_6 + sizeof schema_sending + 256];
    struct ledger *ledger;
    enum result result = open_file(&ledger, dir, TEMP_NAME, false, err);

    if (result != RESULT_OK) {
        return result;
    }
    snprintf(text, sizeof text,
             "PRAGMA synchronous=OFF;PRAGMA journal_mode=MEMORY;BEGIN;%s%s%s%s"
             "PRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT;PRAGMA journal_mode=WAL;",
             schema_new, schema_4, schema_6, schema_sending, APPLICATION_ID, VERSION);
    result = execute(ledger, text, "creating it", err);
    ledger->folded = true; /* its log, if there is one at all */
    ledger_close(ledger);
    return result;
}

/* Made under another name, synced whole, and then renamed: there is a ledger or there is none. The
 * directory's sync makes raw/ durable, too. */
static enum result create_ledger(const struct run_dir *dir, struct err *err)
{
    static const char *const leftovers[] = { TEMP_NAME, TEMP_NAME "-wal", TEMP_NAME "-shm" };
    enum result result;
    int fd;

    for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++) {
        (void)unlinkat(dir->fd, leftovers[i], 0); /* of a process that died here */
    }
    /* By our own hands: SQLite would make it, and what it puts beside it, readable by others. */
    fd = openat(dir->fd, TEMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return err_set_write(err, errno, "E-DISK2", "%s/" RUN_DIR_LEDGER ": cannot create",
                             dir->path);
    }
    result = fill_new(dir, err);
    if (result == RESULT_OK &&
        (os_fsync(fd) || renameat(dir->fd, TEMP_NAME, dir->fd, RUN_DIR_LEDGER) ||
         os_fsync(dir->fd))) {
        result =
            err_set_write(err, errno, "E-DISK2", "%s/" RUN_DIR_LEDGER ": cannot create", dir->path);
    }
    close(fd);
    return result;
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

/* A ledger of an earlier version gets what it lacks, all of it or nothing. */
static enum result upgrade(struct ledger *ledger, struct err *err)
{
    char text[sizeof schema_2 + sizeof schema_3 + sizeof schema_4 + sizeof schema_5 +
              sizeof schema_6 + sizeof schema_sending + 128];
    enum result result = RESULT_OK;

    if (ledger->version == VERSION) {
        return execute(ledger, schema_sending, "opening it", err);
    }
    snprintf(text, sizeof text, "BEGIN IMMEDIATE;%s%s%s%s%s%sPRAGMA user_version=%d;COMMIT;",
             ledger->version < 2 ? schema_2 : "", ledger->version < 3 ? schema_3 : "",
             ledger->version < 4 ? schema_4 : "", ledger->version < 5 ? schema_5 : "", schema_6,
             schema_sending, VERSION);
    result = ledger_add_guesses(ledger, err);
    if (result == RESULT_OK) {
        result = execute(ledger, text, "bringing it to this version", err);
    }
    ledger_roll_back(ledger);
    ledger->version = VERSION;
    return result;
}

/* Opens what is there, and looks whether it is a ledger. */
static enum result open_known(struct ledger **ledger, const struct run_dir *dir, bool immutable,
                              struct err *err)
{
    enum result result = open_file(ledger, dir, RUN_DIR_LEDGER, immutable, err);

    if (result == RESULT_OK) {
        result = look_at_header(*ledger, err);
    }
    if (result != RESULT_OK) {
        ledger_close(*ledger);
        *ledger = NULL;
    }
    return result;
}

enum result ledger_open(struct ledger **ledger, const struct run_dir *dir, bool *created,
                        struct err *err)
{
    struct stat st;
    enum result result = RESULT_OK;

    *ledger = NULL;
    *created = fstatat(dir->fd, RUN_DIR_LEDGER, &st, AT_SYMLINK_NOFOLLOW) || st.st_size == 0;
    if (*created) {
        result = create_ledger(dir, err);
    }
    if (result == RESULT_OK) {
        result = open_known(ledger, dir, false, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    result = use_wal(*ledger, err);
    if (result == RESULT_OK) {
        result = upgrade(*ledger, err);
    }
    if (result != RESULT_OK) {
        ledger_close(*ledger);
        *ledger = NULL;
    }
    return result;
}

enum result ledger_open_readonly(struct ledger **ledger, const struct run_dir *dir, struct err *err)
{
    struct stat st;
    bool has_log =
        fstatat(dir->fd, RUN_DIR_LEDGER "-wal", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
    /* On a read-only disk there is nowhere for an index, and nobody to change anything. */
    bool immutable = !has_log && faccessat(dir->fd, ".", W_OK, 0) != 0;
    enum result result = open_known(ledger, dir, immutable, err);

    if (result != RESULT_OK) {
        return result;
    }
    /* With a log even a reader has to write the index beside it; what it made it takes away again.
     * A log that was there is left: it may be the evidence that somebody looks for. */
    (*ledger)->folded = !has_log;
    if ((*ledger)->version >= 2) {
        result = ledger_read_seeds(*ledger, err);
    }
    if (result == RESULT_OK && (*ledger)->version < 3) {
        result = ledger_add_guesses(*ledger, err);
    }
    if (result == RESULT_OK && (*ledger)->version < 4) {
        result = execute(*ledger, schema_4_empty, "opening it", err);
    }
    if (result == RESULT_OK) {
        result = execute(*ledger, "PRAGMA query_only=ON;", "opening it", err);
        (*ledger)->only_reads = true;
    }
    if (result != RESULT_OK) {
        ledger_close(*ledger);
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
        /* The last to leave folds the log and takes it away. With a log in which there is something,
         * SQLite would thereby believe a sync after one that has failed. */
        (void)sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !ledger->folded,
                                NULL);
        sqlite3_close(ledger->db);
    }
    free(ledger->path);
    free(ledger);
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
