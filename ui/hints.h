/**
 * Hints: what limits a run, with the key that changes it, for a screen that has keys.
 *
 * The keys come from the one table (ui/keys.h). Progress lines and event lines have no keys: they use
 * limit_words (engine/limit_words.h) without a hint.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_HINTS_H
#define SCRAPETOP_UI_HINTS_H

#include "engine/snapshot.h"

/** "CAP 10 (+ raises it)"; of a replay how it is played. "nothing" when nothing limits it. */
void hints_limit(const struct snapshot *s, char text[LIMIT_TEXT_MAX]);

#endif
