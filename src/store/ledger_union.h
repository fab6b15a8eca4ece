/**
 * The union of ledgers whose runs shared what they found (ledger_plan.is_shared): where each found request would stand if
 * all were one run, and whose record of it counts.
 *
 * One worker finds a request, another asks it, a third finds it at a lesser place, and what it led to is with others again.
 * So all that was found is put together as one ledger would have done it (ledger_put_discoveries): at the least place, with
 * all that it led to. That happens in a temporary file, not in memory.
 *
 * Ownership  of the caller; the ledgers are borrowed, and made to read by it until it is freed.
 * Errors     as store/ledger.h says.
 * Threads    that of the ledgers.
 */
#ifndef SCRAPETOP_STORE_LEDGER_UNION_H
#define SCRAPETOP_STORE_LEDGER_UNION_H

#include "store/ledger.h"

struct ledger_union;

/** False: one of the runs did not share what it found, and ledger_is_found_before is what there is. */
bool ledger_union_is_for(struct ledger *const *ledgers, size_t count);

/** Of this moment: the ledgers are held (ledger_hold). From now on ledger_read_endpoint has of each ledger the found requests
 *  whose record counts, at their places in the union. `plan`: only its parents are looked at. */
MUST_CHECK enum result ledger_union_make(struct ledger_union **made, struct ledger *const *ledgers,
                                         size_t count, const struct ledger_plan *plan,
                                         struct err *err);

/** NULL is ignored. Before the ledgers are closed. */
void ledger_union_free(struct ledger_union *u);

#endif
