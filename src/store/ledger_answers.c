/*
 * All answers of an endpoint: its own requests of the first round by id, and all others by place, merged.
 *
 * The temporary table answer_lack has round and seed of what is partial or thinned; it is made anew by each walk.
 */
#include "store/ledger_answers.h"

#include "plan/sort_key.h"
#include "store/ledger_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char no_lacks[] = "DROP TABLE IF EXISTS temp.answer_lack;"
                               "DROP TABLE IF EXISTS temp.answer_kin;"
                               "CREATE TEMP TABLE answer_lack(at BLOB PRIMARY KEY, how INTEGER NOT "
                               "NULL DEFAULT 1) WITHOUT ROWID;"
                               "CREATE TEMP TABLE answer_kin(endpoint INTEGER PRIMARY KEY);";

/* Of what is no page the answer of before stands, but what is asked for its records is not known. A request that came to
 * nothing before a further round began has no row any more (`gone`). The format takes the endpoint, and whether it has
 * pages. */
static const char find_lacks[] =
    "INSERT OR IGNORE INTO temp.answer_lack(at) SELECT substr(f.place,1,12)"
    " FROM temp.answer_kin k CROSS JOIN found f ON f.endpoint=k.endpoint"
    " LEFT JOIN request r ON r.id=f.id LEFT JOIN gone g ON g.id=f.id"
    " WHERE (r.id IS NULL AND g.id IS NULL) OR r.state=3"
    " OR ((r.state=2 OR (r.id IS NULL AND g.pruned=2))"
    " AND (f.ordinal>0 OR f.endpoint<>%u OR length(f.place)=12 OR %d));"
    "INSERT OR IGNORE INTO temp.answer_lack(at) SELECT substr(f.place,1,12)"
    " FROM temp.answer_kin k CROSS JOIN page p ON p.endpoint=k.endpoint"
    " CROSS JOIN found f ON f.id=p.id WHERE p.ended>%d AND p.ended<>%d;";

/* Details that did not change were dropped from all rounds of a seed but the newest (ledger_again.c). */
static const char find_thinned[] =
    "INSERT INTO temp.answer_lack(at,how) SELECT DISTINCT substr(f.place,1,12),2 FROM found f"
    " WHERE f.endpoint=%u AND length(f.place)>12 AND EXISTS(SELECT 1 FROM temp.answer_kin k"
    " CROSS JOIN found s ON s.endpoint=k.endpoint AND substr(s.place,5)=substr(f.place,5,8)"
    " WHERE length(s.place)=12 AND substr(s.place,1,4)>substr(f.place,1,4))"
    " ON CONFLICT(at) DO UPDATE SET how=3;";

static enum result execute(struct ledger *ledger, const char *text, struct err *err)
{
    return sqlite3_exec(ledger->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? RESULT_OK
               : ledger_fail(ledger, "reading the ledger", err);
}

static enum result put_kin(struct ledger *ledger, const struct ledger_answers_query *query,
                           struct err *err)
{
    enum result result = RESULT_OK;
    char text[96];

    for (size_t i = 0; i < query->endpoint_count && result == RESULT_OK; i++) {
        snprintf(text, sizeof text, "INSERT INTO temp.answer_kin VALUES(%zu)", i);
        result = query->kin[i] ? execute(ledger, text, err) : result;
    }
    return result;
}

static enum result fill_lacks(struct ledger *ledger, const struct ledger_answers_query *query,
                              struct err *err)
{
    char text[sizeof find_lacks + sizeof find_thinned + 64];
    enum result result = execute(ledger, no_lacks, err);

    result = result == RESULT_OK ? put_kin(ledger, query, err) : result;
    if (result == RESULT_OK && ledger->version >= 3) {
        snprintf(text, sizeof text, find_lacks, (unsigned)query->endpoint, (int)query->has_pages,
                 (int)PAGE_END_LOSS, (int)PAGE_END_MAX);
        result = execute(ledger, text, err);
    }
    if (result == RESULT_OK && ledger->is_again && !query->has_pages) {
        snprintf(text, sizeof text, find_thinned, (unsigned)query->endpoint);
        result = execute(ledger, text, err);
    }
    return result;
}

static enum result find_what_is_partial(struct ledger *ledger,
                                        const struct ledger_answers_query *query, struct err *err)
{
    enum result result = ledger_add_round_functions(ledger, err);

    if (result == RESULT_OK && ledger->only_reads) {
        result = execute(ledger, "PRAGMA query_only=OFF", err);
    }
    result = result == RESULT_OK ? fill_lacks(ledger, query, err) : result;
    return result == RESULT_OK && ledger->only_reads ? execute(ledger, "PRAGMA query_only=ON", err)
                                                     : result;
}

/* --- the two streams ------------------------------------------------------------------------------------ */

/* Where one of them is. */
struct stream {
    sqlite3_stmt *st;
    bool has_row;
    struct sort_key place;
};

/* Columns: the record's seven, state, body, place, what, how something is missing (LACKS). */
#define COLUMN_STATE 7
#define COLUMN_BODY 8
#define COLUMN_PLACE 9
#define COLUMN_WHAT 10
#define COLUMN_LACKS 11

#define LACKS_SOME 1 /* bits of answer_lack.how */
#define LACKS_UNCHANGED 2

static enum result advance(struct ledger *ledger, struct stream *s, bool is_seeds, struct err *err)
{
    enum result result = RESULT_OK;

    s->has_row = s->st && ledger_next_row(ledger, s->st, &result, err);
    if (s->has_row && is_seeds) {
        sort_key_of_seed(0, ledger_column_u64(s->st, 0), &s->place);
    } else if (s->has_row) {
        struct str bytes = ledger_column_bytes(s->st, COLUMN_PLACE);

        s->place.len = bytes.len < SORT_KEY_MAX ? bytes.len : SORT_KEY_MAX;
        memset(s->place.bytes, 0, SORT_KEY_SEED_BYTES);
        memcpy(s->place.bytes, bytes.data ? bytes.data : "", s->place.len);
    }
    return result;
}

static enum ledger_answer_kind kind_of(sqlite3_stmt *st)
{
    int body = sqlite3_column_int(st, COLUMN_BODY);

    if (sqlite3_column_int(st, COLUMN_STATE) != SETTLE_DONE) {
        return LEDGER_ANSWER_NONE;
    }
    switch (body) {
    case SETTLE_BODY_JSON:
        return sqlite3_column_type(st, 2) == SQLITE_NULL ? LEDGER_ANSWER_NONE : LEDGER_ANSWER_NEW;
    case SETTLE_BODY_NONE:
        return LEDGER_ANSWER_SAME;
    case SETTLE_BODY_EMPTY:
        return LEDGER_ANSWER_EMPTY;
    default:
        return LEDGER_ANSWER_NONE;
    }
}

static uint32_t round_of(const struct sort_key *place)
{
    const uint8_t *b = place->bytes;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Its rounds bring what has changed: what is not there is there all the same. */
static bool has_increments(const struct ledger *ledger, uint32_t endpoint)
{
    return endpoint < LEDGER_ENDPOINTS_MAX && ledger->keeps_rounds[endpoint];
}

static enum result tell(const struct ledger *ledger, struct stream *s,
                        const struct ledger_answers_query *query, struct err *err)
{
    const char *bytes = (const char *)s->place.bytes;
    struct str what = ledger_column_bytes(s->st, COLUMN_WHAT);
    int lacks = sqlite3_column_int(s->st, COLUMN_LACKS);
    bool brings_changes = has_increments(ledger, query->endpoint);
    struct ledger_answer answer = {
        .kind = kind_of(s->st),
        .round = round_of(&s->place),
        .seed = { bytes + SORT_KEY_ROUND_BYTES, LEDGER_NUMBER_BYTES },
        .seat = { bytes + SORT_KEY_ROUND_BYTES, s->place.len > SORT_KEY_SEED_BYTES
                                                    ? s->place.len - SORT_KEY_ROUND_BYTES
                                                    : LEDGER_NUMBER_BYTES },
        .is_partial = (lacks & LACKS_SOME) != 0 || brings_changes,
        .is_thinned = (lacks & LACKS_UNCHANGED) != 0 && !brings_changes,
    };

    if (s->place.len <= SORT_KEY_SEED_BYTES || what.len != DIGEST_BYTES) {
        digest_of(answer.seat.data, answer.seat.len, answer.what);
    } else {
        memcpy(answer.what, what.data, DIGEST_BYTES);
    }
    if (answer.kind == LEDGER_ANSWER_NEW || answer.kind == LEDGER_ANSWER_EMPTY) {
        answer.record = ledger_record(s->st);
    }
    return query->visit(query->context, &answer, err);
}

static enum result merge(struct ledger *ledger, struct stream streams[2],
                         const struct ledger_answers_query *query, struct err *err)
{
    enum result result = advance(ledger, &streams[0], true, err);

    result = result == RESULT_OK ? advance(ledger, &streams[1], false, err) : result;
    while (result == RESULT_OK && (streams[0].has_row || streams[1].has_row)) {
        bool takes_seed =
            streams[0].has_row &&
            (!streams[1].has_row || sort_key_compare(sort_key_view(&streams[0].place),
                                                     sort_key_view(&streams[1].place)) <= 0);
        struct stream *s = &streams[!takes_seed];

        result = tell(ledger, s, query, err);
        result = result == RESULT_OK ? advance(ledger, s, takes_seed, err) : result;
    }
    return result;
}

enum result ledger_each_answer(struct ledger *ledger, const struct ledger_answers_query *query,
                               struct err *err)
{
    struct stream streams[2] = { { .st = NULL } };
    enum result result = find_what_is_partial(ledger, query, err);

    for (int i = 0; i < (ledger->version < 2 ? 1 : 2) && result == RESULT_OK; i++) {
        streams[i].st =
            ledger_statement(ledger, i ? SQL_FOUND_ANSWERS : SQL_SEED_ANSWERS, &result, err);
        if (streams[i].st) {
            sqlite3_bind_int64(streams[i].st, 1, query->endpoint);
            sqlite3_bind_int64(
                streams[i].st, 2,
                ledger->seeds || i || ledger->is_listed ? (sqlite3_int64)ledger->seeds : INT64_MAX);
        }
    }
    if (result == RESULT_OK) {
        result = merge(ledger, streams, query, err);
    }
    for (int i = 0; i < 2; i++) {
        if (streams[i].st) {
            sqlite3_reset(streams[i].st);
        }
    }
    return result;
}

enum result ledger_read_record(struct ledger *ledger, uint64_t id, struct record *record,
                               struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_RECORD_OF, &result, err);
    bool has = false;

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    while (ledger_next_row(ledger, st, &result, err)) {
        *record = ledger_record(st);
        has = true;
    }
    return result == RESULT_OK && !has ? RESULT_NOT_FOUND : result;
}
