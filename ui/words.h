/**
 * Commands typed as words, for who has no dashboard: `cap 20`, `pause`, `status`, `quit`.
 *
 * They are the words of the one table of keys (ui/keys.h), as far as they make sense without a screen,
 * and a few that say what a screen would show. An abbreviation that fits only one of them will do. What
 * a key would take from the selected row stands after the word: `drop 17`, `hold api.example.org`.
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

enum words {
    WORDS_REFUSED,  /* no such words, or not with these figures; the answer says why */
    WORDS_ANSWERED, /* what was asked stands in the answer, perhaps nothing */
    WORDS_COMMAND,  /* a matter for the engine */
};

/** Reads one line. What is to be told is appended to `answer` as whole lines, safe to be shown; of
 *  WORDS_COMMAND `out` is the command. */
enum words words_read(struct str line, const struct snapshot *s, uint32_t verbs,
                      struct control *out, struct buf *answer);

/** The words that words_read makes the same command of, when the run is paused or not. False when none do: it is no
 *  matter for typed words (CONTROL_DETAIL, CONTROL_SEEK), or there is no memory. */
bool words_write(const struct control *control, bool is_paused, uint32_t verbs, struct buf *out);

#endif
