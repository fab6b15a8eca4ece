/**
 * Wire: a connection to Redis, plain by hiredis, or through TLS, and one command at a time on it, each within a deadline.
 *
 * Ownership  `place` is borrowed; fleet_wire_release at the end. A reply is the caller's, for freeReplyObject.
 * Bounds     a reply has FLEET_REPLY_MAX bytes at most; what is said of an error FLEET_SAID_MAX.
 * Errors     as in fleet/client.h and fleet/tls.h; `err` is not NULL.
 * Threads    one, which it blocks for up to FLEET_CALL_MS.
 */
#ifndef SCRAPETOP_FLEET_WIRE_H
#define SCRAPETOP_FLEET_WIRE_H

#include "fleet/place.h"

#include <hiredis/hiredis.h>

#define FLEET_SAID_MAX 160
#define FLEET_WORDS_MAX 8 /* of a command */

struct fleet_lookup;
struct fleet_tls;

/** Zeroed but for the first: not connected. */
struct fleet_wire {
    const struct fleet_place *place;
    bool (*stops)(
        void *context); /* asked while a name is looked up: true, and it is left; or NULL */
    void *stops_context;
    redisContext *redis;         /* NULL: not connected */
    struct fleet_tls *tls;       /* what its bytes go through, or NULL */
    struct fleet_lookup *lookup; /* of its host's name, under way; or NULL */
    uint64_t due_ns;             /* when the command under way is given up */
    bool has_read;               /* something, on this connection */
};

MUST_CHECK enum result fleet_wire_connect(struct fleet_wire *wire, struct err *err);
void fleet_wire_close(struct fleet_wire *wire);
void fleet_wire_release(struct fleet_wire *wire);

/** NULL: `err` says why, and the connection is closed. */
redisReply *fleet_wire_command(struct fleet_wire *wire, const struct str *words, size_t count,
                               struct err *err);

/** RESULT_BUSY, with that sentence; it is closed. */
enum result fleet_wire_away(struct fleet_wire *wire, const char *why, struct err *err);

#endif
