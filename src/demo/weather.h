/**
 * Weather: what becomes of a request before its path is looked at.
 *
 * Latency and mishap are a function of the seed, the URL and how often this URL was asked, so that
 * a second run meets the same trouble at the same places. Every third request for a URL goes well, so
 * retries get there. Knows no sockets and reads no clock.
 *
 * Units   microseconds; fractions within [0, 1].
 * Errors  weather_new: RESULT_NOMEM; weather_check: RESULT_INVALID.
 */
#ifndef SCRAPETOP_DEMO_WEATHER_H
#define SCRAPETOP_DEMO_WEATHER_H

#include "demo/asked.h"
#include "demo/demo.h"

#include "base/str.h"

#define WEATHER_RUN_MAX 2 /* mishaps in a row that one URL can meet */

enum fate {
    FATE_FINE,
    FATE_500,
    FATE_503,             /* without Retry-After */
    FATE_503_RETRY_AFTER, /* with one */
    FATE_RESET,           /* the connection is reset instead of an answer */
    FATE_HANG,            /* never answered */
    FATE_TRUNCATE,        /* cut in the middle of the body */
};

struct weather {
    uint64_t seed;
    uint64_t latency_us, jitter_us;
    unsigned max_concurrent;
    double fail, hang, truncate;
};

struct forecast {
    enum fate fate;
    uint64_t delay_us;
};

/** Refuses options that mean nothing (E-DEMO1, E-DEMO2). */
MUST_CHECK enum result weather_check(const struct demo_options *options, struct err *err);

struct weather weather_from(const struct demo_options *options);

/** Counts the ask in `asked`. `in_flight` is the number of requests at work, this one included. */
struct forecast weather_forecast(const struct weather *w, struct asked *asked, struct str method,
                                 struct str url, unsigned in_flight);

#endif
