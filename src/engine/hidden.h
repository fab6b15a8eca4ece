/**
 * What is shown nowhere: the job's secrets, the credential of now, the tokens before it, and cookies.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_HIDDEN_H
#define SCRAPETOP_ENGINE_HIDDEN_H

#include "base/err.h"

struct engine;

/** Brings them together anew, when one has changed. Without memory what was known stays hidden. */
MUST_CHECK enum result hidden_collect(struct engine *engine, struct err *err);

#endif
