/**
 * The requests that failed last, each with its words, for the screen.
 *
 * The ledger has all of them (`status --failed`, failed.jsonl); these are the latest FAILED_RECENT_MAX, in
 * the order in which they failed. What is asked again is taken out. Those of an earlier session are noted by their
 * ids, and get their words when they are first looked at.
 *
 * Ownership  plain data, part of the engine. Units: microseconds of the engine's clock.
 * Errors     none: a request whose words cannot be made is shown by its number.
 * Threads    loop thread.
 */
#ifndef SCRAPETOP_ENGINE_FAILED_RECENT_H
#define SCRAPETOP_ENGINE_FAILED_RECENT_H

#include "engine/snapshot.h"

#define FAILED_RECENT_MAX SNAPSHOT_FAILED_MAX

struct failed_one {
    uint64_t id, at_us; /* 0: in an earlier session */
    struct failure why;
    char request[SNAPSHOT_REQUEST_TEXT]; /* empty: not made yet */
    char said[SNAPSHOT_SAID_TEXT];
};

struct failed_recent {
    struct failed_one ones[FAILED_RECENT_MAX];
    size_t count, next; /* a ring: the oldest stands at `next` once it is full */
};

/** A new one at its end; the caller fills in the texts, which are empty. */
struct failed_one *failed_recent_add(struct failed_recent *recent, uint64_t id, struct failure why,
                                     uint64_t at_us);

/** Keeps only those for which `has` says so. */
void failed_recent_keep(struct failed_recent *recent, bool (*has)(void *context, uint64_t id),
                        void *context);

/** The index-th latest, from 0; NULL after the oldest. */
struct failed_one *failed_recent_at(struct failed_recent *recent, size_t index);

#endif
