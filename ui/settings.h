/**
 * What a user keeps from one session to the next: colours, background, sorting, mouse, notifications.
 *
 * A text file of `name = value` lines at $XDG_CONFIG_HOME/scrapetop/config (or under ~/.config). A line
 * that is not understood is passed over, since an older program may read a newer one's file; it is
 * written beside and renamed, so that it is whole or the one before.
 *
 * Errors   settings_save: RESULT_IO or RESULT_NOT_FOUND with a sentence; loading has no errors, what
 *          cannot be read is the default.
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_SETTINGS_H
#define SCRAPETOP_UI_SETTINGS_H

#include "base/err.h"
#include "ui/background.h"
#include "ui/theme.h"

#include <stddef.h>

#define SETTINGS_PATH_MAX 1024

#define SETTINGS_SORTS_MAX 16
#define SETTINGS_WORD_MAX 24

/** The column that a panel is sorted by, both by their names. */
struct settings_sort {
    char panel[SETTINGS_WORD_MAX], column[SETTINGS_WORD_MAX];
    bool inverted;
};

struct settings {
    enum theme theme;
    enum background background; /* AUTO: as the terminal tells */
    bool mouse;
    bool notify; /* terminal title, bell and notifications */
    struct settings_sort sorts[SETTINGS_SORTS_MAX];
    size_t sort_count;
};

/** Where the file is; empty when the environment names no home. */
void settings_path(char path[SETTINGS_PATH_MAX]);

void settings_load(struct settings *settings, const char *path);
MUST_CHECK enum result settings_save(const struct settings *settings, const char *path,
                                     struct err *err);

#endif
