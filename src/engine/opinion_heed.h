/**
 * What an opinion of an answer (engine/opinion.h) makes of it: its outcome, its words, and what is done.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_OPINION_HEED_H
#define SCRAPETOP_ENGINE_OPINION_HEED_H

#include <stdbool.h>

struct deadline;
struct engine;
struct discoveries;
struct opinion;
struct response;

/** Makes the response's outcome and reason what the opinion says, and the deadline its wait. Counts it, and
 *  tells it once. */
void opinion_apply(struct engine *engine, struct response *response, const struct opinion *opinion,
                   struct deadline *deadline);

/** Does what the opinion says. False: nothing but what follows from the outcome. */
bool opinion_heed(struct engine *engine, struct response *response, const struct opinion *opinion,
                  const struct deadline *deadline, struct discoveries *discoveries);

#endif
