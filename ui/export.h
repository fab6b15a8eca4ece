/**
 * The rows of a panel as data: figures whole and in one unit, where the screen shows them rounded.
 *
 * CSV as RFC 4180 has it with a line of names, or a JSON array of objects; the rows that pass the
 * panel's filter, in its order. Durations are seconds, times UTC.
 *
 * Errors   RESULT_NOMEM; RESULT_NOT_FOUND when the panel has no rows to give.
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_EXPORT_H
#define SCRAPETOP_UI_EXPORT_H

#include "base/buf.h"
#include "ui/panel.h"

/** "in-flight", "failed", ...: a word for the file's name. */
const char *export_name(enum panel_id panel);

MUST_CHECK enum result export_rows(enum panel_id panel, const struct snapshot *s,
                                   const struct list *list, bool json, struct buf *out);

#endif
