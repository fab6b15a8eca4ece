/**
 * Round choice: what `run --again --where` asks: of each of the plan's requests the newest stored answers are read, before
 * anything is asked, and those are chosen of which one record is meant (plan/record_where.h).
 *
 * An answer that is damaged is chosen; one without records (a page that is kept as text) is not.
 *
 * Ownership  round_choice_close releases everything but the struct.
 * Errors     E-DIR of the run directory; RESULT_NOMEM.
 * Threads    loop thread, before the loop runs: it reads all that is stored.
 */
#ifndef SCRAPETOP_ENGINE_ROUND_CHOICE_H
#define SCRAPETOP_ENGINE_ROUND_CHOICE_H

#include "plan/record_where.h"
#include "store/ledger.h"
#include "store/segment_reader.h"

struct job;
struct run_dir;

struct round_choice {
    struct ledger_choice choice; /* for the ledger */
    const struct record_where *where;
    struct json_pointer *records; /* by endpoint */
    struct segment_reader segments;
    struct buf line;
    int raw_fd;
};

/** `job`, `dir` and `where` are borrowed. */
MUST_CHECK enum result round_choice_open(struct round_choice *choice, const struct job *job,
                                         const struct run_dir *dir,
                                         const struct record_where *where, struct err *err);
void round_choice_close(struct round_choice *choice);

#endif
