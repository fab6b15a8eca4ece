/**
 * One row of a panel as data, in the making: a panel says its fields by name, here is what a field looks like. They are
 * called as in the report of --json.
 *
 * Errors   kept in `result`: RESULT_NOMEM.
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_EXPORT_ROW_H
#define SCRAPETOP_UI_EXPORT_ROW_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct export_row {
    struct buf *out;
    bool json, naming; /* naming: the line of names */
    bool begun;
    enum result result;
};

/** As it is, between fields. */
void export_append(struct export_row *row, struct str text);

void export_text(struct export_row *row, const char *name, const char *text);
void export_count(struct export_row *row, const char *name, uint64_t count);
void export_number(struct export_row *row, const char *name, double value);

/** Empty, or null, when nobody knows it. */
void export_known(struct export_row *row, const char *name, bool known, double value);

/** TIME_NEVER is not known. */
void export_seconds(struct export_row *row, const char *name, uint64_t us);

/** 0 is not known. */
void export_ms(struct export_row *row, const char *name, uint64_t us);

#endif
