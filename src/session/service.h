/**
 * What a service manager is told: systemd's notification protocol, without its library.
 *
 *   READY=1      once the run is under way     STATUS=...   how far it is
 *   WATCHDOG=1   from the loop, half as often as asked      STOPPING=1   while it drains
 *   EXTEND_TIMEOUT_USEC=...   while the last things are done
 *
 * Without NOTIFY_SOCKET nothing is sent. A datagram that cannot be sent is lost: nothing waits for it.
 *
 * Sources  sd_notify(3): the socket's path or, with `@`, an abstract name; WATCHDOG_USEC and WATCHDOG_PID.
 * Threads  one at a time.
 */
#ifndef SCRAPETOP_SESSION_SERVICE_H
#define SCRAPETOP_SESSION_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct service {
    int fd; /* -1: nobody asks */
    bool is_stopping;
    uint64_t watchdog_us; /* how often it must be told that all is well; 0: never */
    uint64_t told_us, alive_us, extended_us; /* when each was last sent */
};

/** Reads the environment. */
void service_open(struct service *s);
void service_close(struct service *s);

/** The run is under way. */
void service_ready(struct service *s);

/** Once a second or so: `status` is one line, sent every five seconds. */
void service_tick(struct service *s, uint64_t now_us, const char *status);

/** While all ends, as often as one likes: that it is not stuck, and goes on for some seconds yet. */
void service_still_ending(struct service *s, uint64_t now_us);

/** It will end after `us` at most; sent once. */
void service_stopping(struct service *s, uint64_t us);

#endif
