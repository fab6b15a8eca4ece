/**
 * A client and a server made of numbers: hours of weather in milliseconds, without a socket.
 *
 * The client is what the engine makes of plan/host and plan/tuner, or one of the peers that
 * it is compared with. The server has a latency that depends on how many it works on, limits that it
 * enforces and announces in one dialect or another, noise, and another nature in its second half.
 */
#ifndef SCRAPETOP_TESTS_PACING_SIM_H
#define SCRAPETOP_TESTS_PACING_SIM_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_CAP_MAX 100

enum sim_dialect {
    SIM_SILENT,     /* a bare 429 */
    SIM_RETRY,      /* Retry-After only */
    SIM_STRUCTURED, /* RateLimit, RateLimit-Policy */
    SIM_DRAFT,      /* RateLimit-Limit, -Remaining, -Reset */
    SIM_EPOCH_S,    /* X-RateLimit-*, the reset as a moment in ... */
    SIM_EPOCH_MS,
    SIM_EPOCH_NS,
    SIM_403,        /* as EPOCH_S, and refuses with 403 */
    SIM_SILENT_503, /* a bare 503, as nginx refuses by default */
};

/** One half of a server's life. */
struct sim_regime {
    double latency_ms;  /* with few in flight */
    double knee;        /* in flight from which on latency grows in proportion; 0: never */
    double collapse;    /* in flight from which on it grows with the square; 0: never */
    double rate, burst; /* token bucket; 0: none */
    bool delays;        /* the bucket lets early ones wait instead: nginx's burst without nodelay */
    double window_s;    /* > 0: `rate * window_s` in fixed windows instead of a bucket */
    bool slides;        /* the window slides */
    unsigned concurrent; /* at once, refused beyond; 0: any number */
};

struct sim_model {
    const char *name;
    struct sim_regime halves[2];
    double noise;      /* sigma of the logarithm of the latency */
    double burst_part; /* of the answers that take ten times as long */
    double fail;       /* fraction of 503s whatever the load */
    enum sim_dialect dialect;
    /* the change in the second half shows in nothing that is told: found by probing only */
    bool hidden;
};

enum sim_client { SIM_FIXED, SIM_AUTO, SIM_AIMD, SIM_AUTOTHROTTLE };

struct sim_result {
    double rate[2]; /* accepted a second, in each half */
    double refused; /* part of all requests, both halves */
    double refused_second;
    double settled_s[2]; /* since each half's begin: from when on 10 s hold 90 % of `best` */
    unsigned early;      /* requests inside a window that the server had named */
    unsigned cap_end;
    uint64_t decisions;
};

extern const struct sim_model sim_models[];
extern const unsigned sim_model_count;

/** `best`: rates to measure settled_s against, or NULL. `half_s`: length of each half. */
struct sim_result sim_run(const struct sim_model *model, enum sim_client client, unsigned cap,
                          double half_s, const double best[2], bool verbose);

#endif
