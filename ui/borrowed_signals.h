/**
 * Signals that ncurses takes over when nobody handles them. Ours are the caller's business, so its handlers are
 * replaced by what was there before.
 *
 * Threads  as sigaction: of the process.
 */
#ifndef SCRAPETOP_UI_BORROWED_SIGNALS_H
#define SCRAPETOP_UI_BORROWED_SIGNALS_H

#include <signal.h>

#define BORROWED_SIGNALS 4

void borrowed_signals_save(struct sigaction actions[BORROWED_SIGNALS]);
void borrowed_signals_restore(const struct sigaction actions[BORROWED_SIGNALS]);

#endif
