/**
 * "Did you mean": the nearest of the words that there are to one that there is not.
 *
 * Ownership  views into the caller's texts.
 * Threads    no state.
 */
#ifndef SCRAPETOP_JOB_JOB_HINT_H
#define SCRAPETOP_JOB_JOB_HINT_H

#include "base/str.h"

/** ` (did you mean "x"?)` or nothing: the nearest of `count` names. */
#define JOB_HINT_MAX 160
struct job_hint {
    struct str wanted, best;
    unsigned distance;
};
struct job_hint job_hint_for(struct str wanted);
void job_hint_offer(struct job_hint *hint, struct str name);
void job_hint_print(const struct job_hint *hint, char text[JOB_HINT_MAX]);

#endif
