/**
 * Path segment: which part of an API a URL belongs to, by its path.
 *
 * Pure.
 */
#ifndef SCRAPETOP_PLAN_PATH_SEGMENT_H
#define SCRAPETOP_PLAN_PATH_SEGMENT_H

#include "base/url.h"

#include <stdint.h>

/** The hash of the first segment that tells something ("api" and "v2" do not) and is not the last, which most
 *  often is an id; 0: there is none. FNV-1a, 32 bits (draft-eastlake-fnv). */
uint32_t path_segment_of(const struct url *url);

#endif
