/**
 * Server: what all exchanges of one demo share, on its one thread.
 *
 * Open data: demo.c makes it and runs its loop, exchange.c does the work on it.
 */
#ifndef SCRAPETOP_DEMO_SERVER_H
#define SCRAPETOP_DEMO_SERVER_H

#include "demo/access_log.h"
#include "demo/limiter.h"
#include "demo/timers.h"
#include "demo/weather.h"
#include "demo/world.h"

#include "base/clock.h"

struct server {
    struct clock clock;
    struct weather weather;
    struct limiter limiter;
    struct asked *asked;
    struct world world;
    struct timers timers; /* whose owners are suspended exchanges */
    struct access_log log;
    unsigned in_flight; /* requests that were read and whose answer is not settled */
};

#endif
