/**
 * Durations as servers write them: "120", "2.0", "1m30s", "500ms", "2 minutes", "00:01:30", "PT30S".
 *
 * What people type for this program is read by units_parse_time, which is strict and says what it
 * wanted; this is lenient. Nothing is read as less than it says: fractions are
 * rounded up to a millisecond, and years and months have their longest length. What is longer than
 * DURATION_MAX_US is that.
 *
 * Units    microseconds.
 * Threads  no state.
 */
#ifndef SCRAPETOP_BASE_DURATION_H
#define SCRAPETOP_BASE_DURATION_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define DURATION_MAX_US (UINT64_C(3650) * 86400 * 1000000)

/** A bare number counts in `unit_us`, at least 1. False for anything that is no duration, negative ones
 *  included. */
bool duration_parse(struct str text, uint64_t unit_us, uint64_t *us);

#endif
