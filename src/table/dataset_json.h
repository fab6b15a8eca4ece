/**
 * A dataset's _schema.json, read and written. What is read is checked as anything that comes from outside.
 *
 * Errors   E-ARG1 for another dataset's, or one that makes no sense; E-OUT1; RESULT_NOMEM.
 * Threads  one at a time.
 */
#ifndef SCRAPETOP_TABLE_DATASET_JSON_H
#define SCRAPETOP_TABLE_DATASET_JSON_H

#include "table/dataset_state.h"

/** Fills the dataset with it; `*found` is false without one. */
MUST_CHECK enum result dataset_read(struct dataset *dataset, bool *found, struct err *err);

/** Appends it. */
MUST_CHECK enum result dataset_write(const struct dataset *dataset, struct buf *out);

/** Whether its file is this. */
bool dataset_says(const struct dataset *dataset, struct str json);

#endif
