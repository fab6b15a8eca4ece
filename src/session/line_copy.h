/**
 * Line copy: what a run stores goes up into an object store while it runs (--copy-to s3://BUCKET/PREFIX).
 *
 * For machines whose disk goes with them, and for who reads the lines where they lie (DuckDB, ClickHouse, Spark). Each
 * minute, and once at the end, the committed lines that are not copied yet become objects of their own:
 *
 *   PREFIX/COPY-00000001-000000000000.jsonl.zst      copy, segment, and where in it the object begins
 *
 * A line is in one object, whole, as it stands in raw/. How far the copy is, stands in the run's file "copied", which is
 * written after the object is there: a kill between the two has the same object written again, under the same name and
 * with at least the same lines. COPY is 8 random digits that are made with that file, so that two runs with one prefix
 * never meet. Lines that stay when old rounds leave a run (archive_retire.h) are in a new segment; those that the
 * copy had by then are left out there (ledger_twins), and others may be copied twice.
 *
 * A store that is away or busy stops nothing: the next turn has more to do. That the copy fails, and that it goes on, is
 * told once each. At the end of the run the last turn is waited for; lines that are left then are exit code 8, and the
 * same command again copies them.
 *
 * Ownership  line_copy_finish frees it. The directory is borrowed until then.
 * Errors     those of table/output_file.h for an object, of store/ledger.h and store/segment_file.h; E-COPY1 the file
 *            "copied" is none.
 * Threads    one of its own; the calls are the main thread's. `on_change` is called on the loop.
 */
#ifndef SCRAPETOP_SESSION_LINE_COPY_H
#define SCRAPETOP_SESSION_LINE_COPY_H

#include "base/clock.h"
#include "base/err.h"
#include "session/at_end.h"
#include "store/ledger_retire.h"
#include "store/run_dir.h"

#include <uv.h>

#define LINE_COPY_EVERY_US (60 * US_PER_S)
#define LINE_COPY_PIECE_BYTES                                                                      \
    ((uint64_t)64 << 20) /* of lines in one object, before they are compressed */
#define LINE_COPY_FILE "copied"

struct line_copy;

struct line_copy_options {
    uv_loop_t *loop;
    const struct run_dir *dir;
    const char *to;    /* s3://BUCKET/PREFIX; borrowed */
    uint64_t every_us; /* 0: LINE_COPY_EVERY_US */
    /* The copy has failed, or goes on: RESULT_OK in `err`. */
    void (*on_change)(void *context, const struct err *err);
    void *context;
};

/** Whether the store answers and has the bucket, and the place can be one. Waits for the network. */
MUST_CHECK enum result line_copy_check(const char *to, struct err *err);

/** How far the copy of a run is. No id when there is none, or what says so is damaged. */
void line_copy_look(const struct run_dir *dir, struct ledger_copied *copied);

MUST_CHECK enum result line_copy_start(struct line_copy **copy,
                                       const struct line_copy_options *options, struct err *err);

/** The loop shall end: `on_change` does not come any more. NULL is fine. */
void line_copy_quiet(struct line_copy *copy);

/** After the loop has ended and the run is at rest: copies what is left and waits for it. `*bytes` is what all sessions
 *  have copied of the lines. NULL is fine, and RESULT_OK. */
MUST_CHECK enum result line_copy_finish(struct line_copy *copy, const struct at_end_pulse *pulse,
                                        uint64_t *bytes, struct err *err);

#endif
