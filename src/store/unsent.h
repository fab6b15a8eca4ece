/**
 * Unsent: which of the requests that are marked as being sent (store/ledger.h) have not begun to be.
 *
 * The mark must be durable before the first byte, so it is made before there is a connection; and a process that is
 * killed while it looks up a name or connects leaves the mark of a request that nobody has got. This file says so: an id
 * stands in it from before its mark until just before its first byte. What a killed process wrote is the kernel's, so
 * nothing is synced for it; after another boot its bytes may be older than what went out, and they are not believed.
 *
 *   unsent_put --> mark --> connecting --> unsent_clear --> first byte
 *
 * Format   RUN/unsent: the boot (store/ledger.h), then UNSENT_MAX ids, 64 bits each, as this machine has them; 0: none.
 * Errors   none of its own: a request that finds no place is one that may have been sent, as its mark says.
 * Threads  one at a time; unsent_left before there is another.
 */
#ifndef SCRAPETOP_STORE_UNSENT_H
#define SCRAPETOP_STORE_UNSENT_H

#include "store/run_dir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* with the boot 8 KiB; it takes that many requests that all connect at once */
#define UNSENT_MAX 1023

struct unsent {
    const struct run_dir *dir; /* borrowed */
    int fd;                    /* -1: there is none yet, or none can be had */
    bool is_lost;              /* it could not be made, or written */
    uint64_t ids[UNSENT_MAX];  /* as the file has them */
    size_t from;               /* where a free place is looked for first */
};

/** What an earlier process left, if that was in this boot; how many. */
size_t unsent_left(const struct run_dir *dir, uint64_t boot, uint64_t ids[UNSENT_MAX]);

/** Once their marks are gone: RESULT_IO, RESULT_DENIED ... when what was left cannot be removed. */
MUST_CHECK enum result unsent_forget(const struct run_dir *dir, struct err *err);

/** Borrows the directory. The file is made by the first put. */
void unsent_open(struct unsent *unsent, const struct run_dir *dir);

/** Takes the file away. */
void unsent_close(struct unsent *unsent);

/** A place for it, from 1, which is the request's until it is cleared; 0: there is none. `boot` 0 is not known. */
uint16_t unsent_put(struct unsent *unsent, uint64_t id, uint64_t boot);

/** It begins to be sent, or is over. 0 is ignored. False: that cannot be said, so it must not be sent. */
MUST_CHECK bool unsent_clear(struct unsent *unsent, uint16_t place);

#endif
