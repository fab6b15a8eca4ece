/**
 * How a role looks. The only place that knows colours; it asks for those of the user's own palette
 * by number, so light and dark terminals both stay as their owner made them.
 *
 * Every role that carries a meaning differs by an attribute too (bold, underline, reverse), so
 * that nothing is lost without colour.
 */
#ifndef SCRAPETOP_UI_THEME_H
#define SCRAPETOP_UI_THEME_H

#include "ui/draw.h"

#define THEME_DEFAULT_COLOUR (-1)

enum theme {
    THEME_DEFAULT,
    THEME_BLUE_ORANGE, /* no pair that deuteranopia or protanopia makes alike */
    THEME_CONTRAST,    /* no dim text, colours only where something is wrong */
    THEME_COUNT
};

/** "default", "blue-orange", "contrast": as settings and the command line name them. */
const char *theme_name(enum theme theme);

/** False when no theme has that name. */
bool theme_parse(const char *name, enum theme *theme);

struct look {
    bool bold, dim, underline, reverse;
    short colour; /* 0-7 of the terminal's palette, or THEME_DEFAULT_COLOUR */
};

struct look theme_look(enum theme theme, enum role role);

#endif
