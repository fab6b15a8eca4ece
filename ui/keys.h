/**
 * The one table of keys: bindings, commands, key bar and help are made from it, so none can lie.
 *
 * A key whose verb the engine does not obey is not there at all: it neither acts nor is listed. What
 * has a word can be typed after `:`; some have only that.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_KEYS_H
#define SCRAPETOP_UI_KEYS_H

#include "engine/control.h"

#include "ui/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_action {
    KEY_CONTROL,     /* gives `verb` with `number` */
    KEY_CAP_STEP,    /* CONTROL_CAP_ADD; repeated fast it takes larger steps */
    KEY_ASK_CAP,     /* a prompt, then CONTROL_CAP_SET */
    KEY_ASK_RATE,    /* a prompt, then CONTROL_RATE_SET */
    KEY_ASK_SWEEP,   /* a prompt, then CONTROL_SWEEP; while one is under way: ends it */
    KEY_ASK_MARK,    /* a prompt, then CONTROL_MARK */
    KEY_ASK_FILTER,  /* a prompt whose text filters the focused list while it is typed */
    KEY_ASK_SORT,    /* a prompt for the column */
    KEY_ASK_COMMAND, /* a prompt for any of these by its word */
    KEY_ON_ROWS,     /* gives `verb` with the marked or selected rows' request ids, or host */
    KEY_RETRY_FAILED,
    KEY_RETRY_WAITING,
    KEY_DETAIL, /* the selected row's request closely; of others the panel on the whole screen */
    KEY_MARK_ROW,
    KEY_SORT_STEP, /* by `number` columns */
    KEY_SORT_INVERT,
    KEY_COPY, /* the request as a curl command line, to the terminal's clipboard */
    KEY_SAVE_PICTURE,
    KEY_SAVE_SETTINGS,
    KEY_EXPORT,    /* the rows of the focused panel as a file */
    KEY_DETACH,    /* asks, then gives CONTROL_DETACH */
    KEY_ASK_DRAIN, /* asks, then gives CONTROL_DRAIN */
    KEY_THEME,
    KEY_BACKGROUND,
    KEY_MOUSE,
    KEY_NOTIFY,
    KEY_QUIT,
    KEY_QUIT_LEAVING, /* and leaves the last screen in the scrollback */
    KEY_FREEZE,
    KEY_HELP,
    KEY_NEXT_PANEL,
    KEY_PREVIOUS_PANEL,
    KEY_PANEL, /* by the digit */
    KEY_ZOOM,
    KEY_LOG,
    KEY_EACH_FAILED,
    KEY_MOVE, /* by `number` rows */
    KEY_PAGE, /* by `number` screens */
    KEY_TO_START,
    KEY_TO_END,
    KEY_CANCEL,
    KEY_REDRAW,
};

#define KEY_CODES_MAX 4

struct key_binding {
    uint32_t codes[KEY_CODES_MAX];
    const char *name;               /* as it stands in the help: "+ =" */
    const char *word;               /* after `:`, or NULL */
    const char *argument;           /* what may follow the word: "N", or NULL */
    const char *bar_key, *bar_word; /* as it stands in the key bar; NULL: not there */
    int bar_rank;                   /* those of the highest rank go first when room is short */
    const char *help;
    enum key_action action;
    enum control_verb verb; /* CONTROL_NONE: no matter to the engine */
    int64_t number;
};

/** The binding of a key, or NULL. `verbs` has a bit for each verb that is obeyed. */
const struct key_binding *keys_find(uint32_t code, uint32_t verbs);

/** The letter that gives `verb` with `number`, 0 when none does: for hints. */
char keys_letter(enum control_verb verb, int64_t number);

/** The bindings that exist, in the order of the help; NULL after the last. */
const struct key_binding *keys_at(size_t index, uint32_t verbs);

/** The index-th binding whose word begins with `length` letters of `word`, NULL after the last. A word
 *  that is typed in full comes alone. */
const struct key_binding *keys_by_word(const char *word, size_t length, size_t index,
                                       uint32_t verbs);

#endif
