#include "plan/lane.h"

#include "base/clock.h"

#include <stddef.h>

#define WINDOW_GROWS_US US_PER_S /* by one when nothing ends */
#define SPACE_GROWS 100          /* after the first minute: a hundredth of the time in trouble */

void lane_push(struct lane *lane, struct request *request, enum lane_place place)
{
    if (place == LANE_PLACE_NEXT) {
        request_queue_prepend(&lane->tried, request);
    } else {
        request_queue_append(place == LANE_PLACE_TRIED ? &lane->tried : &lane->fresh, request);
    }
    lane->ready_count++;
}

bool lane_wants_fresh(const struct lane *lane)
{
    return lane->retry_was_last || lane->trouble_since_us;
}

static bool takes_fresh(const struct lane *lane)
{
    const struct request *tried = lane->tried.first;

    return !tried || (lane->fresh.first && request_is_retry(tried) && lane_wants_fresh(lane));
}

const struct request *lane_first(const struct lane *lane)
{
    return takes_fresh(lane) ? lane->fresh.first : lane->tried.first;
}

struct request *lane_pop(struct lane *lane)
{
    struct request *request = request_queue_pop(takes_fresh(lane) ? &lane->fresh : &lane->tried);

    lane->ready_count -= request != NULL;
    return request;
}

struct request *lane_cut_fresh(struct lane *lane, size_t keep)
{
    struct request **link = &lane->fresh.first, *last = NULL, *rest;

    while (*link && keep--) {
        last = *link;
        link = &last->next;
    }
    rest = *link;
    *link = NULL;
    lane->fresh.last = last;
    for (const struct request *r = rest; r; r = r->next) {
        lane->ready_count--;
    }
    return rest;
}

struct request *lane_take(struct lane *lane, uint64_t id)
{
    struct request *request = request_queue_take(&lane->tried, id);

    if (!request) {
        request = request_queue_take(&lane->fresh, id);
    }
    lane->ready_count -= request != NULL;
    return request;
}

/* --- trouble ------------------------------------------------------------------------------------ */

static uint64_t space_us(const struct lane *lane, bool others_are_well, uint64_t now_us)
{
    uint64_t since_us = now_us - lane->trouble_since_us, grown_us;

    if (others_are_well) {
        return 0;
    }
    grown_us =
        since_us > LANE_TROUBLE_SOON_US ? (since_us - LANE_TROUBLE_SOON_US) / SPACE_GROWS : 0;
    grown_us += LANE_TROUBLE_SPACE_US;
    return grown_us < LANE_TROUBLE_SPACE_MAX_US ? grown_us : LANE_TROUBLE_SPACE_MAX_US;
}

uint64_t lane_wait_us(const struct lane *lane, bool others_are_well, uint64_t now_us)
{
    uint64_t grown, at_us;

    if (!lane->trouble_since_us) {
        return 0;
    }
    grown = lane->window + (now_us - lane->window_us) / WINDOW_GROWS_US;
    at_us = lane->in_flight >= grown
                ? lane->window_us + (lane->in_flight - lane->window + 1) * WINDOW_GROWS_US
                : now_us;
    if (!others_are_well && lane->next_us > at_us) {
        at_us = lane->next_us;
    }
    return at_us > now_us ? at_us - now_us : 0;
}

void lane_started(struct lane *lane, bool is_retry, bool others_are_well, uint64_t now_us)
{
    lane->in_flight++;
    lane->retry_was_last = is_retry;
    if (lane->trouble_since_us) {
        lane->next_us = now_us + space_us(lane, others_are_well, now_us);
    }
}

void lane_ended(struct lane *lane)
{
    lane->in_flight--;
}

void lane_well(struct lane *lane, uint64_t now_us)
{
    lane->failures = 0;
    lane->well_us = now_us;
    bucket_trusts(&lane->suspicion, now_us);
    if (!lane->trouble_since_us) {
        return;
    }
    lane->next_us = 0;
    lane->window *= 2;
    lane->window_us = now_us;
    if (lane->window > 2 * (lane->in_flight + 1)) {
        lane->trouble_since_us = 0;
    }
}

bool lane_failed(struct lane *lane, bool is_first, uint64_t now_us)
{
    lane->failures += is_first;
    if (lane->trouble_since_us) {
        lane->window = LANE_TROUBLE_WINDOW;
        lane->window_us = now_us;
        return false;
    }
    if (lane->failures < LANE_TROUBLE_FAILURES || lane->failures <= lane->in_flight) {
        return false;
    }
    lane->trouble_since_us = now_us;
    lane->window = LANE_TROUBLE_WINDOW;
    lane->window_us = now_us;
    lane->next_us = 0;
    return true;
}
