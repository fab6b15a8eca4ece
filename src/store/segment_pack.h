/**
 * Packing a run's closed segments with zstd (read/packed_text.h).
 *
 * A segment is closed once there is one with a higher number: nobody writes to it any more, whoever runs the run. Its packed
 * file is made under another name, compared with the text, synced and renamed, the directory synced, and only then
 * the plain file goes. A kill between any two of these leaves the plain file, or the packed one, or both, which are alike.
 * Who has the plain file open reads on.
 *
 * Errors   those of store/segment_file.h; RESULT_FULL: no room, all is as it was.
 * Threads  one for a run directory at a time; a second one, in any process, does nothing (`busy`).
 */
#ifndef SCRAPETOP_STORE_SEGMENT_PACK_H
#define SCRAPETOP_STORE_SEGMENT_PACK_H

#include "store/segment_file.h"

#include <stdatomic.h>

struct segment_pack_report {
    uint32_t packed;                   /* segments */
    uint64_t text_bytes, packed_bytes; /* of these */
    bool busy;                         /* somebody else is at it */
};

/** Packs what is closed of these, in order of number; those that are packed already, or are not as long as the ledger says,
 *  are left alone. RESULT_CANCELLED once `*stop` is true (NULL: never). */
MUST_CHECK enum result segment_pack_all(int raw_fd, const struct segment_extent *extents,
                                        size_t count, const atomic_bool *stop,
                                        struct segment_pack_report *report, struct err *err);

/** Nobody packs until the release. False: somebody does now, or the disk does not let us. */
MUST_CHECK bool segment_pack_hold(int raw_fd, int *hold);
void segment_pack_release(int raw_fd, int hold);

#endif
