/**
 * Tells who looks away: the terminal's title, a bell and a notification (OSC 9) for what one would want
 * to be called for. Pure: snapshots in, bytes for the terminal out.
 *
 * Called for: the end, the first 429s, all waiting for more than a minute, a full disk. Each once until
 * it has passed. Nothing from outside reaches the bytes but the run's name, display-safe.
 *
 * Units    microseconds, of the snapshots. Threads: none of its own.
 */
#ifndef SCRAPETOP_UI_NOTIFY_H
#define SCRAPETOP_UI_NOTIFY_H

#include "base/str.h"
#include "engine/snapshot.h"

#define NOTIFY_BYTES_MAX 1024
#define NOTIFY_ALL_WAITING_US UINT64_C(60000000)

struct notify {
    char title[256];           /* the last one set */
    uint64_t waiting_since_us; /* 0: not all wait */
    bool told_end, told_throttled, told_waiting, told_disk;
};

/** What is to be sent now, in `bytes`; often nothing. */
struct str notify_look(struct notify *n, const struct snapshot *s, char bytes[NOTIFY_BYTES_MAX]);

#endif
