/**
 * A settlement: one request's end, or its wait, on its way to the disk and back.
 *
 * The engine makes it of a response, the committer (store/committer.h) keeps it until it is durable.
 */
#ifndef SCRAPETOP_STORE_SETTLEMENT_H
#define SCRAPETOP_STORE_SETTLEMENT_H

#include "base/digest.h"
#include "fetch/response.h"
#include "plan/discovered.h"
#include "plan/rounds.h"
#include "store/failed_row.h"
#include "store/record.h"

enum settle_state {
    SETTLE_DONE = 1, /* the values are the ledger's: never renumber */
    SETTLE_FAILED = 2,
    SETTLE_WAITING = 3,
    SETTLE_ROUND =
        4, /* no request's end: a part of a round of polls, which `rounds` and `discoveries` tell of;
                         without a response, and never in the ledger */
    SETTLE_SENDING =
        5, /* no end either: the request is about to be sent, and must not be sent twice. In
                           the ledger until it is settled, or ... */
    SETTLE_UNSENT = 6, /* ... was not sent after all */
    SETTLE_LOST = 0,   /* came back undone: the store failed; never in the ledger */
};

enum settle_body {
    SETTLE_BODY_NONE = 0,    /* no line: a failure without a body worth keeping, or a wait */
    SETTLE_BODY_JSON = 1,    /* checked JSON, copied byte for byte; the ledger's values, too */
    SETTLE_BODY_FOREIGN = 2, /* anything else: kept as "text" (valid UTF-8) or "base64" */
    SETTLE_BODY_EMPTY = 3,   /* 204: "body":null */
};

/** Of a polled request: how its next answer is recognised as unchanged. */
struct settle_poll {
    bool is_used;
    struct str etag; /* to be sent with the next one, alive until it comes back; STR_NONE: none */
    uint8_t digest[DIGEST_BYTES]; /* of the body; the store's own */
    bool has_digest;
};

struct settlement {
    struct settlement *next;
    enum settle_state state;
    enum settle_body body_kind;
    struct response *response; /* with its request; comes back untouched, save that line breaks in a
                                   JSON body have become spaces */
    struct str url;            /* as it may be written down (secrets redacted), alive until it comes
                                   back; STR_NONE: the request's planned URL */
    /* SETTLE_FAILED, SETTLE_WAITING: what the server said, without secrets, alive until it comes
     * back; zeroed: nothing */
    struct said said;
    int64_t not_before_wall_us; /* SETTLE_WAITING: the deadline, to outlive a restart */
    uint64_t waits_us;          /* likewise: how long that is from now */
    /* committed with it, in one transaction; whoever made the settlement releases them. Filled
     * in: the ids of those that are new */
    struct discoveries discoveries;
    struct settle_poll poll;
    const struct rounds_kept *rounds; /* SETTLE_ROUND: how far the round is with it; borrowed */
    bool unchanged; /* SETTLE_DONE: the last body again. Said by a 304; filled in when the body is
                       the same, which then gets no line: `body_kind` is SETTLE_BODY_NONE */
    struct record record; /* filled in when a line was written; else its length is 0 */
    /* filled in when something was found that is new, in a run that shares it: its last place in the outbox */
    uint64_t outbox_last;
    bool duplicate; /* filled in: the ledger had it as done already and was left alone */
};

#endif
