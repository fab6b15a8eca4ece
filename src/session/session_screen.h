/**
 * The screen of a session: the dashboard and its keys, or plain lines and typed words, or neither after a hang-up.
 *
 * Ownership  the session owns the struct; session_screen_release frees what is in it, once the loop has closed the
 *            timer (session_screen_close).
 * Threads    loop thread only. Nothing here waits for the terminal.
 */
#ifndef SCRAPETOP_SESSION_SESSION_SCREEN_H
#define SCRAPETOP_SESSION_SESSION_SCREEN_H

#include "engine/engine.h"
#include "session/session.h"
#include "session/typed.h"
#include "ui/dashboard.h"
#include "ui/plain.h"

#include <uv.h>

struct session_screen {
    uv_loop_t *loop;
    struct engine **engine; /* borrowed; *engine is NULL once it is closed */
    const struct session_options *options;
    struct clock clock;
    /** Carries a key's command out; it may lose the dashboard. */
    void (*obey)(void *context, const struct control *control);
    /** A line that was typed. */
    void (*typed_line)(void *context, struct str line);
    /** Nobody types here any more. */
    void (*typed_end)(void *context);
    /** The dashboard is gone: nobody sees the run from here. */
    void (*lost)(void *context);
    /** How many screens of other terminals look at the run now. */
    unsigned (*attached)(void *context);
    void *context;

    struct dashboard *dashboard; /* one of the two, or none after a hang-up */
    struct plain *plain;
    struct snapshot *snapshot; /* as it was drawn last */
    struct typed typed;        /* words, where there is no dashboard */
    uv_poll_t keys;
    uv_timer_t frame;
    bool keys_open;
};

/** `screen` has all above `dashboard`; the rest is set here. */
void session_screen_init(struct session_screen *screen);

/** A dashboard where there is a terminal and it is wanted, else plain lines. `can_return`: who leaves it may come
 *  back (scrapetop attach). RESULT_NOMEM. */
MUST_CHECK enum result session_screen_open(struct session_screen *screen, bool can_return,
                                           struct err *err);

/** One sentence for the viewer. */
void session_screen_say(struct session_screen *screen, struct str text);

/** The terminal is gone, or no longer ours: `lost` is told, unless it is so already. */
void session_screen_lose(struct session_screen *screen);

/** The terminal has another size. */
void session_screen_resize(struct session_screen *screen);

/** Around a stop of the whole process. */
void session_screen_suspend(struct session_screen *screen);
void session_screen_resume(struct session_screen *screen);

/** The run is over: plain lines get their last one (`is_finished`), the dashboard gives its terminal back. */
void session_screen_end(struct session_screen *screen, bool is_finished);

/** Closes the timer; `screen` must stay until the loop has done so. */
void session_screen_close(struct session_screen *screen);
void session_screen_release(struct session_screen *screen);

#endif
