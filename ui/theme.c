#include "ui/theme.h"

#include <assert.h>
#include <string.h>

enum {
    RED = 1,
    GREEN = 2,
    YELLOW = 3,
    BLUE = 4,
    MAGENTA = 5,
    CYAN = 6,
    NONE = THEME_DEFAULT_COLOUR
};

static const char *const names[THEME_COUNT] = {
    [THEME_DEFAULT] = "default",
    [THEME_BLUE_ORANGE] = "blue-orange",
    [THEME_CONTRAST] = "contrast",
};

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

/* Of the 256: those that can be read, on white or on black. */
enum {
    DARK_GREEN = 22,
    DARK_TEAL = 23,
    DARK_BLUE = 25,
    DARK_RED = 88,
    DARK_ORANGE = 94,
    LIGHT_BLUE = 75,
    LIGHT_ORANGE = 214,
};

/* What differs from the default. Blue is well, orange is not. */
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
        look.fine = LIGHT_BLUE;
        break;
    case ROLE_BAD:
    case ROLE_WARN:
    case ROLE_ALERT:
        look.colour = YELLOW;
        look.fine = LIGHT_ORANGE;
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

static struct look on_dark(enum theme theme, enum role role)
{
    struct look look = default_looks[role];

    look.fine = NONE;
    switch (theme) {
    case THEME_BLUE_ORANGE:
        return in_blue_and_orange(role, look);
    case THEME_CONTRAST:
        return in_contrast(role, look);
    default:
        return look;
    }
}

/* The same meaning on white. Of the eight, blue, magenta and red can be read there. */
static struct look on_light(struct look look)
{
    static const struct {
        short dark, colour, fine;
    } table[] = {
        { RED, RED, DARK_RED },           { GREEN, BLUE, DARK_GREEN }, { CYAN, BLUE, DARK_TEAL },
        { YELLOW, MAGENTA, DARK_ORANGE }, { BLUE, BLUE, DARK_BLUE },
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (look.colour == table[i].dark) {
            look.colour = table[i].colour;
            look.fine = table[i].fine;
            return look;
        }
    }
    return look;
}

struct look theme_look(enum theme theme, bool light, enum role role)
{
    struct look look;

    assert(role < ROLE_COUNT);
    look = on_dark(theme, role);
    return light ? on_light(look) : look;
}
