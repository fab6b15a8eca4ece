/**
 * A run as lines of text: for pipes, logs, screen readers and braille displays.
 *
 * One progress line at an interval and one line an event, never an escape byte. A reader that has
 * stopped (a full pipe, Ctrl-S) costs lines, never a transfer: what cannot be written now is
 * skipped, events are caught up with later, and what was lost in between is counted in words.
 *
 *     12:03:11 61204/90000 68.0% ok 61192 failed 12 waiting 7 38.2 req/s cap 24 ETA 12-15m limited by CAP
 *     12:03:14 warning: 429 x3 -> host held 30 s
 *
 * Of failures of single requests PLAIN_FAILURES are told at once, and one more each PLAIN_FAILURE_EACH_US: a list of a
 * million dead URLs fills no log. How many were not told is said, and how many events came and went unseen between two
 * updates, both no oftener than there is another line to write.
 *
 * Ownership  plain_free frees; the descriptor stays the caller's and keeps its flags.
 * Units      times come with the snapshots; wall time is shown in the local zone.
 */
#ifndef SCRAPETOP_UI_PLAIN_H
#define SCRAPETOP_UI_PLAIN_H

#include "engine/snapshot.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>

#define PLAIN_NEVER UINT64_MAX
#define PLAIN_LINE_MAX 512
#define PLAIN_FAILURES 20
#define PLAIN_FAILURE_EACH_US (UINT64_C(30) * 1000000)

struct plain;

struct plain_options {
    int fd;               /* usually STDERR_FILENO */
    FILE *stream;         /* instead of it, if not NULL: waits for its reader, and loses nothing */
    uint64_t interval_us; /* between progress lines; 0: it grows with the run; PLAIN_NEVER: none */
    enum event_level least; /* events below this level are not told */
};

MUST_CHECK enum result plain_new(struct plain **plain, const struct plain_options *options,
                                 struct err *err);
void plain_free(struct plain *p);

/** Writes what is due by `s->now_us`: new events at once, the progress line when its time has come.
 *  May be called at any rate. */
void plain_update(struct plain *p, const struct snapshot *s);

/** Writes lines now: the answer to what was typed. */
void plain_say(struct plain *p, struct str lines);

/** Writes what is left to tell at the end: unseen events and one last progress line. */
void plain_finish(struct plain *p, const struct snapshot *s);

/** The progress line without time and line feed. */
void plain_progress(const struct snapshot *s, char line[PLAIN_LINE_MAX]);

#endif
