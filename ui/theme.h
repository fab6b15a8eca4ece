/**
 * How a role looks. The only place that knows colours. On a dark background it asks for those of the user's own
 * palette by number, which so stays as its owner made it; on a light one for fixed ones that can be read there,
 * where the terminal has 256, since bold yellow on white cannot in any palette.
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
    short fine;   /* 16-255, where there are 256 colours: instead of it; or THEME_DEFAULT_COLOUR */
};

/** `light`: on a light background. */
struct look theme_look(enum theme theme, bool light, enum role role);

#endif
