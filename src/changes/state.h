/**
 * What all records of an endpoint are, as far as a walk through its rounds has come. SQLite, in a temporary database
 * that takes no more memory than it is given and goes to a file beyond that.
 *
 *   slot   an answer that counts: of one request over all rounds (`what`), under a seed, at a seat
 *   row    a record in a slot: its key and its cells
 *   touched   keys of which a row came, went or changed in this round, and what they were before it
 *
 * Of a key that several slots have the row at the last seat counts, as it does in a table whose last row stays.
 *
 * Each seed has besides a slot of its own for what a partial round did not show: its rows stay there.
 *
 * Ownership  state_free. Views live until the next call.
 * Errors     RESULT_NOMEM, RESULT_FULL, RESULT_IO (E-CHG1).
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_CHANGES_STATE_H
#define SCRAPETOP_CHANGES_STATE_H

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct state;

MUST_CHECK enum result state_new(struct state **state, uint64_t memory_bytes, struct err *err);
void state_free(struct state *state);

/** The request was answered in this round (from 1), or its answer of before stands: it has its slot, now at that seat of
 *  that seed. `*is_new`: it had none. */
MUST_CHECK enum result state_enter(struct state *state, const uint8_t what[DIGEST_BYTES],
                                   struct str seed, struct str seat, uint32_t round, int64_t *slot,
                                   bool *is_new, struct err *err);

/** Whether the request has a slot. */
MUST_CHECK enum result state_has(struct state *state, const uint8_t what[DIGEST_BYTES], bool *has,
                                 struct err *err);

/** The line that the request's last body has: the id of its request; 0 when there is none. Its slot has it now. */
MUST_CHECK enum result state_put_line(struct state *state, const uint8_t what[DIGEST_BYTES],
                                      uint64_t id, struct err *err);
MUST_CHECK enum result state_line(struct state *state, const uint8_t what[DIGEST_BYTES],
                                  uint64_t *id, struct err *err);

typedef enum result state_row_fn(void *context, struct str key, struct str cells, struct err *err);

/** All rows of the slot; `visit` changes nothing. */
MUST_CHECK enum result state_each_row(struct state *state, int64_t slot, state_row_fn *visit,
                                      void *context, struct err *err);

/** A row comes or changes (`cells`), or goes (STR_NONE), by an answer of that time. */
MUST_CHECK enum result state_put(struct state *state, int64_t slot, struct str key,
                                 struct str cells, struct str time, struct err *err);

/** The slot's rows stay those of the line that it has now, whatever line it has next. */
MUST_CHECK enum result state_pin(struct state *state, int64_t slot, struct err *err);

/** The row moves to the seed's own slot. */
MUST_CHECK enum result state_keep(struct state *state, int64_t slot, struct str key,
                                  struct str seed, struct str time, struct err *err);

/** Slots of the seed that were not entered in this round go with their rows, or, `keeps`, the rows move to the seed's own
 *  slot. */
MUST_CHECK enum result state_leave(struct state *state, struct str seed, uint32_t round, bool keeps,
                                   struct str time, struct err *err);

/** The lines that the records of now stand in, by the ids of their requests. */
MUST_CHECK enum result state_each_line(struct state *state,
                                       enum result (*visit)(void *context, uint64_t id,
                                                            struct err *err),
                                       void *context, struct err *err);

/** Slots of the seed that were not entered in this round stay as they are, but of a key that another slot has the other's
 *  row counts. */
MUST_CHECK enum result state_park(struct state *state, struct str seed, uint32_t round,
                                  struct str time, struct err *err);

struct state_change {       /* views */
    struct str before, now; /* cells; STR_NONE: there was, or is, no such record */
    struct str time;
    bool is_doubled; /* several slots have the key, with different cells */
};

/** The round is over: `take` is told of each key whose record is another now, in the order in which they were touched. */
MUST_CHECK enum result state_end_round(struct state *state, uint32_t round,
                                       enum result (*take)(void *context,
                                                           const struct state_change *change,
                                                           struct err *err),
                                       void *context, struct err *err);

#endif
