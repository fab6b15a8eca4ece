/*
 * Further rounds of a run that asks its plan once a night (`run --again`), and the newest answer of each request.
 *
 *   found   (round, seat)   a seat is a place without its round: seed, page, record
 *   newest  seed -> round   the latest in which all that the seed led to has come; else the latest in which it came itself
 *   table   of each seed the seats of that round, in their order; of each the newest answer to the same request
 *
 * A listing that broke off in the middle of a round so leaves the whole of the round before in the table, and one that
 * got shorter leaves nothing behind. A page that came to its last body again has that one, which `same` knows; what is no
 * page, or came to nothing, has the newest body that is stored of it: `polled` knows where. The temporary tables are made
 * anew when a table is begun.
 *
 * What came to nothing in a round is not asked for any more once the next begins: it is `gone` with LEFT_BEHIND. Rows
 * without a line, of rounds that count no more, are dropped then, so that a ledger grows by what has changed.
 */
#include "store/ledger_sql.h"

#include "plan/sort_key.h"

#include <string.h>

#define SEAT_FROM SORT_KEY_ROUND_BYTES

static const char begin_again[] =
    "CREATE INDEX IF NOT EXISTS found_seat ON found(endpoint,substr(place,5));"
    /* What was asked before there were rounds: its body is not compared, but known to be the newest. */
    "INSERT INTO polled(what,etag,digest,request,at_us)"
    " SELECT polled_as(f.endpoint,f.place,f.url,f.body),NULL,x'',r.id,"
    "(SELECT min(started_us) FROM session)"
    " FROM found f CROSS JOIN request r ON r.id=f.id WHERE r.state=1 AND r.line_bytes IS NOT NULL"
    " ON CONFLICT(what) DO UPDATE SET request=max(ifnull(request,0),excluded.request),"
    "at_us=ifnull(at_us,excluded.at_us);";

#define LEFT_BEHIND "2" /* gone.pruned: still a part of its round */

static const char leave_behind[] =
    "CREATE TABLE IF NOT EXISTS since_endpoint(endpoint INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE IF NOT EXISTS same(id INTEGER PRIMARY KEY, request INTEGER NOT NULL) STRICT;"
    "INSERT OR IGNORE INTO gone(id,pruned) SELECT id," LEFT_BEHIND " FROM request WHERE state<>1;"
    "DELETE FROM said WHERE request IN (SELECT id FROM request WHERE state<>1);"
    "DELETE FROM exchange WHERE request IN (SELECT id FROM request WHERE state<>1);"
    "DELETE FROM page_note WHERE request IN (SELECT id FROM request WHERE state<>1);"
    "DELETE FROM request WHERE state<>1;";

/* Whether an endpoint drops any: the endpoints that found something, each one look into the index. */
static const char any_drop[] =
    "WITH RECURSIVE e(at) AS (SELECT min(endpoint) FROM found UNION ALL"
    " SELECT (SELECT min(endpoint) FROM found WHERE endpoint>e.at) FROM e WHERE e.at IS NOT NULL)"
    " SELECT 1 FROM e WHERE at IS NOT NULL AND at NOT IN (SELECT endpoint FROM since_endpoint)";

/* Of listings the pages belong together. The first round is what a changed plan is compared with. */
static const char drop_old[] =
    "CREATE TEMP TABLE newest_drop(id INTEGER PRIMARY KEY);"
    "INSERT INTO temp.newest_drop(id) SELECT f.id FROM found f"
    " CROSS JOIN temp.newest n ON n.seed=substr(f.place,5,8)"
    " WHERE substr(f.place,1,4)>x'00000000' AND substr(f.place,1,4)<n.round"
    " AND f.chain IS NULL AND f.ordinal=0"
    " AND f.endpoint NOT IN (SELECT endpoint FROM since_endpoint)"
    " AND NOT EXISTS(SELECT 1 FROM page p WHERE p.endpoint=f.endpoint AND p.chain=f.id)"
    " AND NOT EXISTS(SELECT 1 FROM request r WHERE r.id=f.id AND r.body>0);"
    "DELETE FROM request WHERE id IN (SELECT id FROM temp.newest_drop);"
    "DELETE FROM gone WHERE id IN (SELECT id FROM temp.newest_drop);"
    "DELETE FROM page_note WHERE request IN (SELECT id FROM temp.newest_drop);"
    "DELETE FROM same WHERE id IN (SELECT id FROM temp.newest_drop);"
    "DELETE FROM found WHERE id IN (SELECT id FROM temp.newest_drop);"
    "DROP TABLE temp.newest_drop;";

static const char no_newest[] =
    "DROP TABLE IF EXISTS temp.newest;DROP TABLE IF EXISTS temp.newest_round;"
    "DROP TABLE IF EXISTS temp.newest_broken;DROP TABLE IF EXISTS temp.newest_asked;";

static const char find_newest[] =
    "CREATE TEMP TABLE newest_broken(at BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TEMP TABLE newest(seed BLOB PRIMARY KEY, round BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TEMP TABLE newest_round(round BLOB PRIMARY KEY) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO temp.newest_broken(at) SELECT substr(f.place,1,12)"
    " FROM found f LEFT JOIN request r ON r.id=f.id LEFT JOIN gone g ON g.id=f.id"
    " WHERE length(f.place)>12 AND ((r.id IS NULL AND g.id IS NULL) OR r.state=3"
    " OR (f.ordinal>0 AND (r.state=2 OR (r.id IS NULL AND g.pruned=" LEFT_BEHIND "))));"
    "INSERT INTO temp.newest(seed,round) SELECT substr(f.place,5,8),"
    "ifnull(max(CASE WHEN b.at IS NULL THEN substr(f.place,1,4) END),max(substr(f.place,1,4)))"
    " FROM found f CROSS JOIN request r ON r.id=f.id"
    " LEFT JOIN temp.newest_broken b ON b.at=f.place"
    " WHERE length(f.place)=12 AND r.state=1 GROUP BY 1;"
    "INSERT INTO temp.newest_round(round) SELECT DISTINCT round FROM temp.newest;"
    "DROP TABLE temp.newest_broken;";

static const char find_asked[] =
    "CREATE TEMP TABLE newest_asked(seed BLOB PRIMARY KEY, id INTEGER NOT NULL, round BLOB)"
    " WITHOUT ROWID;"
    "INSERT INTO temp.newest_asked(seed,id,round)"
    " SELECT substr(f.place,5,8),f.id,max(substr(f.place,1,4))"
    " FROM found f CROSS JOIN request r ON r.id=f.id WHERE length(f.place)=12 GROUP BY 1;";

static enum result execute(struct ledger *ledger, const char *text, const char *doing,
                           struct err *err)
{
    return sqlite3_exec(ledger->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? RESULT_OK
               : ledger_fail(ledger, doing, err);
}

/* --- what the statements call ---------------------------------------------------------------------------- */

static struct str text_of(sqlite3_value *value)
{
    const unsigned char *text = sqlite3_value_text(value);

    return text ? (struct str){ (const char *)text, (size_t)sqlite3_value_bytes(value) } : STR_NONE;
}

static struct str bytes_of(sqlite3_value *value)
{
    const void *bytes = sqlite3_value_blob(value);

    return (struct str){ bytes ? bytes : "", (size_t)sqlite3_value_bytes(value) };
}

/* By what the last answer of a request is known: (endpoint, place, url, body). */
static void polled_as(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct str place = bytes_of(values[1]);
    struct request_texts texts = { .url = text_of(values[2]), .body = text_of(values[3]) };
    uint8_t digest[DIGEST_BYTES];

    (void)count;
    if (place.len < SORT_KEY_SEED_BYTES) {
        sqlite3_result_null(context); /* of a ledger that is not as we write it */
    } else if (ledger_digest_polled((uint32_t)sqlite3_value_int64(values[0]), place, &texts,
                                    digest) != RESULT_OK) {
        sqlite3_result_error_nomem(context);
    } else {
        sqlite3_result_blob(context, digest, DIGEST_BYTES, SQLITE_TRANSIENT);
    }
}

/* The digest that a request has, or would have, in a round: (round, url, body, repeats). */
static void found_as(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct request_texts texts = { .sort_key = bytes_of(values[0]),
                                   .url = text_of(values[1]),
                                   .body = text_of(values[2]) };
    const struct page_at page = { .repeats = (uint32_t)sqlite3_value_int64(values[3]) };
    struct buf scratch = { .max = 0 };
    uint8_t digest[DIGEST_BYTES];

    (void)count;
    if (ledger_digest_found(&texts, &page, &scratch, digest) == RESULT_OK) {
        sqlite3_result_blob(context, digest, DIGEST_BYTES, SQLITE_TRANSIENT);
    } else {
        sqlite3_result_error_nomem(context);
    }
    buf_release(&scratch);
}

enum result ledger_add_round_functions(struct ledger *ledger, struct err *err)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;

    return sqlite3_create_function(ledger->db, "polled_as", 4, flags, NULL, polled_as, NULL,
                                   NULL) == SQLITE_OK &&
                   sqlite3_create_function(ledger->db, "found_as", 4, flags, NULL, found_as, NULL,
                                           NULL) == SQLITE_OK
               ? RESULT_OK
               : ledger_fail(ledger, "reading the ledger", err);
}

/* --- temporary tables ---------------------------------------------------------------------------------------- */

static enum result make(struct ledger *ledger, const char *text, struct err *err)
{
    enum result result = ledger_add_round_functions(ledger, err);

    if (result == RESULT_OK && ledger->only_reads) {
        result = execute(ledger, "PRAGMA query_only=OFF", "reading the ledger", err);
    }
    if (result == RESULT_OK) {
        result = execute(ledger, no_newest, "reading the ledger", err);
    }
    if (result == RESULT_OK) {
        result = execute(ledger, text, "reading the ledger", err);
    }
    return result == RESULT_OK && ledger->only_reads
               ? execute(ledger, "PRAGMA query_only=ON", "reading the ledger", err)
               : result;
}

/* --- a further round ---------------------------------------------------------------------------------------- */

static int note_any(void *context, int count, char **values, char **names)
{
    (void)count, (void)values, (void)names;
    *(bool *)context = true;
    return 0;
}

static enum result drop(struct ledger *ledger, struct err *err)
{
    bool any = false;
    enum result result;

    if (sqlite3_exec(ledger->db, any_drop, note_any, &any, NULL) != SQLITE_OK) {
        return ledger_fail(ledger, "beginning a round", err);
    }
    result = any ? make(ledger, find_newest, err) : RESULT_OK;
    return result == RESULT_OK && any ? execute(ledger, drop_old, "beginning a round", err)
                                      : result;
}

enum result ledger_begin_again(struct ledger *ledger, int64_t before_us, bool is_chosen,
                               struct err *err)
{
    struct rounds_kept rounds;
    enum result result = ledger_read_rounds(ledger, &rounds, err);

    if (result == RESULT_OK && !ledger->is_again) {
        result = execute(ledger, begin_again, "beginning a round", err);
    }
    if (result == RESULT_OK) {
        result = ledger_run(ledger, SQL_PUT_AGAIN, "beginning a round", err);
    }
    if (result == RESULT_OK) {
        result = execute(ledger, leave_behind, "beginning a round", err);
    }
    if (result == RESULT_OK && ledger->is_again) {
        result = drop(ledger, err);
    }
    rounds.begun = rounds.begun ? rounds.begun + 1 : 2;
    rounds.put = 0;
    rounds.before_us = before_us;
    rounds.is_chosen = is_chosen;
    return result == RESULT_OK ? ledger_put_rounds(ledger, &rounds, err) : result;
}

/* --- the newest of each -------------------------------------------------------------------------------------- */

enum result ledger_find_asked(struct ledger *ledger, struct err *err)
{
    return make(ledger, find_asked, err);
}

/* Where it stands in the table, as of a run's only round. */
static void read_seat(struct sort_key *key, sqlite3_stmt *st)
{
    struct str seat = ledger_column_bytes(st, 7);
    size_t room = sizeof key->bytes - SEAT_FROM, len = seat.len < room ? seat.len : room;

    memset(key->bytes, 0, SEAT_FROM);
    if (len) {
        memcpy(key->bytes + SEAT_FROM, seat.data, len);
    }
    key->len = SEAT_FROM + len;
}

enum result ledger_read_newest(struct ledger *ledger, uint32_t endpoint,
                               struct record_position *position, struct placed_record *records,
                               size_t max, size_t *count, struct err *err)
{
    bool begins = !position->sort_key.len;
    enum result result = begins ? make(ledger, find_newest, err) : RESULT_OK;
    sqlite3_stmt *st =
        result == RESULT_OK ? ledger_statement(ledger, SQL_NEWEST_RECORDS, &result, err) : NULL;

    *count = 0;
    if (!st) {
        return result;
    }
    sqlite3_bind_blob(st, 1, begins ? "" : (const char *)position->sort_key.bytes + SEAT_FROM,
                      begins ? 0 : (int)(position->sort_key.len - SEAT_FROM), SQLITE_TRANSIENT);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)position->found);
    sqlite3_bind_int64(st, 3, endpoint);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)max);
    while (ledger_next_row(ledger, st, &result, err)) {
        struct placed_record *p = &records[(*count)++];

        p->record = ledger_record(st);
        read_seat(&p->sort_key, st);
        p->vars = NULL;
        position->sort_key = p->sort_key;
        position->found = ledger_column_u64(st, 9);
        if (sqlite3_column_type(st, 8) != SQLITE_NULL) {
            p->vars = ledger_copy_vars(ledger_column_text(st, 8));
            if (!p->vars) {
                sqlite3_reset(st);
                return err_nomem(err, "reading the ledger");
            }
        }
    }
    return result;
}
