#include "store/ledger_sql.h"

#include <unistd.h>

#define LOG_PAGES_MAX 1000 /* SQLite's own figure for folding the log */

/* ---- writing ---- */

enum result ledger_begin(struct ledger *ledger, struct err *err)
{
    ledger->folded = false;
    return ledger_run(ledger, SQL_BEGIN, "beginning a commit", err);
}

static void bind_row(sqlite3_stmt *st, const struct settlement *settlement)
{
    const struct request *request = settlement->response->request;
    const struct record *record = &settlement->record;

    sqlite3_bind_int64(st, 1, (sqlite3_int64)request->id);
    sqlite3_bind_int(st, 2, (int)settlement->state);
    sqlite3_bind_int(st, 3, (int)request->endpoint);
    sqlite3_bind_int64(st, 4, request->attempt);
    sqlite3_bind_int(st, 5, settlement->response->status);
    sqlite3_bind_int(st, 6, (int)settlement->body_kind);
    if (record->length) {
        sqlite3_bind_int64(st, 7, record->segment);
        sqlite3_bind_int64(st, 8, (sqlite3_int64)record->offset);
        sqlite3_bind_int64(st, 9, record->length);
        sqlite3_bind_int64(st, 10, record->crc32c);
    } else {
        for (int i = 7; i <= 10; i++) {
            sqlite3_bind_null(st, i);
        }
    }
}

/* What its last try came to and, of one that waits, who set the deadline: TRIED_COLUMNS. */
static void bind_tried(sqlite3_stmt *st, const struct settlement *settlement)
{
    const struct request *request = settlement->response->request;
    const struct due *due = &request->due;
    bool waits = settlement->state == SETTLE_WAITING;

    sqlite3_bind_int(st, 13, (int)request->last.outcome);
    sqlite3_bind_int(st, 14, (int)request->last.failure.class);
    sqlite3_bind_int(st, 15, (int)(waits ? due->by : DUE_NONE));
    sqlite3_bind_int64(st, 16, waits ? (sqlite3_int64)due->wait_us : 0);
    sqlite3_bind_int64(st, 17, waits ? (sqlite3_int64)due->ceiling_us : 0);
    ledger_bind_text(st, 18, str_view(waits ? due->host : ""));
    ledger_bind_text(st, 19, str_view(waits ? due->said : ""));
    ledger_bind_text(st, 20, str_view(request->reason));
    ledger_bind_text(st, 21, settlement->url.data ? settlement->url : request->url);
}

/* So that the deadline outlives both a restart and a wall clock that is set. */
static void bind_deadline(const struct ledger *ledger, sqlite3_stmt *st,
                          const struct settlement *settlement)
{
    bool waits = settlement->state == SETTLE_WAITING;

    for (int i = 22; i <= 24; i++) {
        sqlite3_bind_null(st, i);
    }
    if (waits && settlement->waits_us) {
        sqlite3_bind_int64(st, 22, (sqlite3_int64)settlement->waits_us);
    }
    if (waits && ledger->clock.boot) {
        sqlite3_bind_int64(st, 23, (sqlite3_int64)settlement->response->request->due_us);
        sqlite3_bind_int64(st, 24, (sqlite3_int64)ledger->clock.boot);
    }
}

void ledger_set_clock(struct ledger *ledger, const struct ledger_clock *clock)
{
    ledger->clock = *clock;
}

enum result ledger_put(struct ledger *ledger, const struct settlement *settlement, bool *duplicate,
                       struct err *err)
{
    bool done = settlement->state == SETTLE_DONE;
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, done ? SQL_PUT_ENDED : SQL_PUT_OPEN, &result, err);

    if (!st) {
        ledger_roll_back(ledger);
        return result;
    }
    bind_row(st, settlement);
    if (!done) {
        const struct request *request = settlement->response->request;

        ledger_bind_text(st, 11, request->key);
        if (settlement->state == SETTLE_WAITING) {
            sqlite3_bind_int64(st, 12, settlement->not_before_wall_us);
        } else {
            sqlite3_bind_null(st, 12);
        }
        bind_tried(st, settlement);
        bind_deadline(ledger, st, settlement);
    }
    result = ledger_step(ledger, st, "settling a request", err);
    *duplicate = result == RESULT_OK && sqlite3_changes(ledger->db) == 0;
    if (result == RESULT_OK && !*duplicate) {
        uint64_t id = settlement->response->request->id;

        result = done ? ledger_forget_said(ledger, id, err)
                      : ledger_put_said(ledger, id, &settlement->said, err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    if (result == RESULT_OK && settlement->response->request->is_marked) {
        result = ledger_drop_sending(ledger, settlement->response->request->id, err);
    }
    return result == RESULT_OK && settlement->response->request->exchange.asked
               ? ledger_put_exchange(ledger, settlement, err)
               : result;
}

enum result ledger_put_segment(struct ledger *ledger, const struct segment_extent *extent,
                               struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_SEGMENT, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, extent->number);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)extent->committed);
        sqlite3_bind_int64(st, 3, (sqlite3_int64)extent->last_batch);
        sqlite3_bind_int64(st, 4, (sqlite3_int64)extent->body_bytes);
        sqlite3_bind_int64(st, 5, (sqlite3_int64)extent->lines);
        result = ledger_step(ledger, st, "noting a segment's length", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_put_planned(struct ledger *ledger, uint64_t planned, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_PLANNED, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)planned);
        result = ledger_step(ledger, st, "noting the plan's size", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

const char *ledger_note_name(enum ledger_note note)
{
    static const char *const names[LEDGER_NOTES] = {
        [LEDGER_NOTE_TOKENS] = LEDGER_KEPT_TOKENS,
        [LEDGER_NOTE_HTTP] = "http",
        [LEDGER_NOTE_FLEET] = "fleet",
    };

    return names[note];
}

enum result ledger_put_kept(struct ledger *ledger, const char *name, struct str text,
                            struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_KEPT, &result, err);

    if (st) {
        ledger_bind_text(st, 1, str_view(name));
        ledger_bind_text(st, 2, text);
        result = ledger_step(ledger, st, "keeping a copy of the job", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_commit(struct ledger *ledger, struct err *err)
{
    enum result result = ledger_run(ledger, SQL_COMMIT, "committing", err);

    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    } else if (ledger->log_pages >= LOG_PAGES_MAX) {
        result = ledger_checkpoint(ledger, false, err);
    }
    return result;
}

enum result ledger_session_begin(struct ledger *ledger, int64_t wall_us, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SESSION_BEGIN, &result, err);

    ledger->folded = false;
    if (st) {
        sqlite3_bind_int64(st, 1, getpid());
        sqlite3_bind_int64(st, 2, wall_us);
        result = ledger_step(ledger, st, "noting the start", err);
    }
    return result;
}

enum result ledger_session_end(struct ledger *ledger, int64_t wall_us, bool clean, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SESSION_END, &result, err);

    ledger->folded = false;
    if (st) {
        sqlite3_bind_int64(st, 1, wall_us);
        sqlite3_bind_int(st, 2, clean);
        result = ledger_step(ledger, st, "noting the end", err);
    }
    return result;
}

/* ---- reading ---- */

enum result ledger_read_kept(struct ledger *ledger, const char *name, struct buf *out,
                             struct err *err)
{
    enum result result = RESULT_OK;
    bool found = false;
    sqlite3_stmt *st = NULL;

    if (ledger->version >= 3) {
        st = ledger_statement(ledger, SQL_KEPT, &result, err);
    }
    if (st) {
        ledger_bind_text(st, 1, str_view(name));
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        found = true;
        if (buf_append_str(out, ledger_column_text(st, 0)) != RESULT_OK) {
            sqlite3_reset(st);
            return err_nomem(err, "reading the ledger");
        }
    }
    return result == RESULT_OK && !found ? err_set(err, RESULT_NOT_FOUND, "E-LEDG5",
                                                   "%s has no copy of %s", ledger->path, name)
                                         : result;
}

enum result ledger_each_row(struct ledger *ledger,
                            void (*visit)(void *context, const struct ledger_row *row),
                            void *context, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_ROWS, &result, err);

    if (st) {
        ledger_bind_clock(ledger, st);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        struct ledger_row row = {
            .id = ledger_column_u64(st, 0),
            .state = (enum settle_state)sqlite3_column_int(st, 1),
            .attempt = (uint32_t)ledger_column_u64(st, 2),
            .endpoint = (uint32_t)ledger_column_u64(st, 3),
            .status = sqlite3_column_int(st, 5),
        };

        if (row.state != SETTLE_DONE) {
            struct ledger_tried tried;

            ledger_read_tried(st, 5, &tried);
            row.not_before_wall_us = sqlite3_column_int64(st, 4);
            row.last = tried.last;
            row.due = tried.due;
            row.reason = tried.reason;
        }
        visit(context, &row);
    }
    return result;
}

enum result ledger_each_segment(struct ledger *ledger,
                                enum result (*visit)(void *context,
                                                     const struct segment_extent *extent,
                                                     struct err *err),
                                void *context, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SEGMENTS, &result, err);

    while (st && ledger_next_row(ledger, st, &result, err)) {
        struct segment_extent extent = {
            .number = (uint32_t)ledger_column_u64(st, 0),
            .committed = ledger_column_u64(st, 1),
            .last_batch = ledger_column_u64(st, 2),
            .body_bytes = ledger_column_u64(st, 3),
            .lines = ledger_column_u64(st, 4),
        };

        result = visit(context, &extent, err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
    }
    return result;
}

enum result ledger_read_index(struct ledger *ledger, enum ledger_index index, uint64_t after_id,
                              struct record *records, size_t max, size_t *count, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_INDEX, &result, err);

    *count = 0;
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, after_id > INT64_MAX ? INT64_MAX : (sqlite3_int64)after_id);
    sqlite3_bind_int(st, 2, (int)index);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)max);
    while (ledger_next_row(ledger, st, &result, err)) {
        records[(*count)++] = ledger_record(st);
    }
    return result;
}
