/* How many requests the plan has of its own, and how they are numbered: before those that are found, or among them. */
#include "store/ledger_sql.h"

#include "base/units.h"

enum result ledger_read_seeds(struct ledger *ledger, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SEEDS, &result, err);

    ledger->seeds = ledger->listed = ledger->round_from = 0;
    ledger->is_listed = ledger->is_again = ledger->is_shared = false;
    while (st && ledger_next_row(ledger, st, &result, err)) {
        if (str_equal(ledger_column_text(st, 0), STR("listed"))) {
            ledger->is_listed = true;
            ledger->listed = ledger_column_u64(st, 1);
        } else if (str_equal(ledger_column_text(st, 0), STR("again"))) {
            ledger->is_again = true;
        } else if (str_equal(ledger_column_text(st, 0), STR("shared"))) {
            ledger->is_shared = true;
        } else if (str_equal(ledger_column_text(st, 0), STR("round_from"))) {
            ledger->round_from = ledger_column_u64(st, 1);
        } else {
            ledger->seeds = ledger_column_u64(st, 1);
        }
    }
    ledger->floor = ledger->seeds;
    ledger->seeds = ledger->is_listed ? 0 : ledger->seeds;
    return result == RESULT_OK ? ledger_read_since_endpoints(ledger, err) : result;
}

enum result ledger_hold(struct ledger *ledger, struct err *err)
{
    enum result result = ledger_run(ledger, SQL_BEGIN_READ, "reading the ledger", err);

    if (result == RESULT_OK && ledger->version >= 2) {
        result = ledger_read_seeds(ledger, err); /* the moment begins with the first read */
    }
    if (result != RESULT_OK) {
        ledger_let_go(ledger);
    }
    return result;
}

void ledger_let_go(struct ledger *ledger)
{
    ledger_roll_back(ledger);
}

bool ledger_is_listed(const struct ledger *ledger)
{
    return ledger->is_listed;
}

uint64_t ledger_listed(const struct ledger *ledger)
{
    return ledger->listed;
}

enum result ledger_last_found(struct ledger *ledger, uint64_t *id, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_FOUND_COUNT, &result, err);

    *id = 0;
    while (st && ledger_next_row(ledger, st, &result, err)) {
        *id = ledger_column_u64(st, 0);
    }
    return result;
}

/* Ids of what was found before there were shared ones follow one another. */
static enum result begin_to_share(struct ledger *ledger, struct err *err)
{
    uint64_t last;
    enum result result = ledger_last_found(ledger, &last, err);

    if (result == RESULT_OK && last) {
        return err_set(err, RESULT_INVALID, "E-FLEET6",
                       "%s was begun by a scrapetop that did not share what it found; begin the "
                       "worker anew with --fresh, and the job with scrapetop fleet remove",
                       ledger->dir->path);
    }
    ledger->is_shared = result == RESULT_OK;
    ledger->folded = false;
    return result == RESULT_OK ? ledger_run(ledger, SQL_PUT_SHARED, "noting the plan", err)
                               : result;
}

enum result ledger_claim_plan(struct ledger *ledger, const struct ledger_plan *plan,
                              struct err *err)
{
    uint64_t before, seeds = plan->seeds;
    uint64_t last = 0;
    enum result result = ledger_read_seeds(ledger, err);
    sqlite3_stmt *st;

    if (result == RESULT_OK) {
        result = ledger_claim_since(ledger, plan, err);
    }
    ledger->plan = plan;
    before = ledger->seeds;
    if (result == RESULT_OK && plan->is_shared && !ledger->is_shared) {
        result = begin_to_share(ledger, err);
    }
    if (ledger->is_listed || plan->is_listed) {
        return result; /* or will be: ledger_merge */
    }
    ledger->seeds = ledger->floor = seeds;
    if (result == RESULT_OK && before != seeds) {
        result = ledger_last_found(ledger, &last, err);
    }
    if (result != RESULT_OK || before == seeds) {
        return result;
    }
    if (last) {
        return err_set(err, RESULT_CORRUPT, "E-LEDG3",
                       "%s numbers what was found after %llu request%s, the job has %llu: its "
                       "sources have changed; begin anew with --fresh",
                       ledger->path, (unsigned long long)before, units_plural(before),
                       (unsigned long long)seeds);
    }
    st = ledger_statement(ledger, SQL_PUT_SEEDS, &result, err);
    if (st) {
        ledger->folded = false;
        sqlite3_bind_int64(st, 1, (sqlite3_int64)seeds);
        result = ledger_step(ledger, st, "noting the plan's size", err);
    }
    return result;
}
