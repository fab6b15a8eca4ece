/**
 * Token notes: what the ledger keeps of each of several tokens (store/token_note.h), for the next session and for
 * `status`. A hold is noted at once, before the answer that told of it is settled; counts once a second.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_TOKEN_NOTES_H
#define SCRAPETOP_ENGINE_TOKEN_NOTES_H

#include "base/err.h"

#include <stdint.h>

struct engine;
struct host;

/** What earlier sessions noted: tokens that were held still are. Before the committer is started. */
MUST_CHECK enum result token_notes_restore(struct engine *engine, struct err *err);

/** A token may be held now, or put aside. */
void token_notes_held(struct engine *engine, const struct host *twin);

void token_notes_tick(struct engine *engine, uint64_t now_us);

/** Nothing more will come. */
void token_notes_close(struct engine *engine);

#endif
