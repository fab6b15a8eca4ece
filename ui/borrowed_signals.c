#include "ui/borrowed_signals.h"

#include <stddef.h>

static const int borrowed[BORROWED_SIGNALS] = { SIGINT, SIGTERM, SIGTSTP, SIGWINCH };

void borrowed_signals_save(struct sigaction actions[BORROWED_SIGNALS])
{
    for (size_t i = 0; i < BORROWED_SIGNALS; i++) {
        sigaction(borrowed[i], NULL, &actions[i]);
    }
}

void borrowed_signals_restore(const struct sigaction actions[BORROWED_SIGNALS])
{
    for (size_t i = 0; i < BORROWED_SIGNALS; i++) {
        sigaction(borrowed[i], &actions[i], NULL);
    }
}
