/**
 * Opinion: what is said of an answer beyond its status, by a rule of the job or by what servers usually
 * mean (plan/rulebook.h, plan/answer_usual.h); and what is done of it.
 *
 *   response --opinion_read (loop or pool)--> opinion --opinion_heed (loop)--> settled, waits, goes round
 *
 * Each action is a row of one table (opinion_heed.c). Of each rule the first answer that it meets is an event,
 * all are counted.
 *
 * Threads  loop thread only, but for opinion_read.
 */
#ifndef SCRAPETOP_ENGINE_OPINION_H
#define SCRAPETOP_ENGINE_OPINION_H

#include "fetch/response.h"
#include "plan/answer_usual.h"
#include "plan/due.h"
#include "plan/rulebook.h"

struct engine;
struct deadline;
struct discoveries;

/** Zeroed, with `action` ANSWER_DO_COUNT and `rule` RULEBOOK_NONE: it is as its status says. */
struct opinion {
    size_t rule;             /* RULEBOOK_NONE: no rule speaks of it, */
    enum answer_usual usual; /* and this is what it means */
    enum answer_do action;   /* ANSWER_DO_COUNT: what follows from its status */
    bool is_json;            /* the body is */
    bool is_result;          /* of an exchange: it is ready, and this says where the result lies */
    bool has_wait;           /* it says how long to wait: */
    uint64_t wait_us;
    char said[DUE_SAID_MAX];  /* in whose words; bytes from outside */
    char why[ANSWER_WHY_MAX]; /* for people; may repeat a secret */
};

extern const struct opinion opinion_none;

struct rules {
    struct rulebook *book;
    uint64_t *counts; /* answers that each rule has met, in this session; by its number */
    /* and those that no rule speaks of, by what they mean */
    uint64_t usual_counts[ANSWER_USUAL_COUNT];
};

/** The rule that speaks of it, or NULL. */
const struct answer_rule *opinion_rule(const struct engine *engine, const struct opinion *opinion);

/** What rules look at; borrows from the response. */
struct answer_view opinion_view(const struct response *response, bool is_json);

MUST_CHECK enum result opinion_init(struct engine *engine, struct err *err);
void opinion_release(struct engine *engine);

/** The body of such an answer must be looked at before it is judged. */
bool opinion_wants_body(const struct engine *engine, const struct response *response);

/** Any thread. `is_json`: the body is JSON to its end. */
void opinion_read(const struct engine *engine, const struct response *response, bool is_json,
                  struct opinion *opinion);

#endif
