#include "quota_fixture.h"

struct quota read_fields(const char *const *texts)
{
    struct quota_field fields[FIELDS_MAX];
    struct quota quota;
    size_t count = 0;

    for (; texts[2 * count]; count++) {
        fields[count] =
            (struct quota_field){ str_view(texts[2 * count]), str_view(texts[2 * count + 1]) };
    }
    quota_read(fields, count, NOW_US, &quota);
    return quota;
}
