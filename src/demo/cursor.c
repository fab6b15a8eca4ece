#include "demo/cursor.h"

#include "demo/draw.h"

#include <stdio.h>

void cursor_format(uint64_t seed, uint64_t position, char text[CURSOR_MAX])
{
    struct draw d = draw_start(seed, DRAW_CURSOR, position);

    snprintf(text, CURSOR_MAX, "c/%u+%012llx==", (unsigned)position,
             (unsigned long long)(draw_next(&d) >> 16));
}

bool cursor_read(uint64_t seed, struct str text, uint64_t last, uint64_t *position)
{
    struct str rest = text;
    char right[CURSOR_MAX];

    *position = 0;
    if (!text.len) {
        return true;
    }
    (void)str_cut(&rest, '/');
    if (!str_to_u64(str_cut(&rest, '+'), position) || *position > last) {
        return false;
    }
    cursor_format(seed, *position, right);
    return str_equal(text, str_view(right));
}
