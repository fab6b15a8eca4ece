/**
 * A plan made of patterns and lists, with a frontier on it. Time is handed in; T0 is its beginning.
 */
#ifndef SCRAPETOP_TESTS_FRONTIER_FIXTURE_H
#define SCRAPETOP_TESTS_FRONTIER_FIXTURE_H

#include "base/clock.h"
#include "plan/frontier.h"

#define T0 (UINT64_C(1000) * US_PER_S)
#define LISTS_MAX 4

/* A plan under test: what frontier_new borrows, too. */
struct plan {
    struct job job;
    struct host_table hosts;
    struct frontier *frontier;
    int list_fds[LISTS_MAX];
    int list_count;
};

void plan_begin(struct plan *p, unsigned cap_per_host);
void plan_pattern(struct plan *p, const char *pattern);
void plan_list(struct plan *p, const char *text);
void plan_open(struct plan *p);
void plan_end(struct plan *p);
struct request *next(struct plan *p, uint64_t now_us);
enum frontier_answer answer_of(struct plan *p, uint64_t now_us);
struct host *host_of(struct plan *p, const struct request *request);

/* As the engine does when it is settled. */
void settle(struct plan *p, struct request *request);
void wait_until(struct plan *p, struct request *request, uint64_t due_us);
void assert_next(struct plan *p, uint64_t id, const char *key, const char *url);

#endif
