/**
 * Cells of typed columns as databases read them: whole numbers, fractions, booleans and times as text.
 *
 * Errors   E-TAB2 (RESULT_CORRUPT): the value is not of the column's type, which a full scan found: the input has changed.
 * Threads  pure; any thread.
 */
#ifndef SCRAPETOP_TABLE_TYPED_TEXT_H
#define SCRAPETOP_TABLE_TYPED_TEXT_H

#include "base/err.h"
#include "table/moment_text.h"

/** What a column's values are written as: TEXT has to be escaped by whoever writes it, and is not read here. */
enum typed_text_kind { TYPED_TEXT_ESCAPED, TYPED_TEXT_BARE, TYPED_TEXT_MOMENT };

enum typed_text_kind typed_text_kind(const struct type_decision *column);

/** Of a value in a column whose kind is BARE or MOMENT. `*made` is a view into `shown` or into the value. */
MUST_CHECK enum result typed_text_value(const struct type_decision *column, struct str value,
                                        char shown[MOMENT_TEXT_MAX], struct str *made,
                                        struct err *err);

#endif
