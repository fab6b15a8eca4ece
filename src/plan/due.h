/**
 * Due: who set a deadline, and by how much. Plain values: of a request that waits, and of a host that is
 * held. The words are made here, last, for people.
 *
 * Units    microseconds.
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_PLAN_DUE_H
#define SCRAPETOP_PLAN_DUE_H

#include "base/str.h"

/** Who set it. The ledger keeps the numbers: append only, never renumber. */
enum due_by {
    DUE_NONE,
    DUE_BACKOFF,     /* we did: a random time up to a ceiling, after a failure */
    DUE_RETRY_AFTER, /* the server, by Retry-After or a field like it */
    DUE_QUOTA,       /* the server, by saying that the quota is spent until then */
    DUE_HOST_HOLD,   /* we did: a refusal without a deadline holds the whole host */
    DUE_BREAKER,     /* we did: the host does not answer */
    DUE_RESTART,     /* we did: the deadline passed while nobody ran */
    DUE_RULE,        /* a rule of the job */
    DUE_USER,        /* the user holds the host */
    DUE_NOT_READY,   /* the result is still being made (plan/exchange.h); holds no host */
    DUE_SAME_ANSWER, /* we did: the host refuses all, and is asked nothing more */
    DUE_TOKEN,       /* we did: the server refuses the token that it is asked with */
    DUE_BY_COUNT,
};

#define DUE_SAID_MAX 40
#define DUE_HOST_MAX 64

struct due {
    enum due_by by;
    int status;          /* of the answer that led to it; 0: there was none */
    uint64_t wait_us;    /* how long, from when it was set */
    uint64_t ceiling_us; /* DUE_BACKOFF: it was drawn from 0 to here */
    char said
        [DUE_SAID_MAX]; /* in the server's own words ("30"), or the rule's; bytes from outside */
    char host[DUE_HOST_MAX]; /* who answered so, "host:port"; empty: the request's own host */
};

/** The deadline is the server's word: never cut short by us, and it outlives a restart. */
bool due_is_named(enum due_by by);

/** For a list that is sorted by who set it: by that, then by how long. Negative, 0 or positive. */
int due_compare(const struct due *a, const struct due *b);

/** "retry-after", "backoff", ...: for machines. "" for DUE_NONE. */
const char *due_by_word(enum due_by by);

#define DUE_TEXT_MAX 64

/** Who set a request's deadline: "Retry-After: 30", "backoff 2.7 s of 0-4 s". */
void due_format(const struct due *due, char text[DUE_TEXT_MAX]);

/** Why a host is held: the same with the status in front, "429, Retry-After: 30". */
void due_format_hold(const struct due *due, char text[DUE_TEXT_MAX]);

/** For rows of a ledger of before version 3, which has only the words of due_format. Nothing else may call
 *  this. */
void due_guess(struct str set_by, struct due *due);

#endif
