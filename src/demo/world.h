/**
 * The world that the shapes describe: what they make up, and the little they remember.
 *
 * A shape is a function that is handed a request and fills a reply. Nearly all are pure functions of
 * the seed and the URL; what is remembered between requests stands here, and all of it is bounded:
 * how often the trains were polled, the last logins, which keys have seen their 429.
 *
 * Threads  the server's thread only.
 */
#ifndef SCRAPETOP_DEMO_WORLD_H
#define SCRAPETOP_DEMO_WORLD_H

#include "demo/ask.h"
#include "demo/asked.h"
#include "demo/reply.h"

#define WORLD_TOKENS_MAX 64 /* logins that stay good; the oldest goes first */

/* 2^53 + 1 and upwards: ids that a double cannot hold. */
#define WORLD_BIG_ID UINT64_C(9007199254740993)

/* The day on which this world begins: 2026-01-01T00:00:00Z. */
#define WORLD_EPOCH_S INT64_C(1767225600)

struct world {
    uint64_t seed;
    uint64_t token_us; /* how long a login is good */
    uint16_t port;
    struct asked *asked;
    uint64_t train_polls;
    uint64_t logins;
    uint64_t token_ends_us[WORLD_TOKENS_MAX]; /* by number of the login, modulo */
    struct buf bomb;                          /* made when first asked for */
};

typedef void shape_fn(struct world *world, const struct ask *ask, struct reply *reply);

shape_fn shape_auction_items;                                            /* shape_auctions.c */
shape_fn shape_trains;                                                   /* shape_trains.c */
shape_fn shape_login, shape_products, shape_product, shape_reviews;      /* shape_catalog.c */
shape_fn shape_post, shape_posts, shape_post_gzip;                       /* shape_posts.c */
shape_fn shape_events;                                                   /* shape_events.c */
shape_fn shape_redirect, shape_redirect_to, shape_headers, shape_status; /* shape_oddities.c */
shape_fn shape_endless, shape_html, shape_empty, shape_badjson, shape_slow, shape_retry_after;
shape_fn shape_bomb; /* shape_gzip.c */

/** Replaces the body by its gzip form and says so in the headers. */
void shape_compress(struct reply *reply);

#endif
