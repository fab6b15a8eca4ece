/**
 * By what an endpoint's records are compared from round to round: the job's table, or as the command line has it.
 *
 * Ownership  changes_spec_release; the job and the table's spec are borrowed until then. Points into itself: not to be copied.
 * Errors     RESULT_NOMEM, RESULT_INVALID (E-PTR1).
 */
#ifndef SCRAPETOP_CMD_CHANGES_SPEC_H
#define SCRAPETOP_CMD_CHANGES_SPEC_H

#include "changes/differ.h"
#include "job/job.h"
#include "table/table_spec.h"

struct changes_spec {
    struct ledger_answers_query query;
    struct record_rows_spec rows;
    struct table_shape shape;
    struct str *names;
    bool *kin;
};

MUST_CHECK enum result changes_spec_init(struct changes_spec *spec, const struct job *job,
                                         uint32_t endpoint, const char *records,
                                         const struct table_spec *table, struct err *err);
void changes_spec_release(struct changes_spec *spec);

#endif
