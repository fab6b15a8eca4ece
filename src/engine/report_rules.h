/**
 * The part of a report that tells what rules for answers have met.
 */
#ifndef SCRAPETOP_ENGINE_REPORT_RULES_H
#define SCRAPETOP_ENGINE_REPORT_RULES_H

#include "engine/report.h"

#include <cjson/cJSON.h>

struct engine;

/** Without memory there are none in it. */
void report_add_rules(struct engine *engine, struct report *report);
void report_release_rules(struct report *report);

struct snapshot;

/** The same for a screen. */
void report_rules_snapshot(const struct engine *engine, struct snapshot *snapshot);

/** The member "rules". */
void report_rules_json(const struct report *report, cJSON *root);

#endif
