/**
 * The story of a run, read from its events.jsonl: how fast it was and how many it had in flight, moment by moment, what
 * was done to it, and what was told.
 *
 * Time is that in which sessions ran: between two sessions none passes. Lines that are damaged or unknown are passed
 * over.
 *
 * Ownership  run_story_release frees the lists.
 * Units      seconds of the sessions' time; microseconds of the wall clock.
 * Errors     RESULT_NOMEM, and those of event_log_read.
 * Threads    none of its own.
 */
#ifndef SCRAPETOP_HISTORY_RUN_STORY_H
#define SCRAPETOP_HISTORY_RUN_STORY_H

#include "engine/sample.h"
#include "store/run_dir.h"

#include <stdbool.h>

#define STORY_MARKS_MAX 400
#define STORY_LINES_MAX 60 /* the latest */
#define STORY_DRIFTS_MAX 20

struct story_point {
    double t_s;
    bool begins; /* the first of its session: nothing grows towards it */
    struct sample sample;
};

enum story_kind {
    STORY_CAP,
    STORY_HOLD,  /* for `held_s` */
    STORY_RULE,  /* a rule by event has fired */
    STORY_PAUSE, /* paused, resumed, draining */
    STORY_NOTE,
    STORY_ERROR,
    STORY_SESSION, /* another began */
    STORY_KINDS,
};

struct story_mark {
    enum story_kind kind;
    double t_s, held_s;
    char text[200]; /* bytes from outside */
};

struct story_line {
    int64_t wall_us;
    enum event_level level;
    char text[SNAPSHOT_EVENT_TEXT]; /* likewise */
};

struct run_story {
    struct story_point *points;
    size_t point_count, point_allocated;
    struct story_mark *marks; /* STORY_MARKS_MAX of each kind at most */
    size_t mark_count, mark_allocated;
    size_t left_out[STORY_KINDS];
    struct story_line lines[STORY_LINES_MAX]; /* a ring: [line_count % MAX] is the oldest */
    size_t line_count;
    struct story_line drifts[STORY_DRIFTS_MAX]; /* what was told of tables' columns */
    size_t drift_count;
    size_t sessions;
    bool is_cut; /* the beginning is no longer kept */
    double ran_s;
    int64_t first_us, last_us; /* 0: there is nothing */
    uint64_t kinds[STORY_KINDS];

    int64_t session_us; /* while it is read */
    double before_s;
    bool session_begins;
};

MUST_CHECK enum result run_story_read(struct run_story *story, const struct run_dir *dir,
                                      struct err *err);
void run_story_release(struct run_story *story);

#endif
