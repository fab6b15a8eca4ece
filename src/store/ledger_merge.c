/*
 * A plan that has changed, merged into the ledger: which of its seeds are known already, which are new, which have
 * gone.
 *
 *   plan before --(once)--> found ones        of those that were asked: id as it was, place by number
 *   present plan --by digest--> known: the place it has now; else: a new id
 *   the others --> gone                        after all that is there, not asked any more, stored as they are
 *
 * Nothing is held in memory but one seed: what is compared is the index found_once, what is noted lies in temporary
 * tables. Seeds that ask for the very same are told apart by how many came before them in their plan. The first ones,
 * where they are as they were (a list to which lines were added), stay where they are and are in no temporary table.
 */
#include "store/ledger_sql.h"

#include "base/units.h"
#include "plan/sort_key.h"

#include <string.h>

#define NUMBER_BYTES LEDGER_NUMBER_BYTES

static const char temporary_tables[] =
    "CREATE TEMP TABLE merge_now(id INTEGER PRIMARY KEY, was BLOB NOT NULL, at BLOB NOT NULL);"
    "CREATE TEMP TABLE merge_new(id INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE merge_twin(endpoint INTEGER, digest BLOB, count INTEGER NOT NULL,"
    " PRIMARY KEY(endpoint,digest)) WITHOUT ROWID;"
    "CREATE TEMP TABLE merge_left(was BLOB PRIMARY KEY, id INTEGER, endpoint INTEGER)"
    " WITHOUT ROWID;"
    "CREATE TEMP TABLE merge_move(was BLOB PRIMARY KEY, at BLOB NOT NULL) WITHOUT ROWID;";

static const char no_temporary_tables[] =
    "DROP TABLE IF EXISTS temp.merge_now;DROP TABLE IF EXISTS temp.merge_new;"
    "DROP TABLE IF EXISTS temp.merge_twin;DROP TABLE IF EXISTS temp.merge_left;"
    "DROP TABLE IF EXISTS temp.merge_move;DROP TABLE IF EXISTS temp.merge_polled;";

/* First pages of listings, which are seeds (SQL_PUT_FOUND_HEAD): they are listed with the others. */
static const char forget_heads[] =
    "DELETE FROM found WHERE id<=(SELECT max(value) FROM meta WHERE name='seeds');";

/* Seeds that the present plan does not name. */
static const char find_left[] =
    "INSERT INTO merge_left(was,id,endpoint) SELECT substr(f.place,5,8),f.id,f.endpoint"
    " FROM found f WHERE length(f.place)=12 AND substr(f.place,1,4)=x'00000000'"
    " AND NOT EXISTS(SELECT 1 FROM merge_now n WHERE n.id=f.id)"
    " AND NOT EXISTS(SELECT 1 FROM merge_new n WHERE n.id=f.id)"
    " AND NOT merge_same(substr(f.place,5,8));";

/* What the plan names again. */
static const char note_back[] =
    "DELETE FROM gone WHERE id IN (SELECT g.id FROM gone g CROSS JOIN found f ON f.id=g.id"
    " WHERE g.pruned<2 AND NOT EXISTS(SELECT 1 FROM merge_left l"
    " WHERE l.was=substr(f.place,5,8)));";

/* What came of them in other endpoints may belong to others as well: that is asked to its end. */
static const char note_left[] =
    "INSERT OR IGNORE INTO gone(id,pruned) SELECT f.id,0 FROM found f CROSS JOIN merge_left l"
    " ON l.was=substr(f.place,5,8) WHERE NOT EXISTS(SELECT 1 FROM merge_new n WHERE n.id=f.id)"
    " AND (f.endpoint=l.endpoint"
    " OR EXISTS(SELECT 1 FROM request r WHERE r.id=f.id AND r.state=1));";

static const char forget_gone[] =
    "DELETE FROM request WHERE state<>1 AND id IN (SELECT id FROM gone);"
    "DELETE FROM said WHERE request IN (SELECT id FROM gone);"
    "DELETE FROM exchange WHERE request IN (SELECT id FROM gone);";

static const char find_moves[] =
    "INSERT INTO merge_move(was,at) SELECT was,at FROM merge_now WHERE was<>at;"
    "INSERT INTO merge_move(was,at) SELECT was,merge_gone_at(id) FROM merge_left"
    " WHERE was<>merge_gone_at(id);";

/* A seed's number is part of what tells its last body (ledger_poll.c). */
static const char move_polled[] =
    "CREATE TEMP TABLE merge_polled AS SELECT"
    " polled_as(f.endpoint,CAST(substr(f.place,1,4)||m.at||substr(f.place,13) AS BLOB),"
    "f.url,f.body) AS what,p.what AS was,p.etag AS etag,p.digest AS digest,"
    "p.request AS request,p.at_us AS at_us"
    " FROM found f CROSS JOIN merge_move m ON m.was=substr(f.place,5,8)"
    " JOIN polled p ON p.what=polled_as(f.endpoint,f.place,f.url,f.body)"
    " WHERE length(f.place)=12 AND NOT EXISTS(SELECT 1 FROM merge_new n WHERE n.id=f.id);"
    "DELETE FROM polled WHERE what IN (SELECT was FROM merge_polled);"
    "INSERT OR REPLACE INTO polled(what,etag,digest,request,at_us)"
    " SELECT what,etag,digest,request,at_us FROM merge_polled;";

/* What a seed led to goes with it. */
static const char move_all[] =
    "UPDATE found SET place=CAST(substr(place,1,4)"
    "||(SELECT m.at FROM merge_move m WHERE m.was=substr(found.place,5,8))"
    "||substr(place,13) AS BLOB)"
    " WHERE EXISTS(SELECT 1 FROM merge_move m WHERE m.was=substr(found.place,5,8))"
    " AND NOT EXISTS(SELECT 1 FROM merge_new n WHERE n.id=found.id);";

static enum result execute(struct ledger *ledger, const char *text, struct err *err)
{
    return sqlite3_exec(ledger->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? RESULT_OK
               : ledger_fail(ledger, "taking in a plan that has changed", err);
}

/* --- one seed --------------------------------------------------------------------------------------- */

struct merging {
    struct ledger *ledger;
    struct ledger_merge *merge;
    struct err *err;
    struct buf scratch;
    bool is_before; /* the plan before is being listed: no seed of it is known yet */
};

/* A row of `found` with the digest that was looked for. */
struct known_seed {
    uint64_t id; /* 0: there is none */
    bool is_seed;
    bool is_taken; /* by one of the same plan that came before */
    bool is_alike; /* key and variables are the same, too */
    uint8_t number[NUMBER_BYTES];
};

/* Of the seed for which `twin` others of its plan have the same digest. */
static enum result digest_of_seed(struct merging *m, const struct ledger_seed *seed, uint64_t twin,
                                  uint8_t digest[DIGEST_BYTES])
{
    static const struct page_at no_page;
    enum result result = ledger_digest_found(&seed->texts, &no_page, &m->scratch, digest);

    if (result != RESULT_OK || (!twin && !seed->is_told_by_vars)) {
        return result;
    }
    buf_reset(&m->scratch);
    result = buf_append(&m->scratch, (const char *)digest, DIGEST_BYTES);
    if (result == RESULT_OK) {
        result = buf_printf(&m->scratch, "seed %llu ", (unsigned long long)twin);
    }
    if (result == RESULT_OK && seed->is_told_by_vars) {
        result = buf_append_str(&m->scratch, seed->texts.vars);
    }
    if (result == RESULT_OK) {
        digest_of(m->scratch.data, m->scratch.len, digest);
    }
    return result;
}

static bool is_seed_place(struct str place)
{
    static const char first_round[SORT_KEY_ROUND_BYTES];

    return place.len == SORT_KEY_SEED_BYTES &&
           memcmp(place.data, first_round, SORT_KEY_ROUND_BYTES) == 0;
}

static enum result look(struct merging *m, const struct ledger_seed *seed,
                        const uint8_t digest[DIGEST_BYTES], struct known_seed *known)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(m->ledger, SQL_MERGE_LOOK, &result, m->err);

    *known = (struct known_seed){ .id = 0 };
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, seed->endpoint);
    sqlite3_bind_blob(st, 2, digest, DIGEST_BYTES, SQLITE_STATIC);
    while (ledger_next_row(m->ledger, st, &result, m->err)) {
        struct str place = ledger_column_bytes(st, 1);

        known->id = ledger_column_u64(st, 0);
        known->is_seed = is_seed_place(place);
        known->is_taken = sqlite3_column_int(st, 4) != 0;
        known->is_alike = str_equal(ledger_column_text(st, 2), seed->texts.key) &&
                          str_equal(ledger_column_text(st, 3), seed->texts.vars);
        if (known->is_seed) {
            memcpy(known->number, place.data + SORT_KEY_ROUND_BYTES, NUMBER_BYTES);
            known->is_taken |= ledger_merge_is_same(m->merge->same, known->number);
        }
    }
    return result;
}

/* Rows that are counted for a digest: how many seeds of this plan have had it, when that is more than one. */
static enum result read_twins(struct merging *m, uint32_t endpoint,
                              const uint8_t digest[DIGEST_BYTES], uint64_t *count)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(m->ledger, SQL_MERGE_TWINS, &result, m->err);

    *count = 0;
    if (st) {
        sqlite3_bind_int64(st, 1, endpoint);
        sqlite3_bind_blob(st, 2, digest, DIGEST_BYTES, SQLITE_STATIC);
    }
    while (st && ledger_next_row(m->ledger, st, &result, m->err)) {
        *count = ledger_column_u64(st, 0);
    }
    return result;
}

static enum result put_twins(struct merging *m, uint32_t endpoint,
                             const uint8_t digest[DIGEST_BYTES], uint64_t count)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(m->ledger, SQL_MERGE_PUT_TWINS, &result, m->err);

    if (st) {
        sqlite3_bind_int64(st, 1, endpoint);
        sqlite3_bind_blob(st, 2, digest, DIGEST_BYTES, SQLITE_STATIC);
        sqlite3_bind_int64(st, 3, (sqlite3_int64)count);
        result = ledger_step(m->ledger, st, "taking in a plan that has changed", m->err);
    }
    return result;
}

/* The digest under which it is, or will be, found, and what is known by it. */
static enum result find(struct merging *m, const struct ledger_seed *seed,
                        uint8_t digest[DIGEST_BYTES], struct known_seed *known)
{
    uint8_t first[DIGEST_BYTES];
    uint64_t before, twin;
    enum result result = digest_of_seed(m, seed, 0, first);

    if (result != RESULT_OK) {
        return err_nomem(m->err, "taking in a plan that has changed");
    }
    result = read_twins(m, seed->endpoint, first, &before);
    for (twin = before; result == RESULT_OK; twin++) {
        if (digest_of_seed(m, seed, twin, digest) != RESULT_OK) {
            return err_nomem(m->err, "taking in a plan that has changed");
        }
        result = look(m, seed, digest, known);
        if (result == RESULT_OK &&
            (!known->id || (!m->is_before && known->is_seed && !known->is_taken))) {
            break;
        }
    }
    return result == RESULT_OK && twin ? put_twins(m, seed->endpoint, first, twin + 1) : result;
}

/* A row for it: of the plan before with the number for its id, of the present one with a new id. */
static enum result put_seed(struct merging *m, enum statement which, uint64_t first,
                            uint64_t number, const struct ledger_seed *seed,
                            const uint8_t digest[DIGEST_BYTES], uint64_t *id)
{
    static const struct page_at no_page;
    struct request_texts texts = seed->texts;
    struct sort_key place;
    enum result result;
    sqlite3_stmt *st = ledger_statement(m->ledger, which, &result, m->err);

    if (!st) {
        return result;
    }
    sort_key_of_seed(0, number, &place);
    texts.sort_key = sort_key_view(&place);
    sqlite3_bind_int64(st, 1, (sqlite3_int64)first);
    ledger_bind_found(st, seed->endpoint, &texts, &no_page, digest);
    if (which == SQL_PUT_FOUND_HEAD) {
        return ledger_step(m->ledger, st, "taking in a plan that has changed", m->err);
    }
    while (ledger_next_row(m->ledger, st, &result, m->err)) {
        *id = ledger_column_u64(st, 0);
    }
    return result;
}

/* --- the plan before -------------------------------------------------------------------------------- */

static enum result next_asked(struct merging *m, uint64_t after, uint64_t *id)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(m->ledger, SQL_NEXT_ASKED, &result, m->err);

    *id = 0;
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)after);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)m->ledger->floor);
    }
    while (st && ledger_next_row(m->ledger, st, &result, m->err)) {
        *id = ledger_column_u64(st, 0);
    }
    return result;
}

/* Ids of new requests come after its numbers. */
static enum result number_before(struct merging *m)
{
    struct ledger *ledger = m->ledger;
    enum result result;
    sqlite3_stmt *st;

    if (ledger->floor) {
        return RESULT_OK;
    }
    ledger->floor = m->merge->total_before;
    st = ledger_statement(ledger, SQL_PUT_SEEDS, &result, m->err);
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)ledger->floor);
        result = ledger_step(ledger, st, "taking in a plan that has changed", m->err);
    }
    return result;
}

/* Until now its requests were known by their numbers alone. */
static enum result list_before(struct merging *m)
{
    struct ledger *ledger = m->ledger;
    uint64_t id = 0, none;
    enum result result = number_before(m);

    if (result == RESULT_OK) {
        result = execute(ledger, forget_heads, m->err);
    }
    m->is_before = true;
    while (result == RESULT_OK) {
        uint8_t digest[DIGEST_BYTES];
        struct ledger_seed seed;
        struct known_seed known;

        result = next_asked(m, id, &id);
        if (result != RESULT_OK || !id) {
            break;
        }
        result = m->merge->was(m->merge->context, id, &seed, m->err);
        if (result == RESULT_OK) {
            result = find(m, &seed, digest, &known);
        }
        if (result == RESULT_OK) {
            result = put_seed(m, SQL_PUT_FOUND_HEAD, id, id, &seed, digest, &none);
        }
    }
    m->is_before = false;
    return result == RESULT_OK ? execute(ledger, "DELETE FROM merge_twin", m->err) : result;
}

/* --- the present plan ------------------------------------------------------------------------------- */

static enum result keep(struct merging *m, uint64_t number, const struct ledger_seed *seed,
                        const struct known_seed *known)
{
    struct sort_key place;
    enum result result;
    sqlite3_stmt *st = ledger_statement(m->ledger, SQL_MERGE_PUT_NOW, &result, m->err);

    if (!st) {
        return result;
    }
    sort_key_of_seed(0, number, &place);
    sqlite3_bind_int64(st, 1, (sqlite3_int64)known->id);
    sqlite3_bind_blob(st, 2, known->number, NUMBER_BYTES, SQLITE_STATIC);
    sqlite3_bind_blob(st, 3, place.bytes + SORT_KEY_ROUND_BYTES, NUMBER_BYTES, SQLITE_STATIC);
    result = ledger_step(m->ledger, st, "taking in a plan that has changed", m->err);
    st = result == RESULT_OK && !known->is_alike
             ? ledger_statement(m->ledger, SQL_MERGE_RENAME, &result, m->err)
             : NULL;
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)known->id);
        ledger_bind_text(st, 2, seed->texts.key);
        ledger_bind_optional(st, 3, seed->texts.vars);
        result = ledger_step(m->ledger, st, "taking in a plan that has changed", m->err);
    }
    m->merge->kept++;
    return result;
}

static enum result add(struct merging *m, uint64_t number, const struct ledger_seed *seed,
                       const uint8_t digest[DIGEST_BYTES])
{
    uint64_t id = 0;
    enum result result = put_seed(m, SQL_PUT_FOUND, m->ledger->floor, number, seed, digest, &id);
    sqlite3_stmt *st = result == RESULT_OK
                           ? ledger_statement(m->ledger, SQL_MERGE_PUT_NEW, &result, m->err)
                           : NULL;

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
        result = ledger_step(m->ledger, st, "taking in a plan that has changed", m->err);
    }
    m->merge->added++;
    return result;
}

static enum result take_present(struct merging *m)
{
    enum result result = RESULT_OK;

    m->merge->kept = m->merge->same;
    for (uint64_t number = m->merge->same + 1; number <= m->merge->total && result == RESULT_OK;
         number++) {
        uint8_t digest[DIGEST_BYTES];
        struct ledger_seed seed;
        struct known_seed known;

        result = m->merge->is(m->merge->context, number, &seed, m->err);
        if (result == RESULT_OK) {
            result = find(m, &seed, digest, &known);
        }
        if (result == RESULT_OK) {
            result = known.id ? keep(m, number, &seed, &known) : add(m, number, &seed, digest);
        }
    }
    return result;
}

/* --- all of it ---------------------------------------------------------------------------------------- */

static enum result count(struct merging *m, const char *text, uint64_t *number)
{
    sqlite3_stmt *st = NULL;
    enum result result = RESULT_OK;

    if (sqlite3_prepare_v2(m->ledger->db, text, -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW) {
        result = ledger_fail(m->ledger, "taking in a plan that has changed", m->err);
    } else {
        *number = ledger_column_u64(st, 0);
    }
    sqlite3_finalize(st);
    return result;
}

static enum result refuse(const struct merging *m)
{
    return err_set(m->err, RESULT_INVALID, "E-JOB1",
                   "%s holds another run: nothing that it asked is among the %llu request%s of "
                   "now; name another directory with -o, or set that one aside with --fresh",
                   m->ledger->dir->path, (unsigned long long)m->merge->total,
                   units_plural(m->merge->total));
}

/* Numbers of before become those of now. */
static enum result settle_places(struct merging *m)
{
    uint64_t moves = 0, polled = 0, left = 0;
    enum result result = execute(m->ledger, find_left, m->err);

    if (result == RESULT_OK) {
        result = count(m, "SELECT count(*) FROM merge_left", &left);
    }
    if (result == RESULT_OK && left && !m->merge->kept) {
        return refuse(m);
    }
    if (result == RESULT_OK) {
        result = count(m,
                       "SELECT count(*) FROM merge_left l"
                       " WHERE NOT EXISTS(SELECT 1 FROM gone g WHERE g.id=l.id)",
                       &m->merge->gone);
    }
    if (result == RESULT_OK) {
        result = execute(m->ledger, note_back, m->err);
    }
    if (result == RESULT_OK && left) { /* all that was found is looked at for it */
        result = execute(m->ledger, note_left, m->err);
    }
    if (result == RESULT_OK) {
        result = execute(m->ledger, forget_gone, m->err);
    }
    if (result == RESULT_OK) {
        result = execute(m->ledger, find_moves, m->err);
    }
    if (result == RESULT_OK) {
        result = count(m, "SELECT count(*) FROM merge_move", &moves);
    }
    if (result == RESULT_OK) {
        result = count(m, "SELECT EXISTS(SELECT 1 FROM polled)", &polled);
    }
    if (result == RESULT_OK && moves && polled) {
        result = execute(m->ledger, move_polled, m->err);
    }
    return result == RESULT_OK && moves ? execute(m->ledger, move_all, m->err) : result;
}

/* A round that is half put is put again from its beginning: what is there is not put twice. */
static enum result settle_rounds(struct merging *m, uint64_t total_before)
{
    struct rounds_kept rounds;
    enum result result = ledger_read_rounds(m->ledger, &rounds, m->err);

    if (result != RESULT_OK || !rounds.begun) {
        return result;
    }
    rounds.put = rounds.put >= total_before ? m->merge->total : 0;
    return ledger_put_rounds(m->ledger, &rounds, m->err);
}

static enum result prune(struct merging *m)
{
    enum result result;

    if (!m->merge->prunes) {
        return RESULT_OK;
    }
    result = count(m,
                   "SELECT count(*) FROM gone g JOIN found f ON f.id=g.id WHERE g.pruned=0"
                   " AND length(f.place)=12 AND substr(f.place,1,4)=x'00000000'",
                   &m->merge->pruned);
    return result == RESULT_OK
               ? execute(m->ledger, "UPDATE gone SET pruned=1 WHERE pruned=0", m->err)
               : result;
}

static enum result note_listed(struct merging *m)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(m->ledger, SQL_PUT_LISTED, &result, m->err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)m->merge->total);
        result = ledger_step(m->ledger, st, "taking in a plan that has changed", m->err);
    }
    return result;
}

/* What is asked in the round that begins has ids after all that is there. */
static enum result begin_numbers(struct merging *m)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(m->ledger, SQL_PUT_ROUND_FROM, &result, m->err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)m->ledger->floor);
        result = ledger_step(m->ledger, st, "beginning a round", m->err);
    }
    return result;
}

static enum result merge_all(struct merging *m)
{
    struct ledger *ledger = m->ledger;
    uint64_t before = ledger->is_listed ? ledger->listed : m->merge->total_before;
    enum result result = execute(ledger, no_temporary_tables, m->err);

    if (result == RESULT_OK) {
        result = execute(ledger, temporary_tables, m->err);
    }
    if (!ledger->is_listed || ledger->listed != m->merge->same) {
        m->merge->same = 0; /* not all that it says is in the ledger */
    }
    if (result == RESULT_OK && !ledger->is_listed) {
        result = list_before(m);
    }
    if (result == RESULT_OK && m->merge->begins_again && !ledger->is_shared) {
        result = begin_numbers(m);
    }
    if (result == RESULT_OK) {
        result = take_present(m);
    }
    if (result == RESULT_OK) {
        result = settle_places(m);
    }
    if (result == RESULT_OK) {
        result = prune(m);
    }
    if (result == RESULT_OK) {
        result = settle_rounds(m, before);
    }
    if (result == RESULT_OK && m->merge->begins_again) {
        result = ledger_begin_since(ledger, m->merge->since, m->merge->since_count, m->err);
    }
    if (result == RESULT_OK && m->merge->begins_again && m->merge->again_choice) {
        result = ledger_choose_again(ledger, m->merge->again_choice, m->err);
    }
    if (result == RESULT_OK && m->merge->begins_again) {
        result = ledger_begin_again(ledger, m->merge->again_before_us,
                                    m->merge->again_choice != NULL, m->err);
    }
    if (result == RESULT_OK && m->merge->note.len) {
        result = ledger_put_kept(ledger, LEDGER_KEPT_PLAN, m->merge->note, m->err);
    }
    return result == RESULT_OK ? note_listed(m) : result;
}

enum result ledger_merge(struct ledger *ledger, struct ledger_merge *merge, struct err *err)
{
    struct merging m = { .ledger = ledger, .merge = merge, .err = err };
    enum result result = ledger_add_merge_functions(ledger, &merge->same, err);

    merge->kept = merge->added = merge->gone = merge->pruned = 0;
    if (result == RESULT_OK) {
        result = ledger_begin(ledger, err);
    }
    if (result == RESULT_OK) {
        result = merge_all(&m);
        if (result == RESULT_OK) {
            result = ledger_commit(ledger, err);
        }
        ledger_roll_back(ledger);
    }
    if (result == RESULT_OK) {
        result = ledger_read_seeds(ledger, err);
    }
    buf_release(&m.scratch);
    return result;
}
