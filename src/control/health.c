#include "control/health.h"

#include "base/clock.h"

#include <stdio.h>

#define LAG_MAX_US (UINT64_C(5) * US_PER_S)

/* Whole seconds that are looked at: all that is kept, ten times the usual --max-time. */
#define SILENT_S SNAPSHOT_SECONDS

static bool nothing_ended(const struct snapshot *s)
{
    if (s->second_count < SILENT_S) {
        return false;
    }
    for (size_t i = 0; i < SILENT_S; i++) {
        if (s->seconds[i].done || s->seconds[i].failed || s->seconds[i].throttled) {
            return false;
        }
    }
    return true;
}

bool health_is_well(const struct snapshot *s, char why[HEALTH_TEXT_MAX])
{
    why[0] = '\0';
    if (s->storage_trouble) {
        snprintf(why, HEALTH_TEXT_MAX, "storage: %s", s->trouble[0] ? s->trouble : "in trouble");
    } else if (s->loop_lag_p99_us > LAG_MAX_US) {
        snprintf(why, HEALTH_TEXT_MAX, "the loop is late by %llu ms",
                 (unsigned long long)(s->loop_lag_p99_us / 1000));
    } else if (s->state == RUN_RUNNING && s->queued && nothing_ended(s)) {
        snprintf(why, HEALTH_TEXT_MAX, "requests are ready, and none has ended for %d s", SILENT_S);
    }
    return !why[0];
}
