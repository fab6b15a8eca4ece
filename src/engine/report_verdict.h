/**
 * What bounded a run, in one sentence, and how near it came to what its caps could give.
 *
 * Both follow from the report's own figures: the seconds of each limit, and what each cap gave. No sentence advises
 * to raise something that was not the limit.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_ENGINE_REPORT_VERDICT_H
#define SCRAPETOP_ENGINE_REPORT_VERDICT_H

#include "engine/report.h"

struct verdict_facts {
    bool is_polling, is_auto;
    size_t cores; /* of the machine */
};

/** Fills r->verdict; empty when there is nothing to tell. */
void report_judge(struct report *r, const struct verdict_facts *facts);

/** Fills ideal_s and ideal_percent by Little's law from the rungs: what the requests would have taken, had
 *  each cap always been full. Both are 0 when that is not known, and when something else than the caps bound:
 *  a rate, given or learned, a quota, what a host allows. */
void report_fill_ideal(struct report *r, const struct verdict_facts *facts);

#endif
