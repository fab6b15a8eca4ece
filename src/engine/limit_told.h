/**
 * What a run last wrote down of its limit and its cap: for programs that look at a live run from outside.
 *
 * A run writes a "limit" line when another limit has stood for a second, and a "sample" line every
 * second in its first minute, every ten later: what is found here is at most that old, and says when it
 * was true. A cap that is changed is a line at once.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_ENGINE_LIMIT_TOLD_H
#define SCRAPETOP_ENGINE_LIMIT_TOLD_H

#include "base/clock.h"
#include "base/str.h"
#include "engine/snapshot.h"

#include <stdbool.h>

/* bytes of events.jsonl that surely hold one: every retry is a line */
#define LIMIT_TOLD_TAIL (4 << 20)

struct limit_told {
    enum run_limit limit;
    char words
        [LIMIT_TEXT_MAX]; /* "CAP 10 (+ raises it)"; the bare word when nothing more is known */
    char at[CLOCK_TEXT_SIZE];
    bool has_cap;       /* this session has told it */
    unsigned cap;       /* as it was set last */
    unsigned in_flight; /* of the last sample */
};

/** Reads the end of events.jsonl; its first line may be torn. False when this session has told no limit
 *  yet. */
bool limit_told_find(struct str lines, struct limit_told *told);

#endif
