/**
 * Days and moments as databases read them: of one length each, so that the order of the texts is that of the times.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_TABLE_MOMENT_TEXT_H
#define SCRAPETOP_TABLE_MOMENT_TEXT_H

#include "base/str.h"
#include "normalise/types.h"

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_TEXT_MAX 64

/** "2026-01-31", of days since 1970-01-01. A view into `text`. */
struct str moment_text_day(int64_t days, char text[MOMENT_TEXT_MAX]);

/** "2026-01-31T23:59:59.000000Z", of microseconds since 1970. Likewise. */
struct str moment_text_time(int64_t us, char text[MOMENT_TEXT_MAX]);

/** Of a value in a column of timestamps, local ones (then without the Z) or days, as the source wrote it. False: it says
 *  none. `*made` is a view into `shown`. */
bool moment_text_value(const struct type_decision *column, struct str value,
                       char shown[MOMENT_TEXT_MAX], struct str *made);

#endif
