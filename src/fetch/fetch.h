/**
 * Fetch: requests in, responses out, as many at once as the caller starts.
 *
 * It holds no queue: a request that is handed in starts now, so the caller's cap is exact and a
 * transfer's age is true. Every request comes back exactly once, inside its response, through
 * `on_response`: also one that was refused at the start, ended by a timer, or cancelled.
 *
 * What leaves here is bounded: body bytes are counted after decompression as they come, headers have
 * a ceiling, gzip is the only coding asked for (others are read, see read/coding.h), http and https
 * are the only schemes spoken, and
 * redirects are reported, never followed.
 *
 * HTTP/2 over TLS by default, but not with libcurl before 8.1, which reports a body that HTTP/2 cut short
 * as complete (curl issues 10693 and 10715). An end that shows that a server speaks another version says so
 * (response.http_instead), and the caller then says which for its requests (fetch_extra.http).
 *
 * Ownership  fetch_start takes the request; on_response hands over the response with the request
 *            in it; fetch_recycle takes an empty response back.
 * Threads    loop thread only, but for callbacks that say otherwise. Nothing here blocks it: names are resolved by
 *            libcurl's threads. With several threads that fetch (options.threads; fetch/fetch_threads.h) connections,
 *            TLS, HTTP and unpacking are theirs, and a response comes to the loop when it has ended; to cancel or to
 *            take is to wait for a turn of their loops. Who owns what then:
 *
 *              request, response, what one start carries   a thread's from fetch_kick until on_response
 *              connections, TLS sessions, names, header    each thread's own (fetch/fetcher.h)
 *              lists, proxies, calmed connections
 *              cookies                                     all threads', locked (fetch/cookies.h)
 *              memory of bodies                            all threads', atomic (fetch/account.h)
 *              rows of the screen, whether it was sent     written by its thread, read here, atomic (fetch/flight.h)
 *              options, and what they borrow               read by all, written by nobody
 *              cap, hosts, verdicts, secrets, the ledger   the loop thread's
 */
#ifndef SCRAPETOP_FETCH_FETCH_H
#define SCRAPETOP_FETCH_FETCH_H

#include "base/clock.h"
#include "fetch/response.h"
#include "job/job_network.h"

#include <uv.h>

#define FETCH_STALL_BYTES_PER_S 10     /* slower than this for the stall time is a timeout */
#define FETCH_SPARE_DESCRIPTORS 16     /* of the process's limit, left to others */
#define FETCH_HEADERS_MAX (256U << 10) /* bytes of all heads of one answer; more is no HTTP */
#define FETCH_ERROR_BODY_MAX 16384     /* bytes kept of the body of an answer that is not 2xx */
#define FETCH_EXPANSION_MAX 100        /* decompressed to received, beyond FETCH_EXPANSION_FROM */
#define FETCH_EXPANSION_FROM (1U << 20)

#define FETCH_KEEP_MAX 3
#define FETCH_THREADS_MAX JOB_THREADS_MAX

struct fetch_endpoint {
    const char *method;         /* "GET" */
    const char *body;           /* of requests that bring none of their own; NULL: none */
    const char *const *headers; /* lines, beside the options' or in their place; borrowed */
    size_t header_count;
    bool alone; /* the options' headers are not for it */
    /* Headers of its answers that are kept beside those which always are; NULL: none. */
    const char *keep[FETCH_KEEP_MAX];
    const char *const *keep_too; /* likewise */
    size_t keep_too_count;
    bool whole_errors; /* of answers that are not 2xx all of the body is kept, not only its head */
};

/** What becomes of cookies that servers set (fetch/cookies.h). */
enum fetch_cookies {
    FETCH_COOKIES_NONE,
    FETCH_COOKIES_UNLESS_GIVEN, /* sent back, but by endpoints that have a Cookie header of their own */
    FETCH_COOKIES_BESIDE_GIVEN, /* sent back beside that, in one header */
};

/* who asks (2), what is filled in for one request, its signature (4) */
#define FETCH_EXTRA_HEADERS 14

/** What one start carries beside the headers of its endpoint: who asks, what is known already. Copied.
 *  An origin that a redirect led to is told none of it. */
struct fetch_extra {
    struct str headers[FETCH_EXTRA_HEADERS]; /* lines; an empty one is none */
    struct str query;                        /* "api_key=4f3c", encoded; empty: none */
    struct str digest;                       /* "user:password" for a challenge of Digest */
    uint32_t proxy;                          /* of a pool, from 0 */
    struct str url, body; /* asked in place of the request's own, terminated; empty: those */
    enum job_http http;   /* of its host; JOB_HTTP_AUTO: what the options say */
};

struct fetch_options {
    uv_loop_t *loop;
    unsigned threads;   /* that fetch; 0 or 1: the loop's does */
    bool needs_threads; /* else the loop's fetches where they cannot be had */
    struct clock clock;
    const struct fetch_endpoint *endpoints; /* by request.endpoint; borrowed */
    size_t endpoint_count;
    const char *const *headers; /* "Name: value", with their secrets; borrowed */
    size_t header_count;
    /* its proxies, certificate and routes; borrowed; NULL: none */
    const struct job_network *network;
    const char *ca_file; /* NULL: the system's */
    bool insecure;
    enum job_http http;
    uint64_t connect_timeout_us, stall_timeout_us, total_timeout_us;
    uint64_t body_max_bytes;
    /* Of all bodies, in flight and not yet recycled; beyond it transfers wait (fetch/budget.h). 0: none. Of
     * those over HTTP/2, whose streams libcurl cannot hold up one by one, the largest that may be asked again
     * are given up instead, and come back as OUTCOME_LOCAL. */
    uint64_t memory_bytes;
    enum fetch_cookies cookies;
    /* A server has set a cookie, or tried to for a domain that is not its own. Within libcurl, or before on_response:
     * nothing of fetch may be called. May be NULL. */
    void (*on_cookie)(void *context, struct response *response, struct str name, struct str value,
                      bool is_foreign);
    /* Which headers are kept beside those that this part and the store read; NULL: none. In any thread. */
    bool (*keeps)(struct str name);
    /* The first byte is about to go out; within libcurl, as above, and in the thread that fetches, several at a time.
     * False: it must not, and comes back as OUTCOME_LOCAL. May be NULL. */
    bool (*on_sending)(void *context, struct response *response);
    /* It has ended, and goes to the loop with on_response next: what of it can be done in the thread that fetched it.
     * Not called without such threads. May be NULL. */
    void (*on_ended)(void *context, struct response *response);
    void (*on_response)(void *context, struct response *response);
    /* The process has stood still for so long (fetch/standstill.h): the limits of what is in flight are moved by
     * that. Before on_response of anything that came meanwhile. May be NULL. */
    void (*on_stood_still)(void *context, uint64_t lost_us);
    void *context;
};

struct fetch;

/** This libcurl tells a body that HTTP/2 cut short from a whole one. */
bool fetch_http2_is_right(void);

/** E-NET2 for JOB_HTTP_3 when this libcurl has none; E-TLS3 when `ca_file` holds no certificates,
 * E-PRX1 for a proxy that can be none,
 *  E-TLS4 for a certificate that cannot be shown. */
MUST_CHECK enum result fetch_new(struct fetch **fetch, const struct fetch_options *options,
                                 struct err *err);

/** Adds cookies to those that servers set: the text of a file (fetch/cookies.h). How many they are. */
size_t fetch_load_cookies(struct fetch *fetch, struct str text);

/** Appends all that there are, in the same form; nothing with FETCH_COOKIES_NONE. */
MUST_CHECK enum result fetch_write_cookies(struct fetch *fetch, struct buf *out);

/** Starts it. RESULT_NOMEM: nothing was started, the request stays the caller's. What cannot begin
 *  for any other reason (a URL that libcurl refuses) comes back through on_response, later. `extra` may
 *  be NULL. */
MUST_CHECK enum result fetch_start(struct fetch *fetch, struct request *request,
                                   const struct fetch_extra *extra);

/** The memory of all bodies has to do without so many bytes, until another number is given. */
void fetch_reserve(struct fetch *fetch, uint64_t bytes);

/** A response that was handed on has become larger or smaller. */
void fetch_recount(struct fetch *fetch, struct response *response);

/** Lets what fetch_start added begin, and what waited for fetch_recycle go on: must follow both, once for any
 *  number of them. Does nothing within on_response, after which it happens by itself. */
void fetch_kick(struct fetch *fetch);

size_t fetch_in_flight(const struct fetch *fetch);

/** Of them, those that do not read until there is memory again. */
size_t fetch_waiting(const struct fetch *fetch);

/** Ends all transfers; they come back as OUTCOME_CANCELLED before this returns. */
void fetch_cancel_all(struct fetch *fetch);

/** Ends one transfer and gives its request back; on_response does not hear of it. NULL when none has
 *  this id, or it has ended and on_response is about to hear of that. Not within on_response. */
struct request *fetch_take(struct fetch *fetch, uint64_t id);

/** The same, but NULL when anything of it was sent. */
struct request *fetch_take_unsent(struct fetch *fetch, uint64_t id);

/** From a timer, several times a second: finds out that the process stood still, even if nothing comes, and ends
 *  what has outlived a limit that was moved. */
void fetch_look(struct fetch *fetch);

/** The process was stopped for so long within the caller's callback. */
void fetch_note_standstill(struct fetch *fetch, uint64_t lost_us);

/** Descriptors have run out: closes kept connections that nobody uses, as soon as that can be. */
void fetch_drop_idle(struct fetch *fetch);

/** A response whose request has been taken out, for reuse. */
void fetch_recycle(struct fetch *fetch, struct response *response);

/** What a row of the screen shows of a transfer. */
enum fetch_phase { FETCH_DNS, FETCH_CONNECT, FETCH_TLS, FETCH_WAIT, FETCH_RECEIVE };

struct fetch_row {
    const struct request *request;
    enum fetch_phase phase;
    int status;
    uint64_t body_bytes;
    uint64_t first_byte_us;
};

/** Visits the transfers, oldest first, until `visit` returns false. Of threads that fetch the numbers may be those of
 *  some tenths of a second ago. */
void fetch_each(struct fetch *fetch, bool (*visit)(void *context, const struct fetch_row *row),
                void *context);

/** The same of those of which nothing was sent yet: they have no connection. Cheap, for most have one. */
void fetch_each_unsent(struct fetch *fetch,
                       bool (*visit)(void *context, const struct fetch_row *row), void *context);

/** How many threads fetch beside the loop's; 0: it does so itself. */
size_t fetch_threads_of(const struct fetch *fetch);

/** CPU time of one of them so far, from 0. */
double fetch_cpu_s(const struct fetch *fetch, size_t which);

/** How late the loops of these were at the worst, since it was asked last. */
uint64_t fetch_lag_us(struct fetch *fetch);

/** Closes all handles; on_response is not called any more. `closed` comes on the loop, after which the
 *  fetch is freed. Nothing may be in flight. */
void fetch_close(struct fetch *fetch, void (*closed)(void *context));

#endif
