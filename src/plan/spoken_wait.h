/**
 * Spoken wait: how long a refusal asks to wait, in a sentence: "Please try again in 1.8s."
 *
 * Some APIs say so nowhere else. A sentence counts when one of the phrases that servers use for it ("try again in",
 * "retry after", "available in", "resets in") is followed at once by a duration with a unit, as base/duration.h reads
 * it; "for", "another", "at least" and "about" may stand in between. Of several the longest counts. A number without a
 * unit says nothing.
 *
 * To be asked of the words of a refusal only: data may speak of anything.
 *
 * Pure; any thread. Units: microseconds. Nothing is allocated.
 */
#ifndef SCRAPETOP_PLAN_SPOKEN_WAIT_H
#define SCRAPETOP_PLAN_SPOKEN_WAIT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/** `said` gets the duration as it stands in `text`. */
bool spoken_wait_read(struct str text, uint64_t *wait_us, struct str *said);

#endif
