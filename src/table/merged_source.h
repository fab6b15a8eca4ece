/**
 * Several sources as one: records of several runs for one table.
 *
 * Sources of one plan (the shards of a job, or the same job on several days) are merged by the place that each record
 * has in the plan's order, `place` of struct record_piece; of equal places the source that was given first comes
 * first. Sources of different plans follow one another as given, for their places say nothing of each other.
 *
 * Ownership  merged_source_new takes the inner sources, also when it fails; `close` closes them.
 * Threads    as table/table_build.h's sources.
 */
#ifndef SCRAPETOP_TABLE_MERGED_SOURCE_H
#define SCRAPETOP_TABLE_MERGED_SOURCE_H

#include "base/err.h"
#include "normalise/record_source.h"

#include <stddef.h>

/** `by_place`: they are of one plan. `doubled`, which outlives the source, counts the records of the present pass that
 *  stand at the place of one before them: the same request in two runs. RESULT_NOMEM. */
MUST_CHECK enum result merged_source_new(struct record_source **source,
                                         struct record_source *const *inner, size_t count,
                                         bool by_place, uint64_t *doubled, struct err *err);

#endif
