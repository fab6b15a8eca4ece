/**
 * Samples: the figures of a run at one moment, as events.jsonl keeps them and a replay reads them.
 *
 * One line holds what a screen needs to be drawn again without the run: counts, pace, latencies, the
 * mix of answers. Every figure counts from the beginning of its session, so two samples give all that
 * happened between them.
 *
 * Units    microseconds, bytes.
 * Threads  no state.
 */
#ifndef SCRAPETOP_ENGINE_SAMPLE_H
#define SCRAPETOP_ENGINE_SAMPLE_H

#include "base/str.h"
#include "engine/snapshot.h"

#define SAMPLE_FIELDS_MAX 768

struct sample {
    enum run_state state;
    enum run_limit limit;
    uint64_t total, ok, failed, retried, waiting, in_flight, bytes;
    unsigned cap;
    double requests_per_s, cpu_s;
    uint64_t p50_us, p90_us, p95_us, p99_us;
    uint64_t p95_now_us; /* of the last seconds, not of the session; 0: not known */
    struct snapshot_status_mix mix;
};

void sample_of(const struct snapshot *s, struct sample *sample);

/** The members of a sample's line, each with a comma in front (events_note). */
void sample_write(const struct sample *sample, char fields[SAMPLE_FIELDS_MAX]);

/** Reads what sample_write wrote from a line that json_check has passed; what is missing, as in lines of
 *  an older version, is 0. */
void sample_read(struct str line, struct sample *sample);

#endif
