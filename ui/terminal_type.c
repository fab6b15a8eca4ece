#include "ui/terminal_type.h"

#include <curses.h>
#include <term.h>

#include <string.h>

#define STAND_IN "xterm-256color"

/* Asked beforehand: newterm leaks when it fails. */
static bool is_known_type(const char *type, int fd)
{
    int why;

    if (setupterm(type, fd, &why) != OK) {
        return false;
    }
    del_curterm(cur_term);
    return true;
}

static bool is_like_xterm(const char *type)
{
    static const char *const names[] = { "xterm",   "kitty",   "alacritty", "foot",    "ghostty",
                                         "wezterm", "contour", "rio",       "konsole", "gnome",
                                         "vte",     "st",      "tmux",      "mintty",  "iterm2" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);

        if (strncmp(type, names[i], length) == 0 && (!type[length] || type[length] == '-')) {
            return true;
        }
    }
    return false;
}

const char *terminal_type_choose(const char *type, int fd)
{
    if (is_known_type(type, fd)) {
        return type;
    }
    return is_like_xterm(type) && is_known_type(STAND_IN, fd) ? STAND_IN : NULL;
}
