/**
 * A run as a table's source: the stored bodies of one endpoint, in the plan's order.
 *
 * It reads the ledger's index in pieces through a function, so that a run at rest (a ledger opened for
 * reading) and one under way (its committer) are the same to it. A run that grows meanwhile does no
 * harm: what lies after the end of the segments as they stood at first is left for the next table.
 *
 * Ownership  record_source.close frees it. The run directory and the index are borrowed until then.
 * Threads    as table/table_build.h's sources: pool threads, one at a time; `read_index` is called
 *            from them.
 */
#ifndef SCRAPETOP_TABLE_RUN_SOURCE_H
#define SCRAPETOP_TABLE_RUN_SOURCE_H

#include "base/err.h"
#include "normalise/record_source.h"
#include "store/record.h"
#include "store/run_dir.h"

#include <stddef.h>

/** Up to `max` records of the endpoint with a JSON body, in the order of its table, from `position` on,
 *  which moves after them. */
typedef enum result run_index_fn(void *index, uint32_t endpoint, struct record_position *position,
                                 struct placed_record *records, size_t max, size_t *count,
                                 struct err *err);

MUST_CHECK enum result run_source_new(struct record_source **source, const struct run_dir *dir,
                                      uint32_t endpoint, run_index_fn *read_index, void *index,
                                      struct err *err);

#endif
