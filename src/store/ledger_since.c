/*
 * How far each listing with a `since` has been read, and from where its next round asks.
 *
 *   answer --in the transaction of its row--> since_seen    the latest of its records
 *   since_seen --when all that the seed led to has come--> since_state    one row for each seed
 *
 * That step is one transaction, with the end of a session or the beginning of a round, and as good
 * at any other moment: what is found is in the ledger together with what named it, so that a seed
 * of which nothing is open is whole. A seed with a failure, a listing that broke off or one with
 * fewer records than it told keeps its state, and its next round asks for all of it again; that is
 * why nothing is seen of its parts then. Seeds are known by the id of their first round, which no
 * change of the plan touches.
 */
#include "store/ledger_sql.h"

#include "plan/discovered.h"
#include "plan/sort_key.h"

#include <string.h>

#define DOING "noting how far a listing was read"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS since_endpoint(endpoint INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE IF NOT EXISTS since_seen(request INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL,"
    " whole INTEGER, part INTEGER, is_time INTEGER, value TEXT) STRICT;"
    "CREATE TABLE IF NOT EXISTS since_state(seed INTEGER PRIMARY KEY, whole INTEGER NOT NULL,"
    " part INTEGER NOT NULL, is_time INTEGER NOT NULL, value TEXT NOT NULL) STRICT;"
    "DELETE FROM since_endpoint;";

/* What belongs to a seed in a round lies between two places. */
static const char settle[] =
    "DROP TABLE IF EXISTS temp.since_now;DROP TABLE IF EXISTS temp.since_broken;"
    "CREATE TEMP TABLE since_now(request INTEGER PRIMARY KEY, low BLOB NOT NULL,"
    " chain INTEGER NOT NULL);"
    "CREATE TEMP TABLE since_broken(low BLOB PRIMARY KEY) WITHOUT ROWID;"
    "INSERT INTO temp.since_now(request,low,chain)"
    " SELECT v.request,ifnull(substr(f.place,1,12),since_low(v.request)),ifnull(f.chain,v.request)"
    " FROM since_seen v LEFT JOIN found f ON f.id=v.request;"
    "INSERT OR IGNORE INTO temp.since_broken(low) SELECT o.low"
    " FROM (SELECT DISTINCT low FROM temp.since_now) o CROSS JOIN since_endpoint e"
    " CROSS JOIN found f ON f.endpoint=e.endpoint AND f.place>=o.low AND f.place<since_high(o.low)"
    " LEFT JOIN request r ON r.id=f.id LEFT JOIN gone g ON g.id=f.id"
    " WHERE (r.id IS NULL AND g.id IS NULL) OR r.state<>1;"
    "INSERT OR IGNORE INTO temp.since_broken(low) SELECT n.low FROM temp.since_now n"
    " CROSS JOIN page_note p ON p.request=n.request WHERE since_is_loss(p.kind,0);"
    "INSERT OR IGNORE INTO temp.since_broken(low) SELECT c.low FROM (SELECT DISTINCT n.low AS low,"
    "v.endpoint AS endpoint,n.chain AS chain FROM temp.since_now n"
    " CROSS JOIN since_seen v ON v.request=n.request) c"
    " WHERE (SELECT max(since_is_loss(0,p.ended)) OR ifnull(sum(p.records)<min(p.total),0)"
    " FROM page p WHERE p.endpoint=c.endpoint AND p.chain=c.chain);"
    "INSERT INTO since_state(seed,whole,part,is_time,value)"
    " SELECT ifnull((SELECT h.id FROM found h WHERE h.endpoint=b.endpoint"
    " AND h.place=since_low(since_number(b.low))),since_number(b.low)),"
    "b.whole,b.part,b.is_time,b.value FROM (SELECT n.low AS low,v.*,row_number() OVER"
    " (PARTITION BY n.low ORDER BY v.whole DESC,v.part DESC) AS nth"
    " FROM temp.since_now n CROSS JOIN since_seen v ON v.request=n.request"
    " WHERE v.value IS NOT NULL AND n.low NOT IN (SELECT low FROM temp.since_broken)) b"
    " WHERE b.nth=1 ON CONFLICT(seed) DO UPDATE SET whole=excluded.whole,part=excluded.part,"
    "is_time=excluded.is_time,value=excluded.value WHERE since_state.is_time<>excluded.is_time"
    " OR (excluded.whole,excluded.part)>(since_state.whole,since_state.part);"
    "DELETE FROM since_seen WHERE request IN (SELECT n.request FROM temp.since_now n"
    " WHERE n.low NOT IN (SELECT low FROM temp.since_broken));"
    "DROP TABLE temp.since_now;DROP TABLE temp.since_broken;";

static enum result execute(struct ledger *ledger, const char *text, struct err *err)
{
    return sqlite3_exec(ledger->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? RESULT_OK
               : ledger_fail(ledger, DOING, err);
}

/* --- what the statements call ----------------------------------------------------------------- */

static void low_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct sort_key key;

    (void)count;
    sort_key_of_seed(0, (uint64_t)sqlite3_value_int64(values[0]), &key);
    sqlite3_result_blob(context, key.bytes, (int)key.len, SQLITE_TRANSIENT);
}

static bool read_low(sqlite3_value *value, uint8_t low[SORT_KEY_SEED_BYTES])
{
    const void *bytes = sqlite3_value_blob(value);

    if (sqlite3_value_bytes(value) != SORT_KEY_SEED_BYTES || !bytes) {
        return false; /* of a ledger that is not as we write it */
    }
    memcpy(low, bytes, SORT_KEY_SEED_BYTES);
    return true;
}

static void high_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint8_t high[SORT_KEY_SEED_BYTES];
    size_t at = sizeof high;

    (void)count;
    if (!read_low(values[0], high)) {
        sqlite3_result_null(context);
        return;
    }
    while (at > 0 && ++high[at - 1] == 0) {
        at--;
    }
    sqlite3_result_blob(context, high, sizeof high, SQLITE_TRANSIENT);
}

static void number_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint8_t low[SORT_KEY_SEED_BYTES];
    uint64_t number = 0;

    (void)count;
    if (!read_low(values[0], low)) {
        sqlite3_result_null(context);
        return;
    }
    for (size_t i = SORT_KEY_ROUND_BYTES; i < sizeof low; i++) {
        number = number << 8 | low[i];
    }
    sqlite3_result_int64(context, (sqlite3_int64)number);
}

/* (kind of a note, end of a listing); 0: none */
static void is_loss(sqlite3_context *context, int count, sqlite3_value **values)
{
    int note = sqlite3_value_int(values[0]), end = sqlite3_value_int(values[1]);

    (void)count;
    sqlite3_result_int(context, (note && page_note_is_loss((enum page_note_kind)note)) ||
                                    page_end_is_loss((enum page_end)end));
}

static enum result add_functions(struct ledger *ledger, struct err *err)
{
    static const struct {
        const char *name;
        int count;
        void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
    } functions[] = {
        { "since_low", 1, low_of },
        { "since_high", 1, high_of },
        { "since_number", 1, number_of },
        { "since_is_loss", 2, is_loss },
    };
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (sqlite3_create_function(ledger->db, functions[i].name, functions[i].count, flags, NULL,
                                    functions[i].call, NULL, NULL) != SQLITE_OK) {
            return ledger_fail(ledger, DOING, err);
        }
    }
    return RESULT_OK;
}

/* --- which endpoints -------------------------------------------------------------------------- */

static bool has_tables(struct ledger *ledger, enum result *result, struct err *err)
{
    bool has = false;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_HAS_SINCE, result, err);

    while (st && ledger_next_row(ledger, st, result, err)) {
        has = true;
    }
    return has;
}

enum result ledger_read_since_endpoints(struct ledger *ledger, struct err *err)
{
    enum result result = RESULT_OK;
    sqlite3_stmt *st;

    ledger->has_since = false;
    memset(ledger->keeps_rounds, 0, sizeof ledger->keeps_rounds);
    if (!has_tables(ledger, &result, err)) {
        return result;
    }
    st = ledger_statement(ledger, SQL_SINCE_ENDPOINTS, &result, err);
    while (st && ledger_next_row(ledger, st, &result, err)) {
        uint64_t endpoint = ledger_column_u64(st, 0);

        if (endpoint < LEDGER_ENDPOINTS_MAX) {
            ledger->has_since = ledger->keeps_rounds[endpoint] = true;
        }
    }
    return result;
}

static bool is_known(const struct ledger *ledger, const struct ledger_plan *plan)
{
    if (!plan->is_since || !ledger->has_since) {
        return !plan->is_since && !ledger->has_since;
    }
    for (size_t i = 0; i < plan->endpoint_count && i < LEDGER_ENDPOINTS_MAX; i++) {
        if (ledger->keeps_rounds[i] != plan->is_since[i]) {
            return false;
        }
    }
    return true;
}

static enum result put_endpoints(struct ledger *ledger, const struct ledger_plan *plan,
                                 struct err *err)
{
    enum result result = execute(ledger, tables, err);

    for (size_t i = 0; plan->is_since && i < plan->endpoint_count && result == RESULT_OK; i++) {
        sqlite3_stmt *st = plan->is_since[i]
                               ? ledger_statement(ledger, SQL_PUT_SINCE_ENDPOINT, &result, err)
                               : NULL;

        if (st) {
            sqlite3_bind_int64(st, 1, (sqlite3_int64)i);
            result = ledger_step(ledger, st, DOING, err);
        }
    }
    return result;
}

enum result ledger_claim_since(struct ledger *ledger, const struct ledger_plan *plan,
                               struct err *err)
{
    enum result result;

    if (is_known(ledger, plan)) {
        return RESULT_OK;
    }
    result = ledger_begin(ledger, err);
    if (result == RESULT_OK) {
        result = put_endpoints(ledger, plan, err);
    }
    if (result == RESULT_OK) {
        result = ledger_commit(ledger, err);
    }
    ledger_roll_back(ledger);
    return result == RESULT_OK ? ledger_read_since_endpoints(ledger, err) : result;
}

/* --- what was seen ---------------------------------------------------------------------------- */

static void bind_value(sqlite3_stmt *st, int at, const struct since_value *value)
{
    sqlite3_bind_int64(st, at, value->whole);
    sqlite3_bind_int64(st, at + 1, value->nanos);
    sqlite3_bind_int(st, at + 2, value->kind != SINCE_NUMBER);
    ledger_bind_text(st, at + 3, str_view(value->json));
}

enum result ledger_put_since(struct ledger *ledger, const struct settlement *settlement,
                             struct err *err)
{
    const struct since_seen *seen = &settlement->discoveries.since;
    const struct request *request = settlement->response->request;
    enum result result = RESULT_OK;
    sqlite3_stmt *st;

    if (!ledger->has_since || request->endpoint >= LEDGER_ENDPOINTS_MAX ||
        !ledger->keeps_rounds[request->endpoint]) {
        return RESULT_OK;
    }
    st = ledger_statement(ledger, SQL_PUT_SINCE_SEEN, &result, err);
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)request->id);
        sqlite3_bind_int64(st, 2, request->endpoint);
        for (int at = 3; at <= 6; at++) {
            sqlite3_bind_null(st, at);
        }
        if (seen->has_latest) {
            bind_value(st, 3, &seen->latest);
        }
        result = ledger_step(ledger, st, DOING, err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_settle_since(struct ledger *ledger, struct err *err)
{
    enum result result;

    if (!ledger->has_since) {
        return RESULT_OK;
    }
    result = add_functions(ledger, err);
    if (result == RESULT_OK) {
        result = execute(ledger, settle, err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

/* What the user says takes the place of what was seen. Answers of before may be the last ones again
 * without being the newest, as other questions may have brought newer ones since. */
static enum result set_state(struct ledger *ledger, const struct ledger_since_set *set,
                             struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SET_SINCE, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, set->endpoint);
        bind_value(st, 2, &set->value);
        result = ledger_step(ledger, st, DOING, err);
    }
    st = result == RESULT_OK ? ledger_statement(ledger, SQL_FORGET_POLLED, &result, err) : NULL;
    if (st) {
        sqlite3_bind_int64(st, 1, set->endpoint);
        result = ledger_step(ledger, st, DOING, err);
    }
    return result;
}

enum result ledger_begin_since(struct ledger *ledger, const struct ledger_since_set *sets,
                               size_t count, struct err *err)
{
    enum result result = ledger_settle_since(ledger, err);

    if (result == RESULT_OK && ledger->has_since) {
        result = execute(ledger, "DELETE FROM since_seen", err);
    }
    for (size_t i = 0; i < count && ledger->has_since && result == RESULT_OK; i++) {
        result = set_state(ledger, &sets[i], err);
    }
    return result;
}

/* --- reading ---------------------------------------------------------------------------------- */

enum result ledger_each_since(struct ledger *ledger, ledger_since_fn *visit, void *context,
                              struct err *err)
{
    enum result result = RESULT_OK;
    sqlite3_stmt *st = ledger->has_since && add_functions(ledger, err) == RESULT_OK
                           ? ledger_statement(ledger, SQL_SINCE_STATES, &result, err)
                           : NULL;

    while (st && ledger_next_row(ledger, st, &result, err)) {
        struct ledger_since since = { .endpoint = (uint32_t)ledger_column_u64(st, 0),
                                      .number = ledger_column_u64(st, 1) };

        if (since_value_parse(ledger_column_text(st, 2), &since.value)) {
            result = visit(context, &since, err);
            if (result != RESULT_OK) {
                sqlite3_reset(st);
                break;
            }
        }
    }
    return result;
}
