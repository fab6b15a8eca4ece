#include "plan/path_segment.h"

/* FNV-1a, 32 bits (draft-eastlake-fnv); never 0. */
static uint32_t hash(struct str text)
{
    uint32_t h = UINT32_C(2166136261);

    for (size_t i = 0; i < text.len; i++) {
        h = (h ^ (unsigned char)text.data[i]) * UINT32_C(16777619);
    }
    return h ? h : 1;
}

/* "api", "rest", "v2": in front of everything that some hosts serve. */
static bool tells_nothing(struct str segment)
{
    static const struct str names[] = { STR_INIT("api"), STR_INIT("rest"), STR_INIT("services"),
                                        STR_INIT("data"), STR_INIT("") };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(segment, names[i])) {
            return true;
        }
    }
    return (segment.data[0] == 'v' || segment.data[0] == 'V') && segment.len > 1 &&
           segment.data[1] >= '0' && segment.data[1] <= '9';
}

uint32_t path_segment_of(const struct url *url)
{
    struct str rest = url->target, path = str_cut(&rest, '?');

    while (path.len) {
        struct str segment = str_cut(&path, '/');

        if (!path.data) {
            break;
        }
        if (segment.len && !tells_nothing(segment)) {
            return hash(segment);
        }
    }
    return 0;
}
