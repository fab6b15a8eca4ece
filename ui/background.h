/**
 * Whether the terminal's background is light or dark, as far as it can be known.
 *
 * By the user's word, else by the terminal's own answer to the question for its colour (OSC 11, which most of
 * xterm's descendants answer), else by COLORFGBG, which rxvt and Konsole set. Not known: dark.
 *
 * Errors  none: what cannot be read says nothing. Threads: none of its own.
 */
#ifndef SCRAPETOP_UI_BACKGROUND_H
#define SCRAPETOP_UI_BACKGROUND_H

#include "base/str.h"

#include <stdbool.h>

enum background { BACKGROUND_AUTO, BACKGROUND_DARK, BACKGROUND_LIGHT, BACKGROUND_COUNT };

/** The question for it, and one after it that every terminal answers (its kind), so that it is known when no
 *  answer comes any more. */
#define BACKGROUND_QUESTION "\033]11;?\033\\\033[c"

/** "auto", "dark", "light": as settings, the key's word and SCRAPETOP_BACKGROUND name them. */
const char *background_name(enum background background);

/** False when there is no such word. */
bool background_parse(struct str name, enum background *background);

/** What COLORFGBG says ("15;0", "0;default;15"); AUTO when it says nothing. NULL is nothing. */
enum background background_of_fgbg(const char *text);

/** What the terminal answered, without the brackets of the sequence: "11;rgb:ffff/ffff/ffff". AUTO when it is no
 *  such answer. */
enum background background_of_answer(struct str text);

/** Whether `text` is, or may yet become, such an answer. */
bool background_may_be_answer(struct str text);

#endif
