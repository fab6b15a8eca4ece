/**
 * What a run answers to the clients of its control socket. All are called on the loop.
 */
#ifndef SCRAPETOP_CONTROL_CONTROL_CALLS_H
#define SCRAPETOP_CONTROL_CONTROL_CALLS_H

#include "base/buf.h"
#include "engine/snapshot.h"

#include <stdbool.h>

#define CONTROL_WHO_MAX 48 /* the name that a client gives itself, with its NUL */
/* Bytes: the longest line that a client reads; a larger report is not sent. */
#define CONTROL_LINE_MAX ((size_t)4 << 20)
#define CONTROL_REPORT_MAX ((size_t)3 << 20)

struct control_calls {
    void (*look)(void *context, struct snapshot *s);
    /** One request looked at closely; it does not change what others see. */
    void (*detail)(void *context, uint64_t id, struct snapshot_detail *detail);
    /** Obeys typed words (ui/words.h); whole lines are appended to `reply`. False: refused, or no such words. */
    bool (*obey)(void *context, struct str words, const char *who, struct buf *reply);
    /** Appends the report as one JSON object. */
    void (*report)(void *context, struct buf *json);
    /** How many drivers see frames now. */
    void (*watched)(void *context, unsigned drivers);
};

#endif
