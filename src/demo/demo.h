/**
 * The embedded API: something to scrape without a network, for demo, tests, benchmarks and practice.
 *
 * An HTTP/1.1 server on 127.0.0.1 (libmicrohttpd) with the shapes of real targets, and with the
 * weather that real targets have: latency, limits, failures. Every body is a pure function of the
 * seed and the URL, and so is every mishap of the n-th request for that URL, so that two runs meet
 * the same trouble. It knows nothing of scrapetop's other parts.
 *
 * Threads    runs on threads of its own; start and stop from any one thread.
 * Errors     demo_start only: port taken, no sockets, bad combination.
 */
#ifndef SCRAPETOP_DEMO_DEMO_H
#define SCRAPETOP_DEMO_DEMO_H

#include "base/err.h"
#include "base/units.h"

#include <stdint.h>

struct demo_options {
    uint16_t port; /* 0 picks a free one */
    uint64_t seed;
    uint64_t latency_us, jitter_us; /* each answer takes latency ± jitter, uniformly */
    struct rate limit;              /* token bucket over all clients; beyond it 429 + Retry-After */
    unsigned limit_burst;           /* bucket size; 0: one second's worth */
    unsigned max_concurrent;        /* past this many at once latency rises in proportion; 0: off */
    double fail;                    /* fraction answered 500 or 503, or reset */
    double hang;                    /* fraction never answered */
    double truncate;                /* fraction cut in the middle of the body */
    const char *log_path;           /* one line a request: time, status, URL; NULL: none */
};

struct demo;

MUST_CHECK enum result demo_start(struct demo **demo, const struct demo_options *options,
                                  struct err *err);

/** The port that is listened on. */
uint16_t demo_port(const struct demo *demo);

/** Ends all connections, joins the threads, frees. NULL is ignored. */
void demo_stop(struct demo *demo);

#endif
