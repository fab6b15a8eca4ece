/**
 * Opens the store of a run, checks that it fits the plan, and logs what it found.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_STORE_OPEN_H
#define SCRAPETOP_ENGINE_STORE_OPEN_H

#include "base/err.h"

struct committer_options;
struct engine;

/** With the callbacks of `given`; all else is the engine's. E-IN5: the plan has fewer requests than the run began with. */
MUST_CHECK enum result store_open(struct engine *engine, const struct committer_options *given,
                                  struct err *err);

/** The first line of the session in events.jsonl. */
void store_tell_start(struct engine *engine);

#endif
