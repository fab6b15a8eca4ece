/**
 * Sequencer: blocks of rows that workers finish in any order, taken in the plan's.
 *
 * A worker asks for a place before it begins a chunk (sequencer_enter waits while too many blocks are
 * ahead of the file), and hands its rows in when it has them. The worker that completes the sequence writes what
 * is ready, so no thread is set aside for the file and no block waits without need. A chunk whose
 * rows outgrow memory waits for its turn and then goes straight to the file (sequencer_spill).
 *
 * Some rows cannot become bytes before something was done for all chunks ahead, a short thing that is
 * done for one chunk at a time. For that there is a turn of its own, before the one for the file: who needs it waits
 * for it (sequencer_await) and lets the next one pass as soon as it can (sequencer_pass). A chunk that is
 * finished has passed, whether it waited or not.
 *
 * Ownership  the sink is borrowed; sequencer_free frees the blocks.
 * Errors     those of the sink; the first one stops everybody: all later calls answer
 *            RESULT_CANCELLED, as they do after sequencer_stop.
 * Threads    any; each chunk number from 0 on is entered once and then finished once. The order
 *            does not matter, but a worker's own numbers must ascend: a smaller one that it still owes
 *            could be the one that everybody waits for. Nobody waits for ever, as the smallest chunk that has
 *            not passed waits for nothing but the file, which the ones before it are on their way to.
 */
#ifndef SCRAPETOP_TABLE_SEQUENCER_H
#define SCRAPETOP_TABLE_SEQUENCER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* Where blocks go, one at a time: a file, or what gathers for it. */
struct row_sink {
    enum result (*take)(void *context, struct str bytes, struct err *err);
    void *context;
};

struct sequencer;

/** `ahead_max`: blocks that may wait; NULL when out of memory. */
struct sequencer *sequencer_new(struct row_sink sink, unsigned ahead_max);
void sequencer_free(struct sequencer *sequencer);

/** Waits until there is a place for this chunk. RESULT_CANCELLED after a stop. */
MUST_CHECK enum result sequencer_enter(struct sequencer *sequencer, uint64_t chunk);

/** Waits until all chunks before this one, which was entered, have passed. RESULT_CANCELLED after a stop. */
MUST_CHECK enum result sequencer_await(struct sequencer *sequencer, uint64_t chunk);

/** This one has, and will not wait again. */
void sequencer_pass(struct sequencer *sequencer, uint64_t chunk);

/** Waits for the chunk's turn, writes the bytes and empties the buf: the chunk goes on. */
MUST_CHECK enum result sequencer_spill(struct sequencer *sequencer, uint64_t chunk,
                                       struct buf *bytes, struct err *err);

/** The chunk is done; `bytes` is exchanged for an empty buf. */
MUST_CHECK enum result sequencer_finish(struct sequencer *sequencer, uint64_t chunk,
                                        struct buf *bytes, struct err *err);

/** Wakes and turns away everybody who waits. Any thread. */
void sequencer_stop(struct sequencer *sequencer);

#endif
