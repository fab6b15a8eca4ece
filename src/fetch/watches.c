#include "fetch/watches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define IDLE_READS_MAX 64 /* of a connection that nobody asked anything */

void watches_release(struct watches *watches)
{
    free(watches->by_fd);
}

struct watch *watches_at(const struct watches *watches, int fd)
{
    return fd >= 0 && (size_t)fd < watches->by_fd_count ? watches->by_fd[fd] : NULL;
}

struct watch *watches_begin(struct watches *watches, int fd)
{
    struct watch *w;

    if ((size_t)fd >= watches->by_fd_count) {
        size_t count = watches->by_fd_count ? watches->by_fd_count : 64;
        struct watch **by_fd;

        while (count <= (size_t)fd) {
            count *= 2;
        }
        by_fd = realloc(watches->by_fd, count * sizeof(struct watch *));
        if (!by_fd) {
            return NULL;
        }
        memset(by_fd + watches->by_fd_count, 0,
               (count - watches->by_fd_count) * sizeof(struct watch *));
        watches->by_fd = by_fd;
        watches->by_fd_count = count;
    }
    w = calloc(1, sizeof *w);
    if (w) {
        w->all = watches;
        w->fd = fd;
        w->serial = ++watches->begun;
        watches->by_fd[fd] = w;
    }
    return w;
}

void watch_end(struct watch *w)
{
    w->all->by_fd[w->fd] = NULL;
    if (w->polling) {
        socket_set_remove(w->all->sockets, w->fd);
    }
    free(w);
}

/* An idle connection of HTTP/1 has something to read. It is its end, or more than was asked for: the rest
 * of a body that is longer than it was said to be, or an answer that came twice. libcurl before 8.0.0 takes
 * the connection for one as good as any (pull requests 10652 and 10690), and those bytes for the answer to
 * the next request (which RFC 9112 section 6.3 forbids). Emptied and shut down it looks to libcurl as what
 * it is, a dead one; what still comes cannot be taken for an answer, for nothing can be sent on it. */
static void end_idle(int fd)
{
    char unasked[16384];

    shutdown(fd, SHUT_RDWR);
    for (int i = 0; i < IDLE_READS_MAX && recv(fd, unasked, sizeof unasked, MSG_DONTWAIT) > 0;
         i++) {
    }
}

/* An event may be older than what it tells of: libcurl has read that already, by a timer's call. */
static bool has_nothing(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

void watch_hear_idle(struct watch *w, bool may_end)
{
    if (may_end && has_nothing(w->fd)) {
        return;
    }
    /* Until it is used again nobody reads, so watching on would spin. */
    socket_set_remove(w->all->sockets, w->fd);
    w->polling = 0;
    if (may_end) {
        end_idle(w->fd);
    }
}

void watch_arm(struct watch *w, int events)
{
    if (w->polling) {
        socket_set_change(w->all->sockets, w->fd, w->serial, events);
    } else if (!socket_set_add(w->all->sockets, w->fd, w->serial, events)) {
        return;
    }
    w->polling = events;
}
