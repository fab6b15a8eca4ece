/**
 * Plain names: members and parameters compared by their letters and digits alone, without case, so that
 * `nextCursor`, `next_cursor` and `NextCursor` are one.
 *
 * Pure; any thread. Nothing is allocated.
 */
#ifndef SCRAPETOP_PLAN_PLAIN_NAME_H
#define SCRAPETOP_PLAN_PLAIN_NAME_H

#include "base/str.h"

#define PLAIN_NAME_MAX 40 /* bytes of a plain name; longer names are cut */

/** The plain form of `name`, in `room`. */
struct str plain_name(struct str name, char room[PLAIN_NAME_MAX]);

#endif
