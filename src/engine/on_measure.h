/**
 * What the measures of rules by event (job/on_rule.h) are in a run: which answers they count, and what is true at the
 * moment.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_ON_MEASURE_H
#define SCRAPETOP_ENGINE_ON_MEASURE_H

#include "engine/on_list.h"

struct answer;
struct snapshot;

/** The rule's measure, one of ON_KIND_ANSWERS, counts this answer. */
bool on_measure_counts(const struct on_rule *rule, const struct answer *answer);

/** The value of the rule's measure. `now` is a snapshot of this moment, or NULL when no rule of ON_KIND_NOW is asked
 *  for. False: it is not known. */
bool on_measure_value(struct engine *engine, struct on_watched *w, const struct snapshot *now,
                      uint64_t now_us, double *value);

/** How much of the time since the last answer the pause that is under way, if any, takes. */
uint64_t on_measure_pause_us(const struct engine *engine, uint64_t now_us);

#endif
