/**
 * Lines that a user types into the terminal while no dashboard has it.
 *
 * The terminal is opened anew, so that the shell's own descriptors keep their flags. It is only read
 * while we are its foreground job: else what is typed is for somebody else, and reading would stop us.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_SESSION_TYPED_H
#define SCRAPETOP_SESSION_TYPED_H

#include "base/str.h"

#include <stdbool.h>
#include <uv.h>

#define TYPED_LINE_MAX 256

struct typed {
    uv_poll_t poll;
    int fd;
    bool open;
    char line[TYPED_LINE_MAX];
    size_t length;
    bool too_long; /* the line in the making is passed over to its end */
    void (*on_line)(void *context, struct str line);
    void (*on_end)(void *context);
    void *context;
};

/** Reads stdin's terminal. False when stdin is none: nothing is read then. `on_end` is told once the user has ended his
 *  input (Ctrl-D), or the terminal hung up; not by typed_close. */
bool typed_open(struct typed *t, uv_loop_t *loop, void (*on_line)(void *context, struct str line),
                void (*on_end)(void *context), void *context);

/** To be called now and then: looks again whether the terminal is ours. */
void typed_look(struct typed *t);

/** Harmless when it is not open. The handle is closed with the loop's next turn. */
void typed_close(struct typed *t);

#endif
