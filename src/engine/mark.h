/**
 * Mark: the ledger knows of a request that must not be sent twice before it is sent.
 *
 *   start --mark--> committer --durable--> sent --settled--> (the mark goes with the row)
 *                                    `----> not sent after all: the mark is taken back
 *
 * One that is taken back before it was sent (its host does not respond, a shortage, a dead proxy), or was refused, loses
 * its mark before it waits again (settle_put_back). A process that is killed meanwhile leaves the mark, and the next
 * session does not send the request again (FAILURE_MAYBE_SENT), unless it was only connecting (store/unsent.h). It costs
 * a commit before each such request, and nothing for any other.
 *
 * Threads  loop thread only, but mark_begins.
 */
#ifndef SCRAPETOP_ENGINE_MARK_H
#define SCRAPETOP_ENGINE_MARK_H

#include "base/err.h"
#include "store/unsent.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct engine;
struct request;
struct response;

struct marks {
    struct request *first, **end; /* whose marks are there: to be sent, in order */
    size_t under_way;             /* requests that are in flight but for a mark in the ledger */
    uv_mutex_t mutex;             /* of `unsent` */
    bool has_mutex;
    struct unsent unsent;
};

MUST_CHECK enum result marks_init(struct engine *engine, struct err *err);
void marks_release(struct engine *engine);

/** By its method or the job's word it does no harm when it is sent twice, or it is marked already. */
bool mark_is_needless(const struct engine *engine, const struct request *request);

/** Marks a request that has its place among those in flight; mark_next has it when that is durable. Takes it. */
void mark_first(struct engine *engine, struct request *request);

/** The next one whose mark is durable, to be sent; NULL when there is none. It is the caller's. */
struct request *mark_next(struct engine *engine);

/** For struct fetch_options: it is about to be sent. False: that cannot be noted, so it must not be. */
bool mark_begins(void *engine, struct response *response);

/** It is not sent after all. Takes it. */
void mark_leave(struct engine *engine, struct request *request);

#endif
