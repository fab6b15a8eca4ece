/**
 * Rule trial: what rules would have met among the answers that a run has stored. Nothing is asked.
 *
 * Good answers are read whole from the segments, without the headers that nobody stores (but for
 * Content-Type); of a failure there are its headers and the head of its body. A rule whose conditions cannot
 * be told of an answer is passed over, and that is counted.
 *
 * Ownership  rule_trial_release frees all.
 * Errors     those of store/run_reader.h. A damaged record is told through `damaged` and passed over.
 * Threads    one at a time; takes no lock (store/run_reader.h).
 */
#ifndef SCRAPETOP_ENGINE_RULE_TRIAL_H
#define SCRAPETOP_ENGINE_RULE_TRIAL_H

#include "plan/answer_usual.h"
#include "plan/rulebook.h"
#include "store/run_reader.h"

#define RULE_TRIAL_EXAMPLES 3
#define RULE_TRIAL_KEY 64

struct rule_trial_example {
    uint64_t id;
    int status;
    bool has_failed;
    char key[RULE_TRIAL_KEY]; /* cut; bytes from outside */
};

struct rule_trial_line {
    uint64_t count;
    size_t example_count;
    struct rule_trial_example examples[RULE_TRIAL_EXAMPLES]; /* the first in the plan's order */
};

struct rule_trial {
    struct rule_trial_line *rules; /* by the rule's number in the book */
    struct rule_trial_line none;   /* what no rule has met; of which */
    /* so many mean this, and are met without a rule */
    struct rule_trial_line usual[ANSWER_USUAL_COUNT];
    uint64_t answers, failures; /* looked at; how many of them are failures */
    uint64_t unsure;  /* a rule was passed over for want of headers, or of the rest of a body */
    uint64_t unknown; /* failures of which no answer is kept, or none came */
};

struct rule_trial_question {
    const struct rulebook *book; /* borrowed, as all of it */
    /* which endpoint of the book's job one of the run's is; RULEBOOK_EVERY: none */
    const uint32_t *endpoints;
    size_t endpoint_count;
    const struct job *job; /* the run's */
    void (*damaged)(void *context, const struct err *err);
    void *context;
};

/** Nothing of `trial` need be released when this fails. */
MUST_CHECK enum result rule_trial_run(struct run_reader *reader,
                                      const struct rule_trial_question *question,
                                      struct rule_trial *trial, struct err *err);
void rule_trial_release(struct rule_trial *trial);

#endif
