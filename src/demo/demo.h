/**
 * The embedded API: something to scrape without a network, for demo, tests, benchmarks and practice.
 *
 * An HTTP/1.1 server on 127.0.0.1 (libmicrohttpd) with the shapes of real targets, and with the
 * weather that real targets have: latency, limits, failures. A body is a pure function of the seed
 * and the URL (of the trains and the logins: also of how many there were before), and so is every
 * mishap of the n-th request for a URL, so that two runs meet the same trouble. It knows nothing of
 * scrapetop's other parts.
 *
 * Endpoints (the index at "/" tells the same, from the table that routes):
 *
 *     /msapi/auctions/items?auctionid=N    MaxSold-like: nested items, 1 to 40 KB; N up to 10,000,000
 *     /allData.json[?tick=N]               VIA-Rail-like: trains by number, new at every second poll; ETag
 *     POST /api/auth/login                 {"email":"demo@example.com","password":"demo"} gives a token
 *     /api/products?page=&per_page=        100,000 products, total given; Bearer token needed, as for
 *     /api/products/N[/reviews]            one product, and its reviews
 *     /posts/N  /posts?_page=&_limit=      small objects; 1000 of them listed with Link and X-Total-Count
 *     /posts?_start=&_limit=               the same by offset
 *     /posts/N/comments                    five comments on it
 *     /events?after=CURSOR&limit=          1000 events by an opaque cursor, ids above 2^53
 *     /list/offset  /list/next  /list/more /list/until-empty  /list/cursor
 *                                          the same items by each way of paging; size=, count=
 *     POST /graphql                        again, with pageInfo {hasNextPage, endCursor}; as the issues
 *                                          of a repository when the query names one
 *     /repos/O/R/issues?page=&per_page=    the same issues by Link, as GitHub lists them
 *     POST /oauth/token                    client credentials demo-client, demo-secret give a token
 *     /private/token/posts/N               a post that needs a Bearer token (or "demo-token"),
 *     /private/basic/posts/N               user demo and password demo,
 *     /private/key/posts/N                 demo-key as X-Api-Key or ?api_key=
 *     /gzip/posts/N                        the same in gzip
 *     /redirect/N  /redirect-to?url=       N hops to /posts/1; any Location (&status=301...308)
 *     /headers  /status/CODE  /slow?ms=    the request's headers; any status; a late answer
 *     /retry-after?form=&s=&key=           429 at a key's first ask, then 200; form is one of
 *                                          seconds imf rfc850 asctime
 *
 * Every error has the body {"error":{"status":404,"message":"..."}}. With a limit every answer carries
 * X-RateLimit-Limit, -Remaining and -Reset (Unix seconds at which the bucket is full again). No URL
 * meets more than two mishaps in a row.
 *
 * Threads    one of its own; start and stop from any one thread.
 * Errors     demo_start only: port taken (RESULT_BUSY), no sockets, a log that cannot be opened, a
 *            combination without sense (RESULT_INVALID).
 * Ceilings   30,000 connections, and as many as RLIMIT_NOFILE admits: who wants ten thousand at once
 *            raises that limit first. Request heads 24 KiB, request bodies 64 KiB.
 */
#ifndef SCRAPETOP_DEMO_DEMO_H
#define SCRAPETOP_DEMO_DEMO_H

#include "base/err.h"
#include "base/units.h"

#include <stddef.h>
#include <stdint.h>

struct route;

struct demo_options {
    uint16_t port; /* 0 picks a free one */
    uint64_t seed;
    uint64_t latency_us, jitter_us; /* each answer takes latency ± jitter, uniformly */
    uint64_t products;              /* in the catalog; 0: 100,000 */
    uint64_t token_us;              /* how long a token is good; 0: one hour */
    uint64_t token_uses;            /* how often; 0: as often as one likes */
    struct rate limit;              /* token bucket over all clients; beyond it 429 + Retry-After */
    unsigned limit_burst;           /* bucket size; 0: one second's worth */
    unsigned max_concurrent;        /* past this many at once latency rises in proportion; 0: off;
                                     * without a latency there is nothing to raise: refused */
    double fail;                    /* fraction answered 500 or 503, or reset */
    double hang;                    /* fraction never answered */
    double truncate;                /* fraction cut in the middle of the body */
    const char *log_path;           /* one line a request (demo/access_log.h); NULL: none */
    /* routes besides (demo/routes.h), as those of the tests; NULL: none */
    const struct route *more;
    size_t more_count;
};

struct demo;

MUST_CHECK enum result demo_start(struct demo **demo, const struct demo_options *options,
                                  struct err *err);

/** The port that is listened on. */
uint16_t demo_port(const struct demo *demo);

/** Ends all connections, joins the threads, frees. NULL is ignored. */
void demo_stop(struct demo *demo);

#endif
