#include "ui/theme.h"

#include <assert.h>
#include <string.h>

enum { RED = 1, GREEN = 2, YELLOW = 3, BLUE = 4, CYAN = 6, NONE = THEME_DEFAULT_COLOUR };

static const char *const names[THEME_COUNT] = { "default", "blue-orange", "contrast" };

const char *theme_name(enum theme theme)
{
    return names[theme];
}

bool theme_parse(const char *name, enum theme *theme)
{
    for (int i = 0; i < THEME_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *theme = (enum theme)i;
            return true;
        }
    }
    return false;
}

static const struct look default_looks[ROLE_COUNT] = {
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

/* What differs from the default. Blue is well, yellow (orange on many terminals) is not. */
static struct look in_blue_and_orange(enum role role, struct look look)
{
    switch (role) {
    case ROLE_GOOD:
    case ROLE_BAR:
    case ROLE_STATE:
    case ROLE_TITLE:
    case ROLE_FOCUS:
    case ROLE_NOTICE:
        look.colour = BLUE;
        break;
    case ROLE_BAD:
        look.colour = YELLOW;
        break;
    default:
        break;
    }
    return look;
}

static struct look in_contrast(enum role role, struct look look)
{
    look.dim = false;
    if (role != ROLE_WARN && role != ROLE_BAD && role != ROLE_ALERT) {
        look.colour = NONE;
    }
    look.bold = look.bold || role == ROLE_TITLE;
    return look;
}

struct look theme_look(enum theme theme, enum role role)
{
    assert(role < ROLE_COUNT);
    switch (theme) {
    case THEME_BLUE_ORANGE:
        return in_blue_and_orange(role, default_looks[role]);
    case THEME_CONTRAST:
        return in_contrast(role, default_looks[role]);
    default:
        return default_looks[role];
    }
}
