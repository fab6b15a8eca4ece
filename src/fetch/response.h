/**
 * What one attempt at a request brought back.
 *
 * Made by fetch, handed whole to the engine and on to the store; the body's memory comes back to
 * fetch by `response_recycle`, so that a long run allocates little. Status and header texts are
 * bytes from outside: escape before showing.
 *
 * Ownership  owns its request and its body.
 * Units      microseconds from the handle's start; time waited for a slot is not in them.
 */
#ifndef SCRAPETOP_FETCH_RESPONSE_H
#define SCRAPETOP_FETCH_RESPONSE_H

#include "base/buf.h"
#include "job/job_network.h"
#include "plan/request.h"

#define RESPONSE_HEADERS_MAX 16384 /* bytes kept of one response's headers, all told */

#define RESPONSE_KEEP_BYTES (256U << 10)

struct response_timing {
    uint64_t dns_us, connect_us, tls_us; /* 0 on a reused connection */
    uint64_t first_byte_us;
    uint64_t total_us;
};

/** Why a proxy is to be blamed (OUTCOME_PROXY). */
enum proxy_fault {
    PROXY_FAULT_NONE,
    PROXY_FAULT_DEAD,    /* it cannot be reached, or ends without an answer */
    PROXY_FAULT_NAME,    /* its name is not known */
    PROXY_FAULT_AUTH,    /* it wants other credentials */
    PROXY_FAULT_TLS,     /* its certificate, or handshake */
    PROXY_FAULT_DENIED,  /* it does not connect to this host */
    PROXY_FAULT_GATEWAY, /* it cannot reach this host */
    PROXY_FAULT_MOVED,   /* one of a pool: the request is asked through another */
};

struct flight;

struct response {
    struct response *next;
    struct flight *flight; /* fetch's own, while a thread has it */
    void *read_ahead; /* what fetch_options.on_ended has left; taken out by on_response; or NULL */
    struct request *request;
    enum outcome outcome;
    enum proxy_fault proxy_fault;
    uint32_t proxy_index; /* of a pool */
    /* the one that it was asked through, without credentials; fetch's; NULL: none */
    const char *proxy;
    int status; /* 0 when there was none */
    /* How often the request was sent. libcurl repeats it by itself when a kept connection turns out to
     * be dead before the first byte of an answer. */
    unsigned sends;
    unsigned refusals;     /* of these, those that came after a stream that HTTP/2 refused */
    unsigned challenges;   /* of these, answers to a challenge of Digest */
    bool challenge_is_old; /* a 401, to an answer that was made of an earlier challenge */
    bool reused;           /* asked on a kept connection */
    bool peer_is_ours;     /* ip_text_is_ours; known for complete answers */
    bool sent;             /* at least a byte of the request may have left us */
    bool reached;          /* something answered at its address, if only to refuse */
    bool sets_cookie;      /* or tries to */
    bool calm_down;        /* it said ENHANCE_YOUR_CALM: HTTP/2's way to say 429 */
    enum job_http http;    /* which it was answered with, or else asked; never JOB_HTTP_AUTO */
    /* it ended as when the server speaks that alone; JOB_HTTP_AUTO: not so */
    enum job_http http_instead;
    bool no_descriptor;    /* OUTCOME_LOCAL for want of one */
    bool long_header;      /* it ended at a header over libcurl's ceiling, or for want of memory */
    int64_t fetched_at_us; /* wall clock at the end */
    struct response_timing timing;
    uint64_t wire_bytes;    /* received, before decompression, headers included */
    uint64_t body_bytes;    /* of the body that came, decompressed, kept or not */
    uint64_t counted_bytes; /* of the body, while fetch counts them as handed on */
    uint32_t bad_crc32c;    /* of the body, when it is no JSON; 0: not looked at, or empty */
    struct buf body;        /* decompressed; complete unless the outcome says otherwise */
    /* The body as it was sent, where that is no JSON but says some (base/body_text.h), which is in `body` then. */
    struct buf sent_as;
    unsigned body_was; /* what it was; 0: JSON, or nothing that can be read */
    char body_note
        [REQUEST_REASON_MAX]; /* what is odd within it: "the row of line 7 has 5 cells ..."; or empty */
    char *redirect_url;       /* OUTCOME_REDIRECT: where to, absolute; owned */
    struct buf headers;       /* the kept ones: "name\0value\0" pairs, names in lower case */
    char reason[REQUEST_REASON_MAX];  /* one clause why the outcome is not OK, else empty */
    char library[REQUEST_REASON_MAX]; /* libcurl's own sentence on the end, when it has one */
};

/** Forgets the content, keeps the memory of body and headers up to RESPONSE_KEEP_BYTES each. The
 *  request must have been taken out. */
void response_reset(struct response *response);

/** What its request is to remember of this try. */
struct last_try response_last_try(const struct response *response);

/** First value of a kept header, by its lower-case name; STR_NONE when absent. */
struct str response_header(const struct response *response, struct str name);

/** As above, the n-th (from 0) of several with the same name. */
struct str response_header_nth(const struct response *response, struct str name, unsigned n);

/** The next kept header from `*at`, which begins at 0; false after the last. */
bool response_header_next(const struct response *response, size_t *at, struct str *name,
                          struct str *value);

struct response *response_new(void);           /* NULL when out of memory */
void response_free(struct response *response); /* with its request; NULL is ignored */

#endif
