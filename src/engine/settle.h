/**
 * Settle: hands judged answers to the committer, and takes their requests back once that is durable.
 *
 *   settle_put --> committer --> settle_committed --> forgotten, or to the frontier to wait
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SETTLE_H
#define SCRAPETOP_ENGINE_SETTLE_H

#include "base/err.h"
#include "plan/discovered.h"
#include "store/settlement.h"

#include <stdbool.h>

struct engine;
struct request;
struct response;

/** Settles the response and the request in it. Takes both, and the discoveries; NULL: there are none. Without
 *  memory the request goes back to the frontier. */
void settle_put(struct engine *engine, struct response *response, enum settle_state state,
                enum settle_body body_kind, struct discoveries *discoveries);

/** Notes of a request without an answer that it is SETTLE_SENDING, or SETTLE_UNSENT after all. Takes it; false:
 *  there is no memory, and it is the caller's still. */
MUST_CHECK bool settle_mark(struct engine *engine, struct request *request,
                            enum settle_state state);

/** A request that was not sent, or refused, is left to a later session, without a mark. Takes it. */
void settle_leave(struct engine *engine, struct request *request);

/** Takes the request out and lets the rest of the response go. */
MUST_CHECK struct request *settle_dismantle(struct engine *engine, struct response *response);

/** The request, which was not sent or was refused, goes round again without having cost a try, and its mark is taken
 *  back first. Without memory even for that it is left to the next session, as anything else in flight. Takes it. */
void settle_put_back(struct engine *engine, struct request *request);

/** The request was answered, or may have been, and there is no memory to keep that: it is asked again, unless it must not
 *  be sent twice. Then its mark stays for the next session to tell of. Takes it. */
void settle_once_more(struct engine *engine, struct request *request);

void settle_committed(void *engine, struct settlement *settlements); /* committer's on_committed */

/** Frees what is kept for settlements to come. */
void settle_release(struct engine *engine);

#endif
