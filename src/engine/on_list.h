/**
 * The rules by event that a run has (job/on_rule.h): those of its job, and those that somebody has added to this
 * session. Each has a number that stays with it.
 *
 * Ownership  the engine owns the list; on_list_release frees it.
 * Errors     E-ON1, E-ON2.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_ON_LIST_H
#define SCRAPETOP_ENGINE_ON_LIST_H

#include "base/err.h"
#include "base/str.h"
#include "engine/control.h"
#include "plan/on_state.h"

struct engine;

struct on_watched {
    unsigned number; /* from 1, "on-rule 1" */
    bool is_added;   /* in this session alone */
    struct on_rule rule;
    struct on_counts counts;
    struct on_state state;
    char value[UNITS_TEXT_MAX]; /* the last that was looked at, for people; empty: not known */
};

struct on_list {
    struct on_watched *list;
    size_t count;
    unsigned last_number;
    bool can_return;       /* somebody can come back to a run that is paused */
    uint64_t due_us;       /* when they are looked at next */
    uint64_t answered_us;  /* the last answer; 0: none yet */
    uint64_t paused_at_us; /* 0: it is not paused */
    uint64_t rested_us;    /* of the time since the last answer, in pauses that are over */
};

/** Takes those of the job. */
MUST_CHECK enum result on_list_init(struct engine *engine, struct err *err);
void on_list_release(struct engine *engine);

/** Somebody adds "WHEN: DO" to this session, or takes one away. The reply says what has become of that; false: nothing. */
bool on_list_add(struct engine *engine, struct str line, char reply[CONTROL_REPLY_MAX]);
bool on_list_remove(struct engine *engine, uint64_t number, char reply[CONTROL_REPLY_MAX]);

#endif
