/**
 * Checks every stored body of a run and prints what was found.
 *
 * Errors  as store/verify.h says.
 */
#ifndef SCRAPETOP_HISTORY_VERIFY_PRINT_H
#define SCRAPETOP_HISTORY_VERIFY_PRINT_H

#include "store/run_reader.h"

/** To stdout. `is_damaged`: some record is not what the ledger says of it. */
MUST_CHECK enum result verify_print(struct run_reader *reader, bool json, bool *is_damaged,
                                    struct err *err);

#endif
