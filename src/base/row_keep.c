#include "base/row_keep.h"

static const struct str names[ROW_KEEP_COUNT] = {
    [ROW_KEEP_FIRST] = STR_INIT("first"),
    [ROW_KEEP_LAST] = STR_INIT("last"),
};

const char *row_keep_name(enum row_keep keep)
{
    return names[keep].data;
}

bool row_keep_parse(struct str text, enum row_keep *keep)
{
    for (int i = 0; i < ROW_KEEP_COUNT; i++) {
        if (str_equal(text, names[i])) {
            *keep = (enum row_keep)i;
            return true;
        }
    }
    return false;
}
