/**
 * The terminal a dashboard is shown on: opened, drawn to, read from and given back.
 *
 * ncurses turns a canvas into as few bytes as it can, but it never touches the terminal: it writes
 * into memory, and those bytes go to a non-blocking descriptor from here. While some are still
 * pending no further frame is made, so a stopped (Ctrl-S), slow or dead terminal costs one frame of
 * memory and not one transfer. The descriptor is opened anew, so the shell's own stdin and stdout
 * keep their flags.
 *
 * Signals stay the caller's: Ctrl-C and Ctrl-Z arrive as SIGINT and SIGTSTP (ISIG is left on), and
 * the handlers that ncurses would install are put back at once.
 *
 * Ownership  terminal_free gives the terminal back as it was found.
 * Errors     only terminal_new fails: RESULT_NOT_FOUND (no terminal, or TERM unknown or too dumb:
 *            show plain lines instead), RESULT_IO, RESULT_NOMEM. A terminal that goes away later is
 *            no error but terminal_gone().
 * Threads    loop thread only; at most one terminal in a process, as ncurses keeps globals.
 */
#ifndef SCRAPETOP_UI_TERMINAL_H
#define SCRAPETOP_UI_TERMINAL_H

#include "base/err.h"
#include "ui/draw.h"
#include "ui/theme.h"

#include <stdbool.h>
#include <stddef.h>

struct terminal;

struct terminal_options {
    const char *device; /* "/dev/tty" */
    const char *type;   /* what TERM says; NULL or "" counts as dumb */
    bool colour;        /* false: attributes only (NO_COLOR) */
    bool asks;          /* the terminal for its background's colour, whenever it is taken */
};

MUST_CHECK enum result terminal_new(struct terminal **terminal,
                                    const struct terminal_options *options, struct err *err);
void terminal_free(struct terminal *t);

/** To be watched for reading, and for writing while terminal_wants_write. Non-blocking. */
int terminal_fd(const struct terminal *t);

int terminal_rows(const struct terminal *t);
int terminal_columns(const struct terminal *t);

/** Asks the size anew, after SIGWINCH; true when it changed. */
bool terminal_resize(struct terminal *t);

/** What was typed, as bytes; 0 when there is nothing more now (or ever: see terminal_gone). */
size_t terminal_read(struct terminal *t, char *bytes, size_t size);

/** Shows what of `canvas` differs from the picture before; false when the frame was dropped because
 *  bytes are pending, the terminal is suspended, or we are in the background. */
bool terminal_show(struct terminal *t, const struct canvas *canvas);

/** The next terminal_show paints every cell (Ctrl-L). */
void terminal_repaint(struct terminal *t);

/** What all is painted in from the next terminal_show on; `light`: on a light background. */
void terminal_set_theme(struct terminal *t, enum theme theme, bool light);

/** Whether an answer to the question for the background may still come in what is read; the caller says when
 *  the last has come. */
bool terminal_is_asked(const struct terminal *t);
void terminal_was_answered(struct terminal *t);

/** The type that stands in for one that is not known here, as those of kitty and foot often are over ssh; NULL
 *  when it is known. */
const char *terminal_stand_in(const struct terminal *t);

/** Clicks and the wheel come as input, and the terminal no longer selects text by them; or not. */
void terminal_set_mouse(struct terminal *t, bool on);

/** Bytes of ours for the terminal besides the picture: a title, the clipboard, a bell. They must hold
 *  nothing from outside that is not encoded. Dropped while suspended, gone, or pending. */
void terminal_send(struct terminal *t, struct str bytes);

/** False while suspended or gone. */
bool terminal_wants_read(const struct terminal *t);

bool terminal_wants_write(const struct terminal *t);

/** Hands over as many pending bytes as the terminal takes now. */
void terminal_flush(struct terminal *t);

/** The terminal hung up: nothing can be read or written any more. */
bool terminal_gone(const struct terminal *t);

/** Gives the terminal back for a while, and takes it again (SIGTSTP, SIGCONT). Taken only when we
 *  are in the foreground; until then frames are dropped and terminal_show tries again. */
void terminal_suspend(struct terminal *t);
void terminal_resume(struct terminal *t);

/** Bytes to leave on the ordinary screen once the terminal was given back by terminal_free; copied,
 *  cut to a few screens. They must be display-safe. */
void terminal_leave(struct terminal *t, struct str text);

#endif
