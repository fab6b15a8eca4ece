/*
 * Which of the plan's own requests are asked in a further round: what the caller chooses by their newest answers
 * (`run --again --where`), and what did not come whole the last time.
 *
 *   again_seed   seed: the eight bytes of a place after its round (plan/sort_key.h)
 *
 * The choice is made before the round begins and within its transaction, so that a round that was killed goes on with the
 * same one, whatever its answers have changed since.
 */
#include "store/ledger_sql.h"

#include <stdlib.h>

#define PAGE 512

static const char begin[] =
    "CREATE TABLE IF NOT EXISTS again_seed(seed BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;"
    "DELETE FROM again_seed;";

/* Of the latest round in which it was asked: the seed itself, or what it has led to, has no answer. */
static const char choose_unanswered[] =
    "INSERT OR IGNORE INTO again_seed(seed) SELECT a.seed FROM temp.newest_asked a"
    " CROSS JOIN request r ON r.id=a.id WHERE r.state<>1;"
    "INSERT OR IGNORE INTO again_seed(seed) SELECT a.seed FROM found f"
    " CROSS JOIN request r ON r.id=f.id"
    " CROSS JOIN temp.newest_asked a ON a.seed=substr(f.place,5,8) AND a.round=substr(f.place,1,4)"
    " WHERE r.state<>1;";

static enum result execute(struct ledger *ledger, const char *text, struct err *err)
{
    return sqlite3_exec(ledger->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? RESULT_OK
               : ledger_fail(ledger, "choosing what is asked again", err);
}

static enum result keep(struct ledger *ledger, const struct sort_key *place, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_AGAIN_SEED, &result, err);

    if (st) {
        sqlite3_bind_blob(st, 1, place->bytes + SORT_KEY_ROUND_BYTES,
                          SORT_KEY_SEED_BYTES - SORT_KEY_ROUND_BYTES, SQLITE_STATIC);
        result = ledger_step(ledger, st, "choosing what is asked again", err);
    }
    return result;
}

static enum result look(struct ledger *ledger, const struct ledger_choice *choice,
                        struct placed_record *placed, struct err *err)
{
    bool is_chosen = false;
    enum result result = placed->sort_key.len < SORT_KEY_SEED_BYTES
                             ? RESULT_OK
                             : choice->choose(choice->context, &placed->record, &is_chosen, err);

    free(placed->vars);
    return result == RESULT_OK && is_chosen ? keep(ledger, &placed->sort_key, err) : result;
}

static enum result look_at_endpoint(struct ledger *ledger, const struct ledger_choice *choice,
                                    uint32_t endpoint, struct placed_record *page, struct err *err)
{
    struct record_position position = { .seed = 0 };
    enum result result = RESULT_OK;
    size_t count;

    do {
        result = ledger_read_endpoint(ledger, endpoint, &position, page, PAGE, &count, err);
        for (size_t i = 0; i < count; i++) {
            if (result == RESULT_OK) {
                result = look(ledger, choice, &page[i], err);
            } else {
                free(page[i].vars);
            }
        }
    } while (result == RESULT_OK && count == PAGE);
    return result;
}

enum result ledger_choose_again(struct ledger *ledger, const struct ledger_choice *choice,
                                struct err *err)
{
    struct placed_record *page = malloc(PAGE * sizeof *page);
    /* All of it is listed by now, though that is only noted at the end of the transaction. */
    bool was_listed = ledger->is_listed;
    uint64_t seeds = ledger->seeds;
    enum result result =
        page ? execute(ledger, begin, err) : err_nomem(err, "choosing what is asked again");

    ledger->is_listed = true;
    ledger->seeds = 0;
    for (uint32_t i = 0; result == RESULT_OK && i < choice->endpoint_count; i++) {
        result = look_at_endpoint(ledger, choice, i, page, err);
    }
    ledger->is_listed = was_listed;
    ledger->seeds = seeds;
    free(page);
    result = result == RESULT_OK ? ledger_find_asked(ledger, err) : result;
    return result == RESULT_OK ? execute(ledger, choose_unanswered, err) : result;
}
