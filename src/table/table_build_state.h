/**
 * A table build's insides, for its own files only. From the ground up:
 *
 *   table_signal    failures, and guesses that were wrong
 *   table_tally     what was counted and skipped, for the report
 *   table_hint      words for who has pointed at the wrong place
 *   table_document  one document of a chunk
 *   table_pass      a worker's passes, chunk by chunk
 *   table_step      what is done alone, between the passes and after the last
 *   table_build     making, unmaking, and from which phase to which
 *
 * Threads  a struct table_worker belongs to the pool job that runs it, and to a step while none does.
 *          Of struct table_build, workers share `source` and the first failure under `lock`, counters
 *          by atomics, and `sequencers`, which have locks of their own and are the only way to the writers'
 *          and to dedup's sink. `notes` are written under `lock` in pass 1 and never after it. All else
 *          they only read. Steps run while no worker does: they have the build to themselves.
 *          `phase`, `cancelled`, `at_once` and `away` are the loop thread's to write.
 */
#ifndef SCRAPETOP_TABLE_TABLE_BUILD_STATE_H
#define SCRAPETOP_TABLE_TABLE_BUILD_STATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json_scan.h"
#include "normalise/columns.h"
#include "normalise/flatten.h"
#include "normalise/record_source.h"
#include "read/body_read.h"
#include "table/chunk.h"
#include "table/dedup.h"
#include "table/layout.h"
#include "table/sequencer.h"
#include "table/table_build.h"
#include "table/table_spec.h"
#include "table/table_wish.h"
#include "table/table_writer.h"
#include "work/work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TABLE_SPILL_BYTES ((size_t)4 << 20)  /* a chunk's rows held before they wait for a turn */
#define TABLE_DECODED_MAX ((size_t)64 << 20) /* bytes of a document that is read as what it says */
#define TABLE_DECODED_TIMES 8                /* it may become so many times larger as JSON */
#define TABLE_HINT_MAX 400         /* bytes of the pointers that an unlucky one is answered with */
#define TABLE_EXPLODE_LOOKS_MAX 32 /* records that a worker looks at for the latter */
/* What is looked at before rows are written in pass 1: the first chunks, and then one in so many. */
#define TABLE_SCOUT_CHUNKS 8
#define TABLE_SCOUT_STRIDE 32
#define TABLE_META_MAX (5 + TABLE_WITH_MAX)

/* What pass 1 leaves about a chunk for the passes after it. */
struct chunk_note {
    uint64_t rows;
    uint64_t rows_before; /* of the chunks before; known once all are */
    uint64_t records;
    struct chunk_lines lines;
    bool recheck;   /* a record was skipped: look again which */
    bool ambiguous; /* the pointer met a name twice: look for the last one */
    /* Matches in parts of split documents: up to the first rest in this chunk, and after the last. */
    bool rest;
    uint64_t matches_before, matches_after;
};

/* A skipped record, until all are known and the first can be named. */
struct skip_place {
    uint64_t chunk, index, line;
    const char *path;
    bool continued; /* lines of earlier chunks are to be added */
    char text[TABLE_SKIP_TEXT];
};

struct table_worker {
    struct work_item item; /* first: we are handed this */
    struct table_build *build;
    struct chunk chunk;
    struct chunk_reader reader;
    struct columns *columns; /* learnt in pass 1 */
    struct flatten *flatten;
    struct row_encoder *encoders[TABLE_OUTPUTS_MAX]; /* by output, while rows are written */
    struct buf keys;                                 /* of this chunk's rows, for --unique */
    uint64_t row;       /* of the row that comes next, counted over all chunks */
    int64_t fetched_us; /* of the document, while --keep last asks for it */
    uint64_t not_unique, not_present, later;
    /* Pointers of the first document in which --records found nothing; arrays of the first record
     * with any, while --explode has found none. And the chunks where they are from. */
    char hint[TABLE_HINT_MAX], explode_hint[TABLE_HINT_MAX];
    uint64_t hint_chunk, explode_hint_chunk;
    unsigned explode_looks; /* records that were looked at for that */
    struct flatten_counts counts;
    uint64_t lone_surrogates, empty, records, bytes;
    struct flatten_meta meta[TABLE_META_MAX];
    struct buf path;        /* of the document, as a cell's text */
    struct chunk_note note; /* of this chunk */
    uint64_t index;         /* of the document in the chunk */
    bool recheck;           /* after pass 1: some records of this chunk are to be skipped again */
    bool skipped;           /* a record of this chunk; or one was read as something else */
    struct buf decoded;     /* what that says */
    struct contract_tally tally;
    struct wish_room wished;         /* of a row, where columns are declared */
    const struct document *document; /* that is read now */
    struct buf reshaped;             /* a document of another shape */
    uint64_t read_as[BODY_WAS_COUNT];
    char why
        [BODY_WHY_MAX]; /* it cannot be read as something else, if there is more to say; or empty */
    uint64_t skip_count[TABLE_NAMED_COUNT];
    struct skip_place skips[TABLE_NAMED_COUNT][TABLE_SKIP_NAMED];
    uint64_t cpu_us;
    struct err err;
};

struct table_build {
    struct work_item item; /* of the steps; first, as in struct table_worker */
    struct work *work;
    char *records;                                  /* a copy for the option; may be NULL */
    struct table_output outputs[TABLE_OUTPUTS_MAX]; /* their paths are copies */
    size_t output_count;
    struct json_pointer pointer;
    /* for flatteners: NULL where records have been put into an array already */
    const struct json_pointer *records_at;
    struct table_spec spec;
    struct facts_wish facts; /* what pass 1 has to gather besides the columns */
    bool typed;              /* types make a difference to one of the files */
    bool by_column;          /* one of the formats writes by column, not row by row */
    struct table_shape shape;
    struct record_source *source; /* a split_source */
    uint64_t chunk_bytes;
    table_done_fn *done;
    void *context;
    uint64_t started_ns;
    enum table_phase phase;
    bool cancelled;
    bool at_once;    /* pass 1 writes rows, or has; until it is known whether they stay */
    bool background; /* the option */
    bool must_read;  /* likewise */
    unsigned away;   /* pool jobs that have not come back */

    pthread_mutex_t lock;
    uint64_t next_chunk;
    bool source_ended;
    struct chunk_note *notes; /* by chunk */
    size_t note_count, note_cap;
    enum result failure; /* the first */
    struct err err;

    atomic_bool stop;
    atomic_bool split_failed; /* pass 1: a document must be looked at whole */
    /* Pass 1: a document was invalid, so what is known of values is worth nothing, and each must be
     * judged as a whole before it is learnt from. Few inputs have any: only they pay for it. */
    atomic_bool judge_wanted;
    bool judging;
    bool start_over; /* SETTLING found so */
    bool scouting;   /* pass 1 looks at some chunks only */
    bool scouted;    /* and has done so */
    /* Pass 1 writes rows, with the columns that scouting found: NULL when it does not. */
    struct columns *guess;
    struct layout *guess_layout;
    /* Pass 1: what has been written is of no use, as there are other columns than those. */
    atomic_bool guess_failed;
    bool written; /* SETTLING: pass 1 has written all rows */
    atomic_uint busy;
    atomic_uint_fast64_t records_done, bytes_done, rows_done;
    atomic_uint_fast64_t records_total, bytes_total; /* the source's, which may learn them late */

    struct columns *columns;
    struct layout *layout;
    const struct layout *row_layout;                 /* of rows as they are written now */
    struct table_writer *writers[TABLE_OUTPUTS_MAX]; /* by output */
    struct dedup *dedup;                             /* NULL: none asked for */
    struct contract *contract;                       /* likewise */
    struct dedup *expected;  /* keys of CHECKING: no two rows are to have the same; NULL as above */
    struct table_spec aside; /* of a table that is not what was expected */
    struct buf aside_table;  /* its name in a database */
    char aside_of[TABLE_OUTPUTS_TEXT]; /* the files that stay as they are */
    int64_t wall_us;                   /* the option */
    /* By output, or the one for the keys of KEYING or CHECKING. */
    struct sequencer *sequencers[TABLE_OUTPUTS_MAX];
    size_t sequencer_count;
    struct table_report report;
    unsigned worker_count;
    struct table_worker *workers;
};

/* table_signal.c: any thread that is at work on the build. */

/** The first failure is the one that is told; being stopped by it is none. */
void table_signal_failure(struct table_build *build, enum result result, const struct err *err);

/** Nobody waits for a turn any more. */
void table_signal_stop(struct table_build *build);

/** The guess was wrong: pass 1 goes on without rows. */
void table_signal_wrong_guess(struct table_build *build);

/* table_pass.c: jobs of a worker, one for each pass. They end when the source does, at the first
 * failure, and when the build is stopped. */

void table_pass_learn(struct work_item *worker);
void table_pass_key(struct work_item *worker);
void table_pass_check(struct work_item *worker);
void table_pass_write(struct work_item *worker);

/* table_document.c */

/** A chunk_document_fn whose context is the worker: learns from the document, or makes its rows. */
MUST_CHECK enum result table_document_take(void *worker, const struct document *document);

/* table_step.c: jobs of the build. */

void table_step_settle(struct work_item *build);
void table_step_keyed(struct work_item *build);
void table_step_checked(struct work_item *build);
void table_step_commit(struct work_item *build);

/** Makes the worker one that knows nothing yet, ready for pass 1. */
MUST_CHECK enum result table_step_begin_learning(struct table_worker *worker, struct err *err);

/* table_aside.c */

/** The files become those of a table that is not what was expected; standard output is none. */
MUST_CHECK enum result table_aside_begin(struct table_build *build, struct err *err);

/** What is told of it in the end. */
enum result table_aside_tell(const struct table_build *build, struct err *err);

/* table_hint.c */

/** Puts the way out into an E-COL1: `in_array`, as flatten_in_array. */
void table_hint_at_keys(const struct table_build *build, const struct columns *columns,
                        bool in_array, struct err *err);

/* table_tally.c */

/** Notes a record that gives no row; `words` say why. */
void table_tally_skip(struct table_worker *worker, enum table_skip reason,
                      const struct document *document, const char *words);

/** The report gets what the workers have counted in the pass that ended; they start the next one at
 *  nought. */
void table_tally_collect(struct table_build *build);

#endif
