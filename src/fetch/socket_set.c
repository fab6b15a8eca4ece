#include "fetch/socket_set.h"

#include "base/os.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH 256
#define LOOK_ROUNDS_MAX 64

struct socket_set {
    uv_poll_t poll; /* of `watch` */
    int watch;      /* the sockets as one descriptor, base/os.h */
    struct os_ready events[BATCH];
    int at, count; /* of the batch, what is still to be told */
    bool is_closing;
    socket_set_ready ready;
    void (*closed)(void *context);
    void *context;
};

static uint64_t tag_of(int fd, uint32_t serial)
{
    return (uint64_t)serial << 32 | (uint32_t)fd;
}

/* An error or a hang-up alone is told as 0: the caller knows what it wants. */
static int uv_of(const struct os_ready *ready)
{
    return (ready->can_read ? UV_READABLE : 0) | (ready->can_write ? UV_WRITABLE : 0);
}

static bool next_batch(struct socket_set *set)
{
    int count = os_watch_ready(set->watch, set->events, BATCH);

    set->at = 0;
    set->count = count > 0 ? count : 0; /* EINTR: the loop comes back */
    return set->count > 0;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct socket_set *set = poll->data;
    uint64_t until_ns = uv_hrtime() + SOCKET_SET_TURN_US * 1000;
    bool more = true;

    (void)status;
    (void)events;
    while (set->at < set->count || (more && next_batch(set))) {
        more = set->count == BATCH;
        while (set->at < set->count) {
            const struct os_ready *event = &set->events[set->at++];

            set->ready(set->context, (int)(event->tag & UINT32_MAX), (uint32_t)(event->tag >> 32),
                       uv_of(event));
            if (set->is_closing || uv_hrtime() >= until_ns) {
                return;
            }
        }
    }
}

/* The loop has a table by descriptors, and libuv aborts the process without a word when that cannot grow. So as
 * much memory as it would ask for is asked for first: what has just been given back can be had again. */
static bool loop_has_room(int fd)
{
    size_t places = 8;
    void *volatile room; /* else a compiler may see that it is of no use */

    while (places < (size_t)fd + 3) { /* as libuv reckons: two it keeps for itself */
        places *= 2;
    }
    room = malloc(places * sizeof(void *));
    if (!room) {
        return false;
    }
    free(room);
    return true;
}

enum result socket_set_new(struct socket_set **set, uv_loop_t *loop, socket_set_ready ready,
                           void *context, struct err *err)
{
    struct socket_set *s = calloc(1, sizeof *s);

    if (!s) {
        return err_nomem(err, "setting up the network");
    }
    s->ready = ready;
    s->context = context;
    s->watch = os_watch_open();
    if (s->watch < 0 || !loop_has_room(s->watch) || uv_poll_init(loop, &s->poll, s->watch) != 0) {
        int why = errno;

        if (s->watch >= 0) {
            close(s->watch);
        }
        free(s);
        return err_set_errno(err, why, "E-NET1", "cannot watch sockets");
    }
    s->poll.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_ready);
    *set = s;
    return RESULT_OK;
}

bool socket_set_add(struct socket_set *set, int fd, uint32_t serial, int events)
{
    return os_watch_add(set->watch, fd, tag_of(fd, serial), events & UV_READABLE,
                        events & UV_WRITABLE) == 0;
}

void socket_set_change(struct socket_set *set, int fd, uint32_t serial, int events)
{
    (void)os_watch_change(set->watch, fd, tag_of(fd, serial), events & UV_READABLE,
                          events & UV_WRITABLE); /* fails for none that is in */
}

void socket_set_remove(struct socket_set *set, int fd)
{
    os_watch_stop(set->watch, fd);
}

void socket_set_look(struct socket_set *set, socket_set_ready look)
{
    struct os_ready events[SOCKET_SET_LOOK];
    uint64_t first = 0;
    int count = SOCKET_SET_LOOK;

    for (int round = 0; count == SOCKET_SET_LOOK && round < LOOK_ROUNDS_MAX; round++) {
        count = os_watch_ready(set->watch, events, SOCKET_SET_LOOK);
        for (int i = 0; i < count; i++) {
            if (round && events[i].tag == first) { /* the system goes round, and has been there */
                return;
            }
            look(set->context, (int)(events[i].tag & UINT32_MAX), (uint32_t)(events[i].tag >> 32),
                 uv_of(&events[i]));
        }
        first = round || !count ? first : events[0].tag;
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct socket_set *set = handle->data;
    void (*closed)(void *context) = set->closed;
    void *context = set->context;

    close(set->watch);
    free(set);
    closed(context);
}

void socket_set_close(struct socket_set *set, void (*closed)(void *context))
{
    set->is_closing = true;
    set->closed = closed;
    uv_close((uv_handle_t *)&set->poll, on_closed);
}
