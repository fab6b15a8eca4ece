/**
 * Commands typed as words, for who has no dashboard: `cap 20`, `pause`, `status`, `quit`.
 *
 * They are the words of the one table of keys (ui/keys.h), as far as they make sense without a screen,
 * and a few that say what a screen would show. An abbreviation that fits only one of them will do. What
 * a key would take from the selected row stands behind the word: `drop 17`, `hold api.example.org`.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_WORDS_H
#define SCRAPETOP_UI_WORDS_H

#include "base/buf.h"
#include "engine/control.h"
#include "engine/snapshot.h"

#include <stdbool.h>

#define WORDS_LINE_MAX 256

/** Reads one line. True when it is a matter for the engine: `out` is then the command. What is to be
 *  told is appended to `answer` as whole lines, safe to be shown. */
bool words_read(struct str line, const struct snapshot *s, uint32_t verbs, struct control *out,
                struct buf *answer);

#endif
