/**
 * Refused alike: what is done when every answer is the same refusal (plan/same_answer.h).
 *
 * It is told once; from then on requests go out one at a time, and are not tried again. Should it go on, the
 * run stops and can be resumed: what was not asked by then stays to be asked.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_REFUSED_ALIKE_H
#define SCRAPETOP_ENGINE_REFUSED_ALIKE_H

#include <stdbool.h>

struct engine;
struct request;
struct response;

/** Requests that have not been started, apart from the one just answered. */
bool engine_is_any_left(const struct engine *engine);

/** An answer, whatever it is: perhaps it is the same refusal as all before it. `is_put_off`: it says "not
 *  now", and so is none. */
void refused_alike_note(struct engine *engine, const struct response *response, bool is_put_off);

/** It ended like all requests before it, in the run or at its host: a retry is useless. */
bool refused_alike_is(const struct engine *engine, const struct request *request);

#endif
