/**
 * Which sockets are watched, by descriptor: what libcurl wants to hear of each, and what an idle one that speaks is.
 *
 * A watch begins when libcurl opens a socket or first wants one watched, and ends before anything can close the
 * descriptor and get the same number again. An idle connection of HTTP/1 that has something to read is shut down
 * (watch_hear_idle), so that libcurl does not use it again.
 *
 * Ownership  the watches are this module's, the sockets are the caller's, the set is the caller's.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_FETCH_WATCHES_H
#define SCRAPETOP_FETCH_WATCHES_H

#include "fetch/socket_set.h"

#include <stddef.h>

struct lane;

struct watches {
    struct socket_set *sockets;
    struct watch **by_fd;
    size_t by_fd_count;
    uint32_t begun; /* so far */
};

struct watch {
    struct watches *all;
    struct lane *lane; /* whose multi handle has the socket */
    int fd;
    int wanted;  /* what libcurl wants to hear of: UV_READABLE | UV_WRITABLE, 0 while it idles */
    int polling; /* what is armed */
    bool connection; /* opened through us, so closed through us */
    bool may_talk;   /* while it idles */
    uint32_t serial; /* tells it from an earlier one with this descriptor */
};

/** After the last watch has ended. */
void watches_release(struct watches *watches);

/** NULL when there is none. */
struct watch *watches_at(const struct watches *watches, int fd);

/** NULL without memory. */
struct watch *watches_begin(struct watches *watches, int fd);

void watch_end(struct watch *watch);

/** Watches for these events. A socket that cannot be watched is ended by its transfer's own timeouts. */
void watch_arm(struct watch *watch, int events);

/** It can be read though nobody asked anything. `may_end`: then it is of no use, as it may not speak first. */
void watch_hear_idle(struct watch *watch, bool may_end);

#endif
