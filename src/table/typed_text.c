#include "table/typed_text.h"

#include <inttypes.h>
#include <stdio.h>

enum typed_text_kind typed_text_kind(const struct type_decision *column)
{
    switch (column->type) {
    case TYPE_INT64:
    case TYPE_DOUBLE:
    case TYPE_BOOLEAN:
        return TYPED_TEXT_BARE;
    case TYPE_TIMESTAMP:
    case TYPE_LOCAL_TIMESTAMP:
    case TYPE_DATE:
        return TYPED_TEXT_MOMENT;
    case TYPE_TEXT:
    case TYPE_COUNT:
        break;
    }
    return TYPED_TEXT_ESCAPED;
}

enum result typed_text_value(const struct type_decision *column, struct str value,
                             char shown[MOMENT_TEXT_MAX], struct str *made, struct err *err)
{
    bool good = false;
    int64_t whole;

    *made = value;
    if (typed_text_kind(column) == TYPED_TEXT_MOMENT) {
        good = moment_text_value(column, value, shown, made);
    } else if (column->type == TYPE_INT64) {
        good = types_int64(value, &whole);
        if (good) {
            snprintf(shown, MOMENT_TEXT_MAX, "%" PRId64, whole);
            *made = str_view(shown);
        }
    } else if (column->type == TYPE_DOUBLE) {
        good = types_is_number(value);
    } else if (column->type == TYPE_BOOLEAN) {
        good = str_equal(value, STR("true")) || str_equal(value, STR("false"));
    }
    return good ? RESULT_OK
                : err_set(err, RESULT_CORRUPT, "E-TAB2",
                          "the input changed while it was being read");
}
