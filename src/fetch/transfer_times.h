/**
 * The limits of a transfer's time, and what is not its own time: while the process stood still, and while it waits for
 * memory. Kept apart from the handling of handles (fetch/transfer.h).
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_TIMES_H
#define SCRAPETOP_FETCH_TRANSFER_TIMES_H

#include "fetch/transfer.h"

/** Those of the options, and the time that was not its own. None for one that waits. */
bool transfer_times_set(struct transfer *transfer);

/** No more of its body can be kept now: it is paused, and libcurl must be told so. */
bool transfer_has_to_wait(struct transfer *transfer);

/** The process stood still for so long: its limits are moved by that. */
void transfer_stood_still(struct transfer *transfer, uint64_t lost_us);

/** Its limit was moved, and it has outlived it: libcurl does not see to that. By uv_hrtime. */
bool transfer_is_overdue(const struct transfer *transfer, uint64_t now_us);

#endif
