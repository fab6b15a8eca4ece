/**
 * One request of the plan, and how an attempt at it may end.
 *
 * A request is made by the plan when its turn comes (patterns expand lazily), travels whole through
 * fetch and store, and comes back to the engine, which frees it or sends it round again. Whoever
 * holds the pointer owns it; nobody keeps a second one.
 *
 *   QUEUED --> IN_FLIGHT --> STORING --> DONE
 *     ^            |             `-----> FAILED
 *     +- WAITING <-+   (a retry, or a redirect, which does not wait)
 */
#ifndef SCRAPETOP_PLAN_REQUEST_H
#define SCRAPETOP_PLAN_REQUEST_H

#include "base/str.h"
#include "plan/due.h"
#include "plan/exchange.h"
#include "plan/failure.h"

#include <stdint.h>

#define REQUEST_HOPS_MAX 5 /* redirects followed for one request */
#define REQUEST_REASON_MAX 160

#define PAGE_TOTAL_UNKNOWN UINT64_MAX

/** How it is known that there is such a page. */
enum page_basis {
    PAGE_NAMED = 0, /* the pages before: by a cursor, a URL, a total, has_more true */
    PAGE_TRIED = 1, /* nobody: it is asked because nothing has told the listing's end */
    PAGE_PROOF = 2, /* nobody: it is after the last page by the total told, and proves that total */
    PAGE_PART =
        3, /* it is a part of a page that was too large (pages_split); `ordinal` is its first record's */
};

/** Where a request stands in a listing of pages, and what its page must know to name further ones: all
 *  of it is kept with a found request, so that a resumed run goes on alike. Zeroed: not paged, or the
 *  listing's first page. */
struct page_at {
    uint64_t chain;    /* id of the request for the listing's first page */
    uint64_t number;   /* as sent: page number or offset; 0 for cursors and links */
    uint64_t total;    /* records or pages, as announced; PAGE_TOTAL_UNKNOWN */
    uint32_t ordinal;  /* 0 is the listing's first page */
    uint32_t expected; /* pages in all, reckoned from what is announced; 0: nobody knows */
    uint32_t size;     /* records a page (of offsets: the step) that `expected` relies on */
    uint32_t empty;    /* pages in a row before this one that had no record */
    uint32_t kind;     /* enum job_pages_kind, once `auto` has decided */
    /* of the records of the page that named it: the same again is a loop */
    uint32_t named_by_crc32c;
    uint64_t came;     /* records of the pages before it, where pages name one another; else 0 */
    uint32_t previous; /* records of the page that named it */
    uint32_t most;     /* records of the fullest page before it */
    uint32_t records_type; /* enum json_type of what held the records before; 0: there were none */
    uint32_t records_at;   /* crc32c of the pointer to them, when it is a guess */
    uint32_t basis;        /* enum page_basis */
    uint32_t repeats;      /* pages in a row before it that were asked with the very same request */
};

/** What its last try came to. Zeroed: none has ended. */
struct last_try {
    enum outcome outcome;
    int status;             /* 0: none came */
    struct failure failure; /* its class, which may say more than the outcome does */
    bool reached;           /* something answered at its address, if only to refuse */
    bool calm_down;         /* it said ENHANCE_YOUR_CALM: HTTP/2's way to say 429 */
    uint32_t bad_crc32c;    /* of a body that is no JSON; 0: there was none */
    unsigned bad_times;     /* so often in a row it was that one */
    bool long_header;       /* it ended at a header over libcurl's ceiling, or for want of memory */
};

struct request {
    struct request *next; /* of the queue that holds it: queues need no node of their own */
    uint64_t id;          /* place in the plan's order, from 1; never changes */
    uint32_t endpoint;    /* index into job.endpoints */
    uint32_t host;        /* index into the host table (plan/host.h) */
    uint16_t lane;        /* index into the host's lanes */
    uint32_t attempt;     /* tries begun so far */
    uint64_t host_start;  /* which of its bucket's starts the last try was (plan/bucket.h) */
    uint32_t lane_moves;  /* of its lane from bucket to bucket, when the last try began */
    uint32_t host_crowd;  /* in flight in its bucket when it began, itself included */
    uint64_t started_us;  /* when it began (monotonic) */
    uint32_t crowd;       /* in flight everywhere when it began, itself included */
    uint16_t hops;        /* redirects followed in this try */
    bool foreign;         /* redirected off the job's origin: no configured header, no body */
    bool from_public;     /* redirected by a public address: may not lead to a private one */
    bool sealed;          /* its texts hold labels of secrets in place of them (engine/seal.c) */
    bool is_marked;       /* the ledger has it as being sent: what must not be sent twice */
    uint16_t unsent;      /* its place while nothing of it has gone out (store/unsent.h); or 0 */
    bool comes_back;      /* once its mark is taken back it is asked again (engine/settle.h) */
    bool drop_body;       /* redirected by 301, 302 or 303 from a POST: ask with GET */
    uint8_t refusals;     /* tokens in a row that were refused to it (engine/auth.h) */
    /* the number of the token that it was asked with last (plan/twin.h); 0: none of several */
    uint8_t twin;
    uint8_t moves;       /* of several tokens those in a row that it was taken from (plan/twin.h) */
    uint64_t refused_by; /* a bit for each of them that was refused to it (plan/twin.h) */
    uint16_t refused_status;
    uint8_t limit_free; /* refusals that were its host's limit's, and no tries of its own */
    uint32_t limit_refused, limit_accepted; /* its bucket's answers when it was refused last */
    bool is_asked_again; /* after its credential was refused (plan/credential.h) */
    bool is_scout;       /* only to see whether its host answers; the plan's own was answered */
    uint64_t refused_us; /* when that was, the first time (monotonic); 0: it was not */
    uint32_t login;      /* number of the token that it was sent with; 0: none */
    uint64_t due_us;     /* waiting: not before this (monotonic) */
    uint64_t since_us;   /* when it entered its present state (monotonic) */
    struct page_at page;
    struct str sort_key; /* in its endpoint's order (plan/sort_key.h); empty: told by the id */
    struct str key;      /* what varies; never empty, terminated */
    struct str url;      /* as planned; terminated */
    struct str body;     /* what to send, terminated; STR_NONE: what its endpoint says */
    struct str vars;     /* JSON object of the values it was made of, terminated; STR_NONE: none */
    struct str etag;     /* of the round before, when it is polled; terminated; or STR_NONE */
    char *redirect_url;  /* where to ask instead, or NULL; owned */
    struct exchange exchange; /* when it takes more than one question */
    bool fetches_result;      /* this try has gone on to where the exchange's result lies */
    struct last_try last;
    struct due due;                  /* waiting: who set `due_us` */
    char reason[REQUEST_REASON_MAX]; /* of the last failed try, for people; bytes from outside */
    char text[];                     /* the bytes of the texts */
};

/** What a request is made of; copied. */
struct request_texts {
    struct str key, url, body, vars, sort_key, etag;
};

/** How many bytes request_texts_copy wants, and these texts one after the other, each with a NUL behind it: views
 *  into `bytes`. STR_NONE stays STR_NONE. */
size_t request_texts_bytes(const struct request_texts *texts);
struct request_texts request_texts_copy(const struct request_texts *texts, char *bytes);

/** Copies the texts. NULL when out of memory. */
struct request *request_new(uint64_t id, uint32_t endpoint, struct str key, struct str url);
struct request *request_make(uint64_t id, uint32_t endpoint, const struct request_texts *texts);
void request_free(struct request *request); /* NULL is ignored */

/** The next try begins at the planned URL, or where its exchange goes on. */
void request_start_over(struct request *request);

/** Its exchange goes on, of which an earlier session knows. Copied. RESULT_NOMEM. */
MUST_CHECK enum result request_resume(struct request *request, const struct exchange *exchange);

/** It was tried before, and this is not a redirect's further hop. */
bool request_is_retry(const struct request *request);

/** What to ask now: the redirect's target, else where the exchange goes on, else the planned URL. */
struct str request_url(const struct request *request);

#endif
