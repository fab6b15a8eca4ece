#include "session/typed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static bool is_ours(const struct typed *t)
{
    return tcgetpgrp(t->fd) == getpgrp();
}

static void on_closed(uv_handle_t *handle)
{
    (void)handle;
}

void typed_close(struct typed *t)
{
    if (!t->open) {
        return;
    }
    t->open = false;
    uv_poll_stop(&t->poll);
    uv_close((uv_handle_t *)&t->poll, on_closed);
    close(t->fd);
}

static void take(struct typed *t, char byte)
{
    if (byte != '\n') {
        if (t->length < sizeof t->line) {
            t->line[t->length++] = byte;
        } else {
            t->too_long = true; /* no command of ours: rather none than its beginning */
        }
        return;
    }
    if (!t->too_long) {
        t->on_line(t->context, (struct str){ t->line, t->length });
    }
    t->length = 0;
    t->too_long = false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct typed *t = poll->data;
    char bytes[TYPED_LINE_MAX];
    ssize_t count;

    (void)events;
    if (status == 0 && !is_ours(t)) {
        uv_poll_stop(poll); /* it would be readable all the time; typed_look begins again */
        return;
    }
    count = status == 0 ? read(t->fd, bytes, sizeof bytes) : 0;
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count <= 0) {
        typed_close(t); /* Ctrl-D, or the terminal hung up */
        t->on_end(t->context);
        return;
    }
    for (ssize_t i = 0; i < count && t->open; i++) {
        take(t, bytes[i]);
    }
}

void typed_look(struct typed *t)
{
    if (t->open && is_ours(t)) {
        uv_poll_start(&t->poll, UV_READABLE, on_readable);
    }
}

bool typed_open(struct typed *t, uv_loop_t *loop, void (*on_line)(void *context, struct str line),
                void (*on_end)(void *context), void *context)
{
    char name[256];

    *t = (struct typed){ .fd = -1, .on_line = on_line, .on_end = on_end, .context = context };
    if (ttyname_r(STDIN_FILENO, name, sizeof name) != 0) {
        return false;
    }
    t->fd = open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0) {
        return false;
    }
    if (uv_poll_init(loop, &t->poll, t->fd) != 0) {
        close(t->fd);
        return false;
    }
    /* Should the terminal be taken from us between the look and the read, that must not stop us. */
    signal(SIGTTIN, SIG_IGN);
    t->poll.data = t;
    t->open = true;
    typed_look(t);
    return true;
}
