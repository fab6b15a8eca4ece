/*
 * What stands before a host that is shut for long. It would fill the room for parked requests, and then nothing
 * of other hosts would be made any more, as in a list whose first ten thousand URLs are of a dead host.
 */
#include "plan/frontier_state.h"
#include "plan/host_hold.h"

#include "base/clock.h"

#include <stdlib.h>

#define SHUT_LONG_US (10 * US_PER_S)
#define KEPT 64 /* of each lane: for its probes, and when it opens */
#define FIRST_RANGES 64

static bool is_shut(const struct host *host, uint64_t now_us)
{
    struct host_hold hold = host_hold(host, now_us);

    return now_us < host_origin(host)->down_until_us || hold.until_us > now_us + SHUT_LONG_US;
}

/* False: there is no room for it. */
static bool note(struct frontier *f, uint64_t id)
{
    uint64_t place = job_shard_place(&f->shard, id);
    struct gap *last = f->aside_count > f->aside_at ? &f->aside[f->aside_count - 1] : NULL;

    if (last && last->last + 1 == place) {
        last->last = place;
        return true;
    }
    if (f->aside_count == f->aside_allocated) {
        size_t allocated = f->aside_allocated ? f->aside_allocated * 2 : FIRST_RANGES;
        struct gap *aside =
            allocated <= FRONTIER_ASIDE_MAX ? realloc(f->aside, allocated * sizeof *aside) : NULL;

        if (!aside) {
            return false;
        }
        f->aside = aside;
        f->aside_allocated = allocated;
    }
    f->aside[f->aside_count++] = (struct gap){ place, place };
    return true;
}

static bool is_as_made(const struct frontier *f, const struct request *request)
{
    return request->id <= f->total && request->attempt == 0 && request->hops == 0;
}

static void set_aside(struct frontier *f, struct host *host)
{
    for (uint16_t i = 0; i < host->lane_count; i++) {
        struct request *request = lane_cut_fresh(&host->lanes[i], KEPT);

        while (request) {
            struct request *next = request->next;

            request->next = NULL;
            if (is_as_made(f, request) && note(f, request->id)) {
                host->ready_count--;
                frontier_note_unparked(f, host, request);
                frontier_forget(f, request);
            } else {
                lane_push(&host->lanes[i], request, LANE_PLACE_FRESH);
            }
            request = next;
        }
    }
}

void frontier_set_aside(struct frontier *f, uint64_t now_us)
{
    for (uint32_t i = 0; frontier_has_unmade(f) && i < f->hosts->count; i++) {
        struct host *host = host_at(f->hosts, i);

        if (host->origin[0] && host->ready_count > KEPT && is_shut(host, now_us)) {
            set_aside(f, host);
        }
    }
}
