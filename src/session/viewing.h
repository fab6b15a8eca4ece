/**
 * Viewing: a screen for what another process does: the dashboard or plain lines, keys, signals and the time of frames, on a
 * loop of its own. Where the figures come from is its owner's matter.
 *
 * Ownership  viewing_begin makes what viewing_end releases, whatever the result. The owner's own handles are on `loop`, and
 *            are to be closed when `leaving` is called.
 * Errors     E-LOOP1, E-TTY1, out of memory.
 * Threads    main thread.
 */
#ifndef SCRAPETOP_SESSION_VIEWING_H
#define SCRAPETOP_SESSION_VIEWING_H

#include "base/clock.h"
#include "base/err.h"
#include "engine/control.h"
#include "engine/snapshot.h"
#include "ui/dashboard.h"
#include "ui/plain.h"

#include <uv.h>

#define VIEWING_SIGNALS 5

struct viewing_calls {
    void (*obey)(void *context, const struct control *control);
    void (*frame)(void *context, uint64_t now_us); /* ten a second, before it is drawn */
    void (*continued)(void *context);              /* the process had been stopped; may be NULL */
    void (*leaving)(void *context);                /* once; no other call follows */
};

struct viewing {
    const struct viewing_calls *calls;
    void *context;
    struct clock clock;
    uv_loop_t loop;
    uv_poll_t keys;
    uv_timer_t timer;
    uv_signal_t signals[VIEWING_SIGNALS];
    bool has_loop, keys_open, closing;
    struct dashboard *dashboard; /* NULL: lines */
    struct plain *plain;
    struct snapshot *snapshot; /* the owner fills it, and sets ... */
    bool has_snapshot;
};

/** Room for the snapshot, and the clock; nothing is to be seen yet. */
MUST_CHECK enum result viewing_begin(struct viewing *v, const struct viewing_calls *calls,
                                     void *context, struct err *err);

/** The screen of those verbs; `plain`: lines, even on a terminal. On failure it leaves. */
MUST_CHECK enum result viewing_open(struct viewing *v, bool plain, uint32_t verbs, struct err *err);

/** Frames begin; returns when all has left. */
void viewing_run(struct viewing *v);

void viewing_draw(struct viewing *v);
void viewing_message(struct viewing *v, const char *text);

/** All that is open is closed, the screen first; viewing_run returns when the loop has nothing more. */
void viewing_leave(struct viewing *v);

void viewing_end(struct viewing *v);

#endif
