#include "base/column_wish.h"

static const struct str types[COLUMN_TYPE_COUNT] = {
    [COLUMN_ANY] = STR_INIT(""),
    [COLUMN_TEXT] = STR_INIT("text"),
    [COLUMN_INT64] = STR_INIT("int64"),
    [COLUMN_DOUBLE] = STR_INIT("double"),
    [COLUMN_BOOLEAN] = STR_INIT("boolean"),
    [COLUMN_TIMESTAMP] = STR_INIT("timestamp"),
    [COLUMN_DATE] = STR_INIT("date"),
};

static const struct str errors[COLUMN_ERROR_COUNT] = {
    [COLUMN_ERROR_NULL] = STR_INIT("null"),
    [COLUMN_ERROR_TEXT] = STR_INIT("text"),
    [COLUMN_ERROR_DROP] = STR_INIT("drop"),
    [COLUMN_ERROR_FAIL] = STR_INIT("fail"),
};

const char *column_type_name(enum column_type type)
{
    return types[type].data;
}

const char *column_error_name(enum column_on_error on_error)
{
    return errors[on_error].data;
}

bool column_type_parse(struct str text, enum column_type *type)
{
    for (int i = COLUMN_TEXT; i < COLUMN_TYPE_COUNT; i++) {
        if (str_equal(text, types[i])) {
            *type = (enum column_type)i;
            return true;
        }
    }
    return false;
}

bool column_error_parse(struct str text, enum column_on_error *on_error)
{
    for (int i = 0; i < COLUMN_ERROR_COUNT; i++) {
        if (str_equal(text, errors[i])) {
            *on_error = (enum column_on_error)i;
            return true;
        }
    }
    return false;
}
