/**
 * Socket set: tells which of many sockets can be read or written, a few milliseconds' worth at a time.
 *
 * libuv's own polling takes up to 48 batches of 1024 events before it looks at timers again. With thousands
 * of connections and work to do for each event that is seconds, in which no key is answered and no screen is
 * drawn. So the sockets are in an epoll instance of their own, which the loop sees as one descriptor: each
 * turn of the loop handles what fits into SOCKET_SET_TURN_US, and the rest has its turn after timers and keys.
 *
 * Level-triggered: a socket is told of again until there is nothing to tell. An error or a hang-up is told as
 * what is wanted of the socket: a read or write then finds out.
 *
 * Ownership  the sockets are the caller's, which takes them out before it closes them.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_FETCH_SOCKET_SET_H
#define SCRAPETOP_FETCH_SOCKET_SET_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define SOCKET_SET_TURN_US UINT64_C(5000)
#define SOCKET_SET_LOOK 64 /* at once */

struct socket_set;

/** `serial` is the one that the socket was last watched with: the number of a descriptor may be used again,
 *  and then this is an old event. `events`: UV_READABLE | UV_WRITABLE; 0 for an error while nothing is wanted. */
typedef void (*socket_set_ready)(void *context, int fd, uint32_t serial, int events);

MUST_CHECK enum result socket_set_new(struct socket_set **set, uv_loop_t *loop,
                                      socket_set_ready ready, void *context, struct err *err);

/** Puts the socket in, with what is wanted of it. False: it could not be (memory, the kernel's limit of
 *  watched descriptors). */
MUST_CHECK bool socket_set_add(struct socket_set *set, int fd, uint32_t serial, int events);

/** Wants something else of one that is in. */
void socket_set_change(struct socket_set *set, int fd, uint32_t serial, int events);

/** Takes it out. */
void socket_set_remove(struct socket_set *set, int fd);

/** Tells `look` of those that are ready now, of each once or more often. `ready` is told of them all the same. */
void socket_set_look(struct socket_set *set, socket_set_ready look);

/** Within `ready` too. The set is freed after `closed`, which comes on the loop. */
void socket_set_close(struct socket_set *set, void (*closed)(void *context));

#endif
