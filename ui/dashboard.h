/**
 * The dashboard: keys in, commands out; snapshots in, a picture out.
 *
 * It knows a run only by `struct snapshot` and steers it only by `struct control`. The caller owns
 * the loop: it watches dashboard_fd, calls dashboard_draw from a timer of at most ten a second, and
 * carries commands to the engine and their replies back to dashboard_message.
 *
 *     fd readable      dashboard_input   -> commands for engine_control
 *                      (watched only while dashboard_wants_read)
 *     fd writable      dashboard_flush
 *                      (watched only while dashboard_wants_write)
 *     every 100 ms     dashboard_draw
 *     SIGWINCH         dashboard_resize
 *     SIGTSTP          dashboard_suspend, then stop; on SIGCONT dashboard_resume
 *     SIGINT, SIGTERM  dashboard_quit    -> the command for the first, and for the second time
 *     SIGHUP, or dashboard_gone         -> dashboard_free, and go on without
 *
 * Nothing here blocks, and nothing here can fail once it is open: see ui/terminal.h for what
 * happens when the terminal stalls or goes away.
 *
 * Ownership  dashboard_free gives the terminal back.
 * Units      microseconds, of the snapshots' monotonic clock.
 * Errors     only dashboard_new fails, as terminal_new does: RESULT_NOT_FOUND means "go plain".
 * Threads    loop thread only, at most one at a time.
 */
#ifndef SCRAPETOP_UI_DASHBOARD_H
#define SCRAPETOP_UI_DASHBOARD_H

#include "engine/control.h"
#include "engine/snapshot.h"

#include "base/err.h"

#include "ui/background.h"

struct dashboard;

#define DASHBOARD_VERB(verb) (UINT32_C(1) << (verb))

struct dashboard_options {
    const char *device; /* NULL: "/dev/tty" */
    const char *type;   /* the terminal's type, as TERM names it */
    uint32_t verbs; /* DASHBOARD_VERB of all that the engine obeys; keys of others do not exist */
    bool colour;
    enum background forced;    /* AUTO: as the user's settings say, else as the terminal tells */
    enum background guess;     /* where the terminal tells nothing */
    bool ascii;                /* draw with ASCII only */
    const char *settings_path; /* where the user's settings are kept; NULL or "": nowhere */
    bool can_return;           /* after CONTROL_DETACH somebody may attach to the run */
    bool notify; /* terminal title, bell and notifications, whatever the settings say */
};

/** TERM, NO_COLOR, SCRAPETOP_BACKGROUND, COLORFGBG and the character set of LC_CTYPE; `verbs` is left empty. */
struct dashboard_options dashboard_options_environment(void);

MUST_CHECK enum result dashboard_new(struct dashboard **dashboard,
                                     const struct dashboard_options *options, struct err *err);
void dashboard_free(struct dashboard *d);

int dashboard_fd(const struct dashboard *d);

/** Reads keys and fills `out` with the commands they mean, at most `max`; returns how many. When it
 *  returns `max` there may be more: call again. Most keys change the screen only, so draw after it
 *  even when it returns 0. */
size_t dashboard_input(struct dashboard *d, uint64_t now_us, struct control *out, size_t max);

/** Shows `s`; costs next to nothing when no cell changed or the last frame is still pending. */
void dashboard_draw(struct dashboard *d, const struct snapshot *s);

/** A sentence for the message line (a reply of the engine), shown for some seconds. */
void dashboard_message(struct dashboard *d, const char *text);

/** The next step of ending: CONTROL_DRAIN the first time, CONTROL_ABORT after that or when the run
 *  is draining already. The key `q` goes the same way, so the two can be mixed. */
struct control dashboard_quit(struct dashboard *d);

/** False while suspended or gone: the terminal's bytes are then somebody else's. */
bool dashboard_wants_read(const struct dashboard *d);
bool dashboard_wants_write(const struct dashboard *d);
void dashboard_flush(struct dashboard *d);

void dashboard_resize(struct dashboard *d);
void dashboard_suspend(struct dashboard *d);
void dashboard_resume(struct dashboard *d);

/** The terminal hung up; nothing will be shown or read any more. */
bool dashboard_gone(const struct dashboard *d);

#endif
