/**
 * Retiring: rounds of a run that polls leave its bodies, and what they changed stays in the written journal.
 *
 * Of the answers before a time, round by round, only those stay in which a record stands as it was after the last of these
 * rounds. What changed in them is appended to the journal first (changes/journal_file.h) and synced; then one
 * transaction says how long the journal is and takes the answers' lines out of the ledger; then segments are written
 * without them (store/archive_retire.h). A kill between any two of these loses nothing, and the next time goes on.
 *
 * At rest the archive is opened here. While the run goes on a tender hands it over for each step that changes it (store/tender.h);
 * the rest is read by a connection of its own. Files of segments that were dropped then stay until the next time, for those
 * who read the run meanwhile.
 *
 * A damaged answer stops neither: its round and later ones stay, and so does the segment of a damaged line.
 *
 * Ownership  all that is handed in is borrowed for the call. The run is held (run_dir_open).
 * Errors     those of the store, of changes/differ.h and of changes/journal_file.h.
 * Threads    one; with a tender its own.
 */
#ifndef SCRAPETOP_CHANGES_RETIRE_H
#define SCRAPETOP_CHANGES_RETIRE_H

#include "changes/differ.h"
#include "store/run_dir.h"
#include "store/ledger_retire.h"
#include "store/tender.h"

struct retire_endpoint {
    const char *name;
    struct ledger_answers_query query; /* without its callback */
    struct record_rows_spec rows;
};

struct retire_report {
    uint32_t rounds;        /* that are in the journal now, all together */
    uint64_t answers;       /* that lost their lines */
    uint64_t changes;       /* that were written down */
    uint64_t too_long;      /* values of theirs that were left out */
    uint64_t journal;       /* bytes of the journal */
    uint32_t segments;      /* that went */
    uint64_t bytes;         /* of these */
    const char *damaged_in; /* the endpoint with a damaged answer; NULL: none */
    uint32_t damaged_round; /* of it, from 1 */
    uint32_t left;          /* segments that stay for a damaged line; the first of them */
    uint32_t first_left;
};

struct retire_options {
    const struct run_dir *dir;
    const struct retire_endpoint *endpoints;
    size_t count;
    int64_t
        before_us;   /* wall clock: rounds with an answer at or after it stay, and all after them */
    int64_t wall_us; /* now */
    bool sends_again; /* see struct archive_options */
    uint64_t memory_bytes;
    struct ledger_copied
        copied;            /* what a copy of the lines has (--copy-to): it shall have none twice */
    struct tender *tender; /* of a run that goes on; NULL: at rest */
};

MUST_CHECK enum result retire_rounds(const struct retire_options *options,
                                     struct retire_report *report, struct err *err);

#endif
