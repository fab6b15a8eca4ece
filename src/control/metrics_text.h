/**
 * A run's figures as Prometheus and its relatives read them: OpenMetrics text 1.0.0, or the older text format 0.0.4.
 *
 * Names and labels do not change from one version to the next. A counter does not fall while the process lives. No
 * label holds a URL; texts from outside are escaped.
 *
 * Sources  OpenMetrics 1.0 (openmetrics.io), Prometheus exposition formats.
 * Errors   RESULT_NOMEM or RESULT_LIMIT of the buffer.
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_CONTROL_METRICS_TEXT_H
#define SCRAPETOP_CONTROL_METRICS_TEXT_H

#include "base/buf.h"
#include "engine/report.h"
#include "engine/snapshot.h"

#define METRICS_TYPE_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define METRICS_TYPE_OLD "text/plain; version=0.0.4; charset=utf-8"

/** `is_open`: OpenMetrics; else the older format. */
MUST_CHECK enum result metrics_text_write(struct buf *out, const struct snapshot *s,
                                          const struct report *r, bool is_open);

#endif
