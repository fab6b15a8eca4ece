/**
 * Contract: whether the rows are what the user expects of the table (base/table_expect.h).
 *
 * Workers look at each row that is to be written, before any is; keys go to a dedup. Then it is judged. A column that no
 * record has is a broken promise, too: all of its values are missing.
 *
 * Ownership  contract_free; a tally is the worker's (contract_tally_release).
 * Errors     RESULT_NOMEM.
 * Threads    contract_look: any number, each with its own tally. All else one at a time.
 */
#ifndef SCRAPETOP_TABLE_CONTRACT_H
#define SCRAPETOP_TABLE_CONTRACT_H

#include "base/err.h"
#include "base/table_expect.h"
#include "normalise/rows.h"
#include "table/dedup.h"
#include "table/layout.h"
#include "table/table_schema.h"

#include <stdint.h>

#define CONTRACT_BROKEN_MAX 5 /* one for each kind */
#define CONTRACT_TEXT 320

/* What does not hold, a sentence each; may hold bytes from outside. */
struct contract_verdict {
    unsigned count;
    char broken[CONTRACT_BROKEN_MAX][CONTRACT_TEXT];
};

struct contract;

/* What a worker has seen. */
struct contract_tally {
    uint64_t rows;
    int64_t latest_us;
    bool has_time;
    uint64_t *nulls; /* by column of not_null; NULL until the first row */
};

/** Borrows the expectation, the spec and the tree of columns; `*contract` is NULL when nothing is expected. */
MUST_CHECK enum result contract_new(struct contract **contract, const struct table_spec *spec,
                                    const struct columns *columns, struct err *err);
void contract_free(struct contract *contract);

/** `missing` is set to the first column of not_null in which the row has no value, or to STR_NONE. */
MUST_CHECK enum result contract_look(const struct contract *contract, struct contract_tally *tally,
                                     const struct row *row, struct str *missing, struct err *err);
void contract_tally_release(struct contract_tally *tally);

/** The key that no other row may have, or that the row has none. */
MUST_CHECK enum result contract_add_key(const struct contract *contract, struct buf *keys,
                                        const struct row *row, bool is_wanted);

/** Whether rows' keys are asked for. */
bool contract_has_keys(const struct contract *contract);

/* What is known when all rows have been looked at. */
struct contract_facts {
    const struct contract_tally *tallies;
    size_t tally_count;
    const struct dedup *keys;                /* NULL without them */
    const struct table_schema *before, *now; /* NULL: there was no table; types are not known */
    const char *first_null;                  /* where a value is missing first; NULL: nowhere */
    int64_t wall_us;
};

void contract_judge(const struct contract *contract, const struct contract_facts *facts,
                    struct contract_verdict *verdict);

#endif
