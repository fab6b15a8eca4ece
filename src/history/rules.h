/**
 * Tries rules for answers on the answers that a run has stored, and prints what they would have met.
 *
 * Errors  as store/ledger.h and plan/rulebook.h say; damaged records are printed to stderr and passed over.
 */
#ifndef SCRAPETOP_HISTORY_RULES_H
#define SCRAPETOP_HISTORY_RULES_H

#include "job/job.h"
#include "store/run_reader.h"

struct rules_question {
    struct job *job;            /* whose rules are tried; NULL: the run's own */
    const char *const *answers; /* further rules, tried before those of the job */
    size_t answer_count;
    bool json;
};

/** To stdout. `job` gets the further rules. */
MUST_CHECK enum result rules_print(struct run_reader *reader, const struct rules_question *question,
                                   bool *is_damaged, struct err *err);

#endif
