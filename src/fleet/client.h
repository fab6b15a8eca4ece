/**
 * Client: calls of the fleet's scripts at a Redis, one at a time, each within a deadline.
 *
 * It connects when it must, loads a script when it is first called, and connects anew after
 * whatever went wrong. A reply is text of
 * bounded length; what Redis says of an error is cut to one line.
 *
 * Errors     RESULT_BUSY (E-FLEET5): Redis is away, or says that it cannot now: the same call may go well later.
 *            RESULT_DENIED (E-FLEET1): the password is missing or wrong. RESULT_INVALID (E-FLEET4): it drops keys
 *            when it is full. RESULT_CORRUPT (E-FLEET5): the reply is none of ours.
 * Threads    one, which it blocks for up to FLEET_CALL_MS.
 */
#ifndef SCRAPETOP_FLEET_CLIENT_H
#define SCRAPETOP_FLEET_CLIENT_H

#include "base/buf.h"
#include "fleet/place.h"

#define FLEET_CALL_MS 2000
#define FLEET_REPLY_MAX                                                                            \
    (8U << 20) /* one found request of the longest, and half a megabyte of others */

enum fleet_script {
    FLEET_HELLO,
    FLEET_RECOUNT,
    FLEET_TURN,
    FLEET_PUBLISH,
    FLEET_LOOK,
    FLEET_DONE,
    FLEET_STEER,
    FLEET_FORGET,
    FLEET_REMOVE,
    FLEET_BUDGET,
    FLEET_LOGIN,
    FLEET_SCRIPT_COUNT
};

struct fleet_client;

/** False: this build has no client, see cmake's SCRAPETOP_FLEET. */
bool fleet_client_is_built(void);

/** Text of hiredis' version; "" when it is not built. */
const char *fleet_client_version(void);

/** `place` is borrowed. NULL: no memory. */
struct fleet_client *fleet_client_new(const struct fleet_place *place);
void fleet_client_free(struct fleet_client *client);

/** Asked while a name is looked up: true, and it is left (RESULT_BUSY). */
void fleet_client_let_stop(struct fleet_client *client, bool (*stops)(void *context),
                           void *context);

#define FLEET_ARGUMENTS_MAX 4

/** `reply` is emptied first; `err` is not NULL, as below. */
MUST_CHECK enum result fleet_client_call(struct fleet_client *client, enum fleet_script script,
                                         const struct str *arguments, size_t count,
                                         struct buf *reply, struct err *err);

/** Connects, tells Redis that a worker of this job is here, and looks for others. `*is_alone`: no other one is connected, nor
 *  can it be about to come back: Redis has been up for longer than any waits before. False as well when Redis does not say. */
MUST_CHECK enum result fleet_client_look_around(struct fleet_client *client, bool *is_alone,
                                                struct err *err);

/** What tells the Redis that answered last from one that was started anew, or took its place. Empty: it does not say. */
const char *fleet_client_server(const struct fleet_client *client);

/** The names of the jobs in this Redis, a line each, in no order; whatever has the form of one is taken for one. */
MUST_CHECK enum result fleet_client_jobs(struct fleet_client *client, struct buf *names,
                                         struct err *err);

#endif
