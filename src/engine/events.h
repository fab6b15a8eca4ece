/**
 * Events: what happened, for the screen's log and for events.jsonl.
 *
 * A ring of the latest, and each as one JSON object for the log. In the ring a warning
 * that differs from a recent one by its figures only takes that one's place and counts it, so that a
 * host which is held every few seconds does not push everything else out; the file has them all. Texts pass the
 * secrets' redaction before they are kept anywhere.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_EVENTS_H
#define SCRAPETOP_ENGINE_EVENTS_H

#include "base/buf.h"
#include "base/clock.h"
#include "engine/snapshot.h"
#include "job/secret.h"

struct events {
    struct clock clock;
    const struct secrets *secrets;                 /* borrowed, may be NULL */
    void (*write)(void *context, struct str line); /* may be NULL */
    void *context;
    uint64_t serial;                                 /* of the latest */
    uint64_t kept;                                   /* put into the ring so far */
    struct snapshot_event ring[SNAPSHOT_EVENTS_MAX]; /* [kept % MAX] is the oldest */
    struct buf line, text;
};

void events_release(struct events *events);

#define EVENTS_FAILED "failed" /* the kind of what is said of a request that failed for good */

/** `kind` is one word that scripts may match ("cap", "hold", "failed"). `fields` is empty, or further
 *  JSON members with a comma in front (`,"cap":24`). */
void events_add(struct events *events, enum event_level level, const char *kind, const char *fields,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/** The same of one host: `"host"` is the first of its fields. */
void events_add_host(struct events *events, enum event_level level, const char *kind,
                     struct str host, const char *fields, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/** Appends `,"name":"text"` to what is to be `fields`: bytes from outside, without secrets. */
MUST_CHECK enum result events_put_text(struct events *events, struct buf *fields, const char *name,
                                       struct str text);

/** Written down, not shown. `words` (may be NULL) are those for people. */
void events_note(struct events *events, const char *kind, const char *fields, const char *words);

/** The n-th latest, or NULL. */
const struct snapshot_event *events_at(const struct events *events, size_t back);

#endif
