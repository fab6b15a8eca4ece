/**
 * The world that the shapes describe: what they make up, and the little they remember.
 *
 * A shape is a function that is handed a request and fills a reply. Nearly all are pure functions of
 * the seed and the URL; what is remembered between requests stands here, and all of it is bounded:
 * how often the trains were polled, the last tokens, which keys have seen their 429.
 *
 * Threads  the server's thread only.
 */
#ifndef SCRAPETOP_DEMO_WORLD_H
#define SCRAPETOP_DEMO_WORLD_H

#include "demo/ask.h"
#include "demo/asked.h"
#include "demo/reply.h"
#include "demo/tokens.h"

/* 2^53 + 1 and upwards: ids that a double cannot hold. */
#define WORLD_BIG_ID UINT64_C(9007199254740993)

#define WORLD_AUTHORITY_MAX 128

/* The day on which this world begins: 2026-01-01T00:00:00Z. */
#define WORLD_EPOCH_S INT64_C(1767225600)

struct route;

struct world {
    uint64_t seed;
    uint64_t products; /* in the catalog */
    uint16_t port;
    struct asked *asked;
    uint64_t train_polls;
    struct tokens tokens;     /* that logins gave */
    struct buf kept;          /* what a shape makes once and lends to replies */
    const struct route *more; /* routes besides those of the program; NULL: none */
    size_t more_count;
};

typedef void shape_fn(struct world *world, const struct ask *ask, struct reply *reply);

shape_fn shape_auction_items;                          /* shape_auctions.c */
shape_fn shape_trains;                                 /* shape_trains.c */
shape_fn shape_products, shape_product, shape_reviews; /* shape_catalog.c */
shape_fn shape_login, shape_oauth_token;               /* shape_access.c */
shape_fn shape_post_bearer, shape_post_basic, shape_post_key;
shape_fn shape_list_offset, shape_list_next, shape_list_more, shape_list_until_empty;
shape_fn shape_list_cursor, shape_graphql, shape_issues;                 /* shape_listings.c */
shape_fn shape_comments, shape_post, shape_posts, shape_post_gzip;       /* shape_posts.c */
shape_fn shape_events;                                                   /* shape_events.c */
shape_fn shape_redirect, shape_redirect_to, shape_headers, shape_status; /* shape_oddities.c */
shape_fn shape_slow, shape_retry_after;

/** The Host that the client named when it could stand in a URL, else our own address: for links. */
void world_authority(const struct world *world, const struct ask *ask,
                     char text[WORLD_AUTHORITY_MAX]);

/** Deflates `in` to the end of `out`; `flush` is zlib's Z_FINISH or Z_FULL_FLUSH. */
MUST_CHECK enum result shape_deflate(struct buf *out, struct str in, int window_bits, int flush);

/** Replaces the body by its gzip form and says so in the headers. */
void shape_compress(struct reply *reply);

#endif
