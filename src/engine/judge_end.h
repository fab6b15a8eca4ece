/**
 * What may become of an answer: the ends that judge.c, opinion.c, again.c and login.c choose from. Each takes the
 * response, with the request in it.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_JUDGE_END_H
#define SCRAPETOP_ENGINE_JUDGE_END_H

#include "base/err.h"
#include "store/settlement.h"

#include <stdbool.h>

struct deadline;
struct engine;
struct request;
struct response;

/** Settled as done. Takes the discoveries; NULL: there are none. */
void judge_done(struct engine *engine, struct response *response, enum settle_body body_kind,
                struct discoveries *discoveries);

/** Settled as failed, by its outcome and reason. */
void judge_final(struct engine *engine, struct response *response);

/** Waits for its next try, by the deadline or else a backoff, in the ledger, too. */
void judge_again(struct engine *engine, struct response *response, const struct deadline *deadline);

/** Waits until `due_us`, which is set in the request. The try does not count. */
void judge_wait_free(struct engine *engine, struct response *response);

/** Goes round again. The try does not count. */
void judge_unasked(struct engine *engine, struct response *response);

/** Takes the request out; the try does not count. It is the caller's, who gives it to the frontier. */
struct request *judge_set_aside(struct engine *engine, struct response *response);

/** The same try goes on, at the URL that the request has now. */
void judge_go_on(struct engine *engine, struct response *response);

/** It cannot be asked, for this reason: it is settled as failed. Takes it, as judge_drop does. */
void judge_refuse(struct engine *engine, struct request *request, const char *reason);

/** By the user: the request is settled as failed without having been asked (again). Takes it.
 *  RESULT_NOMEM: it goes back to the frontier. */
MUST_CHECK enum result judge_drop(struct engine *engine, struct request *request);

/** Likewise, because the pages of its listing are refused from one before it on (plan/deep_limit.h). */
MUST_CHECK enum result judge_leave_out(struct engine *engine, struct request *request);

/** Likewise, because nobody answers at its host (host_bury). */
MUST_CHECK enum result judge_unreached(struct engine *engine, struct request *request);

/** What the request remembers of this try. */
void judge_note_try(const struct response *response);

/** The request may be repeated without side effects. Any thread. */
bool judge_asks_safely(const struct engine *engine, const struct request *request);

#endif
