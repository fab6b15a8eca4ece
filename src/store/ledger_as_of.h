/**
 * A ledger as it was at an earlier time: of a run that is asked again, whose tables have the newest answer of each request.
 *
 * From then on this connection sees no answer that came later, no round after the last one of which something had come,
 * and of each request the line that was its newest then. Of an answer that was the last one again nobody knows when
 * it came: it counts with its round. What the plan names, and what was pruned, is as it is now. The file is not changed.
 *
 * Errors   those of store/ledger.h, and of `is_late`.
 * Threads  those of the ledger, which is opened for reading.
 */
#ifndef SCRAPETOP_STORE_LEDGER_AS_OF_H
#define SCRAPETOP_STORE_LEDGER_AS_OF_H

#include "store/ledger.h"

/** Whether further rounds of this run take the place of those before. */
bool ledger_is_of_rounds(const struct ledger *ledger);

/** `is_late` is asked of every stored answer; `*count` are those that were. Once for a ledger. */
MUST_CHECK enum result ledger_go_back(struct ledger *ledger,
                                      enum result (*is_late)(void *context,
                                                             const struct record *record,
                                                             bool *late, struct err *err),
                                      void *context, uint64_t *count, struct err *err);

#endif
