/**
 * Segments that a ledger has dropped: no line of theirs counts, and their files go.
 *
 * Threads  those of the ledger.
 */
#ifndef SCRAPETOP_STORE_DROPPED_H
#define SCRAPETOP_STORE_DROPPED_H

#include "store/ledger.h"

/** Removes their files, and then forgets them. */
MUST_CHECK enum result dropped_remove(struct ledger *ledger, int raw_fd, struct err *err);

/** The same while somebody may pack (store/segment_pack.h): not while one does. */
MUST_CHECK enum result dropped_remove_live(struct ledger *ledger, int raw_fd, struct err *err);

#endif
