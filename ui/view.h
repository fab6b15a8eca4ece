/**
 * What the user has made of the screen: focus, scrolling, filters, prompt, freeze. And what his keys
 * do to it, or ask of the engine.
 *
 * It knows no terminal and no drawing, so that keys are tested as data. What needs the terminal or a
 * file (the clipboard, a saved picture) it only asks for, by the flags of `wants`.
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
#include "ui/keys.h"
#include "ui/list.h"
#include "ui/panel.h"
#include "ui/settings.h"

#define VIEW_MESSAGE_US UINT64_C(5000000)
#define VIEW_PROMPT_MAX 96

enum view_prompt {
    PROMPT_NONE,
    PROMPT_CAP,
    PROMPT_RATE,
    PROMPT_SWEEP,
    PROMPT_MARK,
    PROMPT_FILTER,
    PROMPT_SORT,
    PROMPT_COMMAND,
    PROMPT_HELP,     /* searches the help */
    PROMPT_QUESTION, /* y, or not */
};

/** Commands for the engine that wait to be handed out one by one, or for a yes: each names a request,
 *  or a class of failures. */
struct view_orders {
    enum control_verb verb;
    uint64_t numbers[LIST_ROWS_MAX];
    char classes[SNAPSHOT_FAILURES_MAX][FAILURE_TEXT_MAX]; /* of CONTROL_RETRY_FAILED */
    char filter[LIST_FILTER_MAX];                          /* of CONTROL_RETRY_WAITING */
    char worker[CONTROL_TEXT_MAX];                         /* of CONTROL_VISIT */
    size_t count, at;
};

enum view_export { EXPORT_NONE, EXPORT_CSV, EXPORT_JSON };

struct view {
    uint32_t verbs; /* a bit for each control_verb the engine obeys */
    struct settings settings;
    enum background told;   /* by the terminal, or its environment; AUTO: nothing */
    enum background forced; /* by SCRAPETOP_BACKGROUND, until a key says another; AUTO: not */

    enum panel_id focus;
    bool zoomed;
    struct list lists[PANEL_COUNT]; /* of panels with a source */
    struct rect rects[PANEL_COUNT]; /* where they are */
    struct rect bar;                /* and the last line */
    bool detail_has_room;           /* beside the others */
    uint64_t detail_id;             /* the request that is looked at; 0: none */
    enum panel_id detail_from;      /* where the eye was before */
    bool detail_from_zoomed;

    bool help;
    size_t help_row, help_top;
    char help_filter[LIST_FILTER_MAX];

    uint64_t idle_since_us; /* nothing is in flight, and something waits; 0: not so */
    bool frozen;
    uint64_t frozen_at_us;

    enum view_prompt prompt;
    char prompt_text[VIEW_PROMPT_MAX];
    char filter_before[LIST_FILTER_MAX]; /* Esc in the prompt puts it back */
    char question[VIEW_PROMPT_MAX];
    struct view_orders orders;

    char message[CONTROL_REPLY_MAX];
    uint64_t message_until_us;

    bool can_return; /* the run can be come back to: `scrapetop attach` */
    bool quitting;   /* a drain was asked for */
    bool leave;      /* the last picture stays in the scrollback */

    struct { /* asked for by key; who does it takes it back */
        bool repaint, copy, save_picture, save_settings;
        enum view_export export;
    } wants;

    uint32_t repeated_key; /* for the larger steps of + and - */
    unsigned repeats;
    uint64_t repeated_us;
};

void view_init(struct view *v, uint32_t verbs);

/** The settings have been read: sorts the panels as they say. And before they are kept: notes in them how
 *  the panels are sorted now. */
void view_take_sorts(struct view *v);
void view_note_sorts(struct view *v);

/** What the picture is painted for. */
bool view_is_light(const struct view *v);

/** What a key does. True when it is a matter for the engine: `out` is then the command. `s` is the
 *  snapshot that is on screen. */
bool view_key(struct view *v, const struct snapshot *s, struct input_key key, uint64_t now_us,
              struct control *out);

/** A key may mean several commands: the next one, until it says false. */
bool view_next(struct view *v, struct control *out);

/** The next step of ending a run. */
struct control view_quit(struct view *v, const struct snapshot *s);

void view_message(struct view *v, uint64_t now_us, const char *text);

/** The list of the focused panel, or NULL. */
struct list *view_list(struct view *v);

/** How many bindings the help shows, filtered; and the index-th of them, NULL after the last. */
size_t view_help_count(const struct view *v);
const struct key_binding *view_help_at(const struct view *v, size_t index);

/* Each of these files may call those below it:
 *
 *   view.c --> prompt.c --> view_act.c --> view_rows.c, view_settings.c --> view_state.c */

/* prompt.c */

bool prompt_key(struct view *v, const struct snapshot *s, struct input_key key, uint64_t now_us,
                struct control *out);

/* view_act.c: what a binding does, by key, typed or clicked */

bool view_act(struct view *v, const struct snapshot *s, const struct key_binding *binding,
              uint32_t code, uint64_t now_us, struct control *out);
void view_export(struct view *v, const char *form, uint64_t now_us);
void view_focus(struct view *v, enum panel_id panel);

/* view_rows.c: what is dangerous asks first */

bool view_hold_row(struct view *v, const struct snapshot *s, uint64_t now_us, struct control *out);
void view_act_on_rows(struct view *v, const struct snapshot *s, enum control_verb verb,
                      uint64_t now_us);
void view_retry_failed(struct view *v, const struct snapshot *s, uint64_t now_us);
void view_retry_waiting(struct view *v, const struct snapshot *s, uint64_t now_us);
void view_ask_detach(struct view *v);
void view_ask_drain(struct view *v);

/* view_settings.c */

void view_act_on_settings(struct view *v, enum key_action action, uint64_t now_us);

/* view_state.c: see also view_message, view_list, view_is_light */

/** Begins a list of commands, and adds one that names a request. */
void view_order(struct view *v, enum control_verb verb);
void view_order_number(struct view *v, uint64_t number);

void prompt_open(struct view *v, enum view_prompt prompt);

/** Asks whether the orders shall be carried out. */
void prompt_ask(struct view *v, const char *question);

#endif
