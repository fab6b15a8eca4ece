/**
 * One request in flight: an easy handle set up once and used for many requests, one after another.
 *
 *   IDLE --transfer_begin--> SENT OUT --headers--> body --transfer_end--> IDLE
 *
 * The callbacks count bytes against their ceilings as they come, since CURLOPT_MAXFILESIZE guards
 * nothing on libcurl 7.88 (measured: chunked and compressed bodies pass it). What the end means is
 * read off once, in transfer_end.
 *
 * Safety  headers and the proxy are set anew for every request, cookies come from a jar that all handles share
 *         and that knows origins (fetch/cookies.h), there is no netrc, no proxy that libcurl finds by itself,
 *         and what a challenge of Digest has left is forgotten before the next request: so a handle may be used
 *         again for another origin.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_H
#define SCRAPETOP_FETCH_TRANSFER_H

#include "read/coding.h"
#include "fetch/fetch.h"
#include "fetch/head.h"
#include "fetch/proxy.h"

#include <curl/curl.h>

struct lane;
struct transfer;
struct calmed;

/** The cookies of an endpoint. */
struct transfer_cookie {
    char *given;   /* sent beside those of the jar; or NULL */
    bool is_alone; /* it has a Cookie header: those of the jar are not sent */
};

struct transfer_config {
    const struct fetch_options *options;
    const struct proxies *proxies;
    struct curl_slist *resolve, *connect_to; /* NULL: none */
    bool cert_is_p12;
    struct curl_slist **headers;      /* by endpoint: Accept, the job's and the endpoint's own */
    struct curl_slist *plain_headers; /* Accept only: for an origin that a redirect led to */
    struct transfer_cookie *cookies;  /* by endpoint */
    CURLSH *jar;                      /* NULL: none */
    curl_closesocket_callback close_socket; /* of the owner of the multi handle, as the next two */
    void (*opened_socket)(void *context, int fd);
    void *socket_context;
    size_t *unsent;       /* transfers in flight of which nothing was sent yet */
    uint64_t *body_bytes; /* of all bodies in flight, with what unpacking them takes */
    /* NULL: none has to wait. Else asked before more of a body is made; its transfer is paused then. */
    bool (*must_wait)(void *context, const struct transfer *transfer);
    void *wait_context;
    bool watch_heads;      /* transfer_head_must_be_watched */
    struct calmed *calmed; /* fetch/transfer_http.h */
};

struct transfer {
    struct transfer *next, *prev; /* fetch's list: idle or in flight */
    const struct transfer_config *config;
    CURL *easy;
    CURLSH *jar;               /* that it uses now */
    struct response *response; /* while in flight */
    struct lane *lane;         /* fetch's: where it runs */
    uint32_t proxy_index;      /* of a pool */
    bool shows_cert;           /* the job's is set */
    bool answers_challenges;   /* it has user and password, of one origin ... */
    bool has_nonce;            /* ... and answers without being asked again */
    const struct proxy *proxy; /* through which it is asked; NULL: none */
    bool too_big, expands, no_memory, bad_head, bad_length, bad_transfer_coding, head_too_big;
    bool private_refused;
    bool is_part; /* Content-Range says that some bytes of the body are missing */
    struct head head;
    enum { FIELD_UNREAD, FIELD_KEPT, FIELD_FRAMING } field; /* the last one: what a fold adds to */
    bool is_verbose; /* libcurl is: for `watched` or `listens` */
    bool watched;    /* libcurl shows its lines before it looks at them: see transfer_head_show */
    bool consumed;   /* the line that it has shown last */
    bool listens;    /* libcurl says what it hears over HTTP/2 */
    enum job_http http; /* which it asks with */
    /* its last stream was refused, which libcurl tried again: it was not acted on */
    bool is_refused;
    bool hears_calm;            /* ENHANCE_YOUR_CALM, said to its connection */
    bool worn;                  /* its options or counters are not as they were set up */
    struct coding_list codings; /* that the head names */
    struct coding *coding;      /* while a body is unpacked that has some */
    enum coding_result coding_fault;
    bool body_is_begun, unreadable; /* the rest of an error's body, which is passed over */
    size_t coding_bytes;            /* what it is counted with, in config->body_bytes */
    /* of the piece that libcurl will hand over again, since it was paused within */
    size_t piece_taken;
    uint64_t coded_bytes;  /* of the body, as it comes */
    bool paused;           /* it does not read: there is no memory */
    uint64_t paused_at_us; /* since when, monotonic */
    int socket_errno;      /* why no socket could be had, or 0 */
    uint64_t began_us;     /* monotonic, as libcurl's clock is */
    /* In flight, but not its turn: the process stood still, or it was paused. In all, and of that before its
     * first byte. */
    uint64_t lost_us, lost_before_answer_us;
    uint64_t announced;    /* Content-Length, UINT64_MAX when not told */
    uint64_t body_bytes;   /* that came, decompressed, kept or not */
    uint64_t header_bytes; /* of all heads */
    char error[CURL_ERROR_SIZE];
    struct buf url;    /* with the extra query; empty without one */
    struct buf idn;    /* with its host as DNS has it; empty when it is so already */
    CURLU *parts;      /* the URL taken apart (fetch/transfer_url.h) ... */
    struct buf origin; /* ... with this scheme and host; empty: nothing is known of it */
    struct buf path;   /* its path, while it is set */
    struct buf body;   /* of the extra; empty without one */
    struct buf digest; /* likewise */
    struct buf extra[FETCH_EXTRA_HEADERS];
    struct curl_slist extra_headers[FETCH_EXTRA_HEADERS]; /* these, before the endpoint's */
    const struct curl_slist *sent;                        /* all of them */
};

/** NULL when out of memory. The config is borrowed. */
struct transfer *transfer_new(const struct transfer_config *config);
void transfer_free(struct transfer *transfer);

/** Prepares the handle for a request; the response gets it. Adding the handle to a multi is next. */
MUST_CHECK enum result transfer_begin(struct transfer *transfer, struct response *response,
                                      struct request *request, const struct fetch_extra *extra);

/** Reads off how it ended; the response is no longer its. */
void transfer_end(struct transfer *transfer, CURLcode code);

/** Bytes of memory that its body takes. */
uint64_t transfer_bytes(const struct transfer *transfer);

/** The nearest to its end has the least; UINT64_MAX when it has not begun. */
uint64_t transfer_left(const struct transfer *transfer);

/** Its request may be sent a second time. */
bool transfer_may_be_repeated(const struct transfer *transfer);

/** One that waits reads on; the time since is not its own. Not within a callback of libcurl. */
void transfer_go_on(struct transfer *transfer);

/** It was taken out of its multi before its end: the response is no longer its. */
void transfer_cut(struct transfer *transfer);

void transfer_row(const struct transfer *transfer, struct fetch_row *row);

#endif
