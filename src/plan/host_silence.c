#include "plan/host_silence.h"

#include "base/clock.h"

#include <stdio.h>

void host_note_silence(struct host *host, enum outcome outcome, const char *why)
{
    host = host_origin(host);
    host->silence = outcome;
    snprintf(host->silent_why, sizeof host->silent_why, "%s", why);
}

bool host_is_lost(const struct host_table *table, const struct host *host)
{
    host = host_origin(host);
    for (uint32_t i = 0; host->answered_us && host->silent_in_row && i < table->count; i++) {
        const struct host *other = table->hosts[i];

        if (host_origin(other) != host && other->origin[0] &&
            other->answered_us > host->silent_since_us + HOST_LOST_AFTER_US) {
            return true;
        }
    }
    return false;
}

void host_bury(struct host *host)
{
    host_origin(host)->is_dead = true;
}

void host_note_reached(struct host *host, bool reached)
{
    host = host_origin(host);
    host->was_reached |= reached;
    host->unreached_in_row = reached ? 0 : host->unreached_in_row + 1;
}

/* --- how long to hope ---------------------------------------------------------------------------------- */

bool host_is_given_up(const struct host *host, uint64_t patience_us, uint64_t now_us)
{
    uint64_t silent_us;

    host = host_origin(host);
    silent_us = now_us - host->silent_since_us;
    if (!host->probes) {
        return false;
    }
    if (!host->answered_us) {
        patience_us = host->is_hopeless                     ? 0
                      : patience_us < HOST_DOWN_PATIENCE_US ? patience_us
                                                            : HOST_DOWN_PATIENCE_US;
    }
    return silent_us >= patience_us;
}

uint64_t host_failing_since_us(const struct host *host)
{
    uint64_t since_us = 0;

    for (uint16_t i = 0; i < host->lane_count; i++) {
        const struct lane *lane = &host->lanes[i];
        uint64_t refused_us =
            learned_refused_since_us(&host_bucket_at(host, lane->bucket)->learned);
        uint64_t one_us = lane->trouble_since_us ? lane->trouble_since_us : refused_us;

        if (one_us && (!since_us || one_us < since_us)) {
            since_us = one_us;
        }
    }
    return since_us && !host_is_well_since(host, since_us) ? since_us : 0;
}
