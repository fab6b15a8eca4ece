/**
 * A guess about pages is tried: the second page is asked for, and must have other records than the first.
 *
 * What an answer says of its next page leaves open which parameter asks for it: a server passes over one that it
 * does not know, and sends the first page again. So the likely names are tried one after the other, at most
 * PROBE_TRIES_MAX requests. Nothing is tried that the request or the answer makes sure (its own ?page=1, a next URL),
 * nothing by POST, and nothing when the answer says that few requests are left. A refusal (429, 503) or a lost
 * connection ends it.
 *
 * Where an answer tells of more but not how to ask for it, the last record's id is tried as a cursor, then a number.
 * Where it tells of nothing, a number is tried if as many records came as pages commonly have (20, 50, 100).
 *
 * Errors   RESULT_NOMEM and those of probe_ask.
 * Threads  main thread.
 */
#ifndef SCRAPETOP_PROBE_PROBE_TRY_H
#define SCRAPETOP_PROBE_PROBE_TRY_H

#include "probe/probe_job.h"

#define PROBE_TRIES_MAX 6

/** Sets `found->tried`; and in `found->guess` what has brought other records. */
MUST_CHECK enum result probe_try(struct probe_found *found, struct err *err);

#endif
