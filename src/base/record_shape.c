#include "base/record_shape.h"

static const struct str names[RECORD_SHAPE_COUNT] = {
    [RECORD_SHAPE_OBJECTS] = STR_INIT("objects"),
    [RECORD_SHAPE_HEADER] = STR_INIT("header"),
    [RECORD_SHAPE_PARALLEL] = STR_INIT("parallel"),
};

const char *record_shape_name(enum record_shape shape)
{
    return names[shape].data;
}

bool record_shape_parse(struct str text, enum record_shape *shape)
{
    for (int i = 0; i < RECORD_SHAPE_COUNT; i++) {
        if (str_equal(text, names[i])) {
            *shape = (enum record_shape)i;
            return true;
        }
    }
    return false;
}
