/**
 * Whole runs against a server that answers by path, with rules for answers.
 */
#ifndef SCRAPETOP_TESTS_ANSWERS_FIXTURE_H
#define SCRAPETOP_TESTS_ANSWERS_FIXTURE_H

#include "engine_fixture.h"

#define ROUTES_MAX 12

/* What is answered to requests that begin so ("GET /stats/1 "): the first `times` of them (0: all that come
 * this far down). */
struct route {
    const char *begins, *head, *body;
    unsigned times;
    unsigned asked; /* filled in */
    char answer[ANSWER_MAX];
};

struct world {
    struct server *server;
    struct run run;
    struct route routes[ROUTES_MAX];
};

struct server_answer answer(void *context, const struct server_asked *asked, unsigned number);
void begin(struct world *w, const char *pattern, const struct route *routes);
void add(struct world *w, const char *rule);
void end(struct world *w);
unsigned asked(struct world *w, const char *begins);

#endif
