/**
 * Same answer: notices when every request gets the same refusal.
 *
 * A login page for every URL, a 403 for each of ten thousand: asking the rest is useless and rude. Requests are
 * counted once each, by their first try, and only refusals that are no accident and are not about a single
 * item: a status of 4xx other than 404, 410 and what is tried again anyway, a body of a wrong type, one
 * that is no JSON or of an unknown encoding, an answer that is no HTTP, a redirect that is not followed
 * (as those that go in a circle are not). A good answer ends the row, another refusal begins a new
 * one, all else (5xx, timeouts,
 * what a rule says) says nothing.
 *
 *   SAME_ANSWER_TELL_AT in a row: it is told, asked one at a time from now on, and nothing is tried again
 *   SAME_ANSWER_STOP_AT in a row: the run stops
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_SAME_ANSWER_H
#define SCRAPETOP_PLAN_SAME_ANSWER_H

#include "plan/failure.h"

#include <stdbool.h>

#define SAME_ANSWER_TELL_AT 20
#define SAME_ANSWER_STOP_AT 100

/** Zeroed: nothing was answered. */
struct same_answer {
    struct failure failure; /* of those in a row */
    unsigned count;
    bool is_told;
};

enum same_answer_word {
    SAME_ANSWER_SILENT,
    SAME_ANSWER_TELL,
    SAME_ANSWER_STOP,
};

/** An answer. `is_first_try`: of its request. `is_retried`: its status is one that is tried again, and so is
 *  no refusal. A failure of FAILURE_NONE is a good answer. */
enum same_answer_word same_answer_note(struct same_answer *same, struct failure failure,
                                       bool is_first_try, bool is_retried);

/** It has been told, and nothing else has come since: ask one at a time. */
bool same_answer_is_slow(const struct same_answer *same);

/** This failure comes for every request: a retry is useless. */
bool same_answer_is(const struct same_answer *same, struct failure failure);

#endif
