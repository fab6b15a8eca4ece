/**
 * Packer: a thread that packs the segments of a run while it goes on (store/segment_pack.h), as each of them is closed.
 *
 * 256 MiB take it about two seconds of a core. It has the priority of all others, as the end of the run waits for it. What
 * it cannot do, for want of room, say, it does with the next segment.
 *
 * Ownership  packer_stop ends the thread and frees. The directory's descriptor is borrowed until then.
 * Threads    all calls from one thread.
 */
#ifndef SCRAPETOP_STORE_PACKER_H
#define SCRAPETOP_STORE_PACKER_H

#include "store/segment_file.h"

#include <stddef.h>

struct packer;

MUST_CHECK enum result packer_start(struct packer **packer, int raw_fd, struct err *err);

/** These are the run's segments now; copied. All but the last are closed. Out of memory nothing is packed. */
void packer_give(struct packer *packer, const struct segment_extent *extents, size_t count);

/** Until what was given is packed, or failed. */
void packer_wait(struct packer *packer);

/** Waits for the frame in hand: some ms of a core. NULL is fine. */
void packer_stop(struct packer *packer);

#endif
