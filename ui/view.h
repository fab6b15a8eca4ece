/**
 * What the user has made of the screen: focus, scrolling, filters, prompt, freeze. And what his keys
 * do to it, or ask of the engine.
 *
 * It knows no terminal and no drawing, so that keys are tested as data.
 *
 * Ownership  plain data; the snapshot is borrowed for the call.
 * Units      microseconds, of the snapshots' monotonic clock.
 * Threads    none of its own.
 */
#ifndef SCRAPETOP_UI_VIEW_H
#define SCRAPETOP_UI_VIEW_H

#include "engine/control.h"
#include "engine/snapshot.h"

#include "ui/input.h"
#include "ui/list.h"
#include "ui/panel.h"

#define VIEW_MESSAGE_US UINT64_C(5000000)
#define VIEW_PROMPT_MAX 96

enum view_prompt {
    PROMPT_NONE,
    PROMPT_CAP,
    PROMPT_RATE,
    PROMPT_MARK,
    PROMPT_FILTER,
};

struct view {
    uint32_t verbs; /* a bit for each control_verb the engine obeys */

    enum panel_id focus;
    bool zoomed;
    struct list lists[PANEL_COUNT]; /* of panels with a source */

    bool help;
    size_t help_top;

    bool frozen;
    uint64_t frozen_at_us;

    enum view_prompt prompt;
    char prompt_text[VIEW_PROMPT_MAX];
    char filter_before[LIST_FILTER_MAX]; /* Esc in the prompt puts it back */

    char message[CONTROL_REPLY_MAX];
    uint64_t message_until_us;

    bool quitting; /* a drain was asked for */
    bool leave;    /* the last picture stays in the scrollback */
    bool repaint;  /* asked for by key; who draws takes it back */

    uint32_t repeated_key; /* for the larger steps of + and - */
    unsigned repeats;
    uint64_t repeated_us;
};

void view_init(struct view *v, uint32_t verbs);

/** What a key does. True when it is a matter for the engine: `out` is then the command. `s` is the
 *  snapshot that is on screen. */
bool view_key(struct view *v, const struct snapshot *s, struct input_key key, uint64_t now_us,
              struct control *out);

/** The next step of ending a run. */
struct control view_quit(struct view *v, const struct snapshot *s);

void view_message(struct view *v, uint64_t now_us, const char *text);

#endif
