#include "store/ledger_sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_shortage(int errnum)
{
    return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
}

/* What the last failed call on the log said. sqlite3_system_errno tells what errno is by the time that
 * the transaction has been rolled back, which may be something else. */
static int log_errno(const struct ledger *ledger)
{
    sqlite3_file *log = NULL;
    int errnum = 0;

    if (sqlite3_file_control(ledger->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
        log && log->pMethods) {
        (void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &errnum);
    }
    return errnum;
}

/* Whether a failed call ran out of space rather than into a broken disk. SQLite says FULL for ENOSPC
 * only. A failed sync is never taken for it: the pages are gone. */
static bool is_full(const struct ledger *ledger, int code)
{
    switch (code & 0xFF) {
    case SQLITE_FULL:
        return true;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
            return false;
        }
        return is_shortage(sqlite3_system_errno(ledger->db)) ||
               (code == SQLITE_IOERR_WRITE && is_shortage(log_errno(ledger)));
    case SQLITE_CANTOPEN:
        return is_shortage(sqlite3_system_errno(ledger->db));
    default:
        return false;
    }
}

enum result ledger_fail(const struct ledger *ledger, const char *doing, struct err *err)
{
    int code = sqlite3_extended_errcode(ledger->db);
    const char *text = sqlite3_errmsg(ledger->db);

    if (is_full(ledger, code)) {
        return err_set(err, RESULT_FULL, "E-DISK1", "%s: no space left while %s", ledger->path,
                       doing);
    }
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return err_nomem(err, doing);
    case SQLITE_NOTADB:
        return err_set(err, RESULT_CORRUPT, "E-LEDG1", "%s is not a ledger (%s)", ledger->path,
                       text);
    case SQLITE_CORRUPT:
        return err_set(err, RESULT_CORRUPT, "E-LEDG3",
                       "%s is damaged (%s while %s): put it back from a copy, or begin anew with "
                       "--fresh (the old run is set aside, not deleted)",
                       ledger->path, text, doing);
    case SQLITE_READONLY:
        return err_set(err, RESULT_IO, "E-DIR1", "%s: %s while %s", ledger->path, text, doing);
    case SQLITE_BUSY:
        return err_set(err, RESULT_BUSY, "E-LOCK1", "%s is held by another program while %s",
                       ledger->path, doing);
    default:
        return err_set(err, RESULT_IO, "E-DISK2", "%s: %s while %s (SQLite code %d)", ledger->path,
                       text, doing, code);
    }
}

sqlite3_stmt *ledger_statement(struct ledger *ledger, enum statement which, enum result *result,
                               struct err *err)
{
    sqlite3_stmt **prepared = &ledger->statements[which];

    *result = RESULT_OK;
    if (!*prepared && sqlite3_prepare_v3(ledger->db, ledger_statements[which], -1,
                                         SQLITE_PREPARE_PERSISTENT, prepared, NULL) != SQLITE_OK) {
        *result = ledger_fail(ledger, "preparing a query", err);
        return NULL;
    }
    return *prepared;
}

enum result ledger_step(struct ledger *ledger, sqlite3_stmt *st, const char *doing, struct err *err)
{
    enum result result = RESULT_OK;

    if (sqlite3_step(st) != SQLITE_DONE) {
        result = ledger_fail(ledger, doing, err);
    }
    sqlite3_reset(st);
    return result;
}

enum result ledger_run(struct ledger *ledger, enum statement which, const char *doing,
                       struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, which, &result, err);

    return st ? ledger_step(ledger, st, doing, err) : result;
}

bool ledger_next_row(struct ledger *ledger, sqlite3_stmt *st, enum result *result, struct err *err)
{
    int code = sqlite3_step(st);

    if (code == SQLITE_ROW) {
        return true;
    }
    *result = code == SQLITE_DONE ? RESULT_OK : ledger_fail(ledger, "reading the ledger", err);
    sqlite3_reset(st);
    return false;
}

void ledger_roll_back(struct ledger *ledger)
{
    if (ledger->db && !sqlite3_get_autocommit(ledger->db)) {
        (void)sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

struct str ledger_column_text(sqlite3_stmt *st, int column)
{
    const unsigned char *text = sqlite3_column_text(st, column);

    return (struct str){ (const char *)text, (size_t)sqlite3_column_bytes(st, column) };
}

struct str ledger_column_bytes(sqlite3_stmt *st, int column)
{
    const void *bytes = sqlite3_column_blob(st, column); /* before its length: it may convert */

    return (struct str){ bytes, (size_t)sqlite3_column_bytes(st, column) };
}

uint64_t ledger_column_u64(sqlite3_stmt *st, int column)
{
    sqlite3_int64 value = sqlite3_column_int64(st, column);

    return value < 0 ? 0 : (uint64_t)value;
}

void ledger_bind_text(sqlite3_stmt *st, int at, struct str text)
{
    /* SQLite keeps no pointer beyond the step that follows. */
    sqlite3_bind_text(st, at, text.data ? text.data : "", (int)text.len, SQLITE_STATIC);
}

void ledger_bind_optional(sqlite3_stmt *st, int at, struct str text)
{
    if (text.data) {
        ledger_bind_text(st, at, text);
    } else {
        sqlite3_bind_null(st, at);
    }
}

void ledger_bind_clock(const struct ledger *ledger, sqlite3_stmt *st)
{
    const struct ledger_clock *clock = &ledger->clock;
    int wall = sqlite3_bind_parameter_index(st, ":wall");

    sqlite3_bind_null(st, wall);
    if (clock->wall_us) {
        sqlite3_bind_int64(st, wall, clock->wall_us);
    }
    sqlite3_bind_null(st, sqlite3_bind_parameter_index(st, ":boot"));
    if (clock->boot) {
        sqlite3_bind_int64(st, sqlite3_bind_parameter_index(st, ":boot"),
                           (sqlite3_int64)clock->boot);
        sqlite3_bind_int64(st, sqlite3_bind_parameter_index(st, ":now"),
                           (sqlite3_int64)clock->now_us);
    }
}

void ledger_read_tried(sqlite3_stmt *st, int column, struct ledger_tried *tried)
{
    int status = sqlite3_column_int(st, column);
    int outcome = sqlite3_column_int(st, column + 1), class = sqlite3_column_int(st, column + 2);
    int by = sqlite3_column_int(st, column + 3);

    /* Somebody may have written into it: a number that is none is no index. */
    outcome = outcome >= 0 && outcome < OUTCOME_COUNT ? outcome : OUTCOME_LOCAL;
    class = class > 0 && class < FAILURE_CLASS_COUNT ? class : FAILURE_OTHER;
    by = by > 0 && by < DUE_BY_COUNT ? by : DUE_NONE;
    tried->last = (struct last_try){
        .outcome = (enum outcome)outcome,
        .status = status,
        .failure = { (enum failure_class) class, class == FAILURE_STATUS ? status : 0 },
    };
    tried->due = (struct due){
        .by = (enum due_by)by,
        .status = status,
        .wait_us = ledger_column_u64(st, column + 4),
        .ceiling_us = ledger_column_u64(st, column + 5),
    };
    snprintf(tried->due.host, sizeof tried->due.host, "%.*s",
             STR_ARG(ledger_column_text(st, column + 6)));
    snprintf(tried->due.said, sizeof tried->due.said, "%.*s",
             STR_ARG(ledger_column_text(st, column + 7)));
    tried->reason = ledger_column_text(st, column + 8);
}

struct record ledger_record(sqlite3_stmt *st)
{
    return (struct record){
        .id = ledger_column_u64(st, 0),
        .offset = ledger_column_u64(st, 1),
        .length = (uint32_t)ledger_column_u64(st, 2),
        .segment = (uint32_t)ledger_column_u64(st, 3),
        .crc32c = (uint32_t)ledger_column_u64(st, 4),
        .status = (uint16_t)ledger_column_u64(st, 5),
        .endpoint = (uint16_t)ledger_column_u64(st, 6),
    };
}

char *ledger_copy_vars(struct str vars)
{
    char *copy = calloc(1, vars.len + 1);

    if (copy) {
        memcpy(copy, vars.data, vars.len);
    }
    return copy;
}
