/**
 * The table of one endpoint, as the job says it: what table/table_build.h is to be told.
 *
 * Ownership  owns its lists; their texts are the job's, and live as long as it does.
 * Errors     RESULT_NOMEM; RESULT_LIMIT (E-TAB5) for more than TABLE_WITH_MAX columns of `with`.
 */
#ifndef SCRAPETOP_TABLE_ENDPOINT_TABLE_H
#define SCRAPETOP_TABLE_ENDPOINT_TABLE_H

#include "job/job.h"
#include "table/table_spec.h"

struct endpoint_table {
    const char *records;
    struct table_spec spec; /* points at the lists */
    struct table_pick *picks;
    struct str *unique, *with, *expect_unique, *expect_not_null;
};

MUST_CHECK enum result endpoint_table_init(struct endpoint_table *table, const struct job *job,
                                           uint32_t endpoint, struct err *err);
void endpoint_table_release(struct endpoint_table *table);

/** "DIR/ENDPOINT.csv", or "DIR/JOB.db" with a table for each endpoint; to free. NULL when out of memory. */
char *endpoint_table_path(const struct job *job, uint32_t endpoint, const char *dir,
                          const char *ending);

#endif
