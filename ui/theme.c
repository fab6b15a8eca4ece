#include "ui/theme.h"

#include <assert.h>

enum { RED = 1, GREEN = 2, YELLOW = 3, CYAN = 6, NONE = THEME_DEFAULT_COLOUR };

struct look theme_look(enum role role)
{
    static const struct look looks[ROLE_COUNT] = {
        [ROLE_TEXT] = { .colour = NONE },
        [ROLE_DIM] = { .dim = true, .colour = NONE },
        [ROLE_STRONG] = { .bold = true, .colour = NONE },
        [ROLE_TITLE] = { .colour = CYAN },
        [ROLE_FOCUS] = { .bold = true, .colour = CYAN },
        [ROLE_GOOD] = { .colour = GREEN },
        [ROLE_NOTICE] = { .bold = true, .colour = CYAN },
        [ROLE_WARN] = { .bold = true, .colour = YELLOW },
        [ROLE_BAD] = { .bold = true, .underline = true, .colour = RED },
        [ROLE_BAR] = { .colour = GREEN },
        [ROLE_TRACK] = { .dim = true, .colour = NONE },
        [ROLE_STATE] = { .bold = true, .reverse = true, .colour = GREEN },
        [ROLE_ALERT] = { .bold = true, .reverse = true, .colour = YELLOW },
        [ROLE_KEY] = { .bold = true, .colour = NONE },
        [ROLE_SELECTED] = { .reverse = true, .colour = NONE },
        [ROLE_HEADING] = { .dim = true, .underline = true, .colour = NONE },
    };

    assert(role < ROLE_COUNT);
    return looks[role];
}
