/**
 * The part of a report, and of a snapshot, that tells what rules by event have done in this session.
 *
 * Threads  loop thread only; a report's part any.
 */
#ifndef SCRAPETOP_ENGINE_REPORT_ON_H
#define SCRAPETOP_ENGINE_REPORT_ON_H

#include "engine/report.h"

#include <cjson/cJSON.h>

struct engine;

void report_add_on(struct engine *engine, struct report *report);

/** The same for a screen. */
void report_on_snapshot(const struct engine *engine, struct snapshot *snapshot);

/** The member "on". */
void report_on_json(const struct report *report, cJSON *root);

#endif
