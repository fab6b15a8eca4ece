/**
 * Whatever ends the program, by a crash in our own code or by a signal (Ctrl-\ too), must not leave a
 * terminal without echo, cursor and main screen. Only SIGKILL does.
 *
 * The handler does only what is allowed in one: a prepared write, tcsetattr, and the signal again
 * with its former action, so that a core file or a sanitizer's report still comes. It is one of the
 * few places with globals: a signal handler has nobody to hand it anything.
 *
 * Threads  arm and disarm on the loop thread.
 */
#ifndef SCRAPETOP_UI_CRASH_H
#define SCRAPETOP_UI_CRASH_H

#include "base/str.h"

#include <termios.h>

#define CRASH_RESET_MAX 256

/** Catches SEGV, BUS, FPE, ILL and ABRT on a stack of its own, and every other signal that would end the
 *  process as nobody handles it by now; once in a process. */
void crash_install(void);

/** From now on a crash restores `mode` on `fd` and writes `reset` to it (cut to CRASH_RESET_MAX). */
void crash_arm(int fd, const struct termios *mode, struct str reset);
void crash_disarm(void);

#endif
