/**
 * The part of a report that tells what was asked again, and after what; and what was asked for in parts.
 */
#ifndef SCRAPETOP_ENGINE_REPORT_RETRIES_H
#define SCRAPETOP_ENGINE_REPORT_RETRIES_H

#include "engine/report.h"

#include <cjson/cJSON.h>

/** One more that is asked again after this. */
void report_count_retry(struct report_retry retries[REPORT_RETRIES_MAX], struct failure why);

/** One of them was not sent after all. */
void report_uncount_retry(struct report_retry retries[REPORT_RETRIES_MAX], struct failure why);

/** The members "retries", "resent" and "session_split". */
void report_retries_json(const struct report *report, cJSON *root);

#endif
