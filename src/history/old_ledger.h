/**
 * What a command that only reads says when the ledger is older than raw/ (store/orphans.h): all that it tells is
 * of before.
 */
#ifndef SCRAPETOP_HISTORY_OLD_LEDGER_H
#define SCRAPETOP_HISTORY_OLD_LEDGER_H

#include "store/ledger.h"

/** W-LEDG1 on stderr, if that is so. What cannot be read is somebody else's to tell. */
void old_ledger_warn(const struct run_dir *dir, struct ledger *ledger);

#endif
