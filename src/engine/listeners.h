/**
 * Listeners: all who keep account of answers, in one table. An answer is told as a value (engine/answer.h), three
 * times: as it came, as it was judged, and when the ledger has its request's end. Who keeps an account of his own
 * adds a row (listener_rows.c).
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_LISTENERS_H
#define SCRAPETOP_ENGINE_LISTENERS_H

#include <stdint.h>

#define LISTENERS_TICK_MS 100

struct answer;
struct engine;
struct response;
struct settled;

/** What is NULL is not told. */
struct listener {
    const char *name;
    void (*on_answer)(struct engine *engine, const struct answer *answer);
    void (*on_judged)(struct engine *engine, const struct response *response);
    void (*on_settled)(struct engine *engine, const struct settled *settled);
    void (*on_tick)(struct engine *engine, uint64_t now_us);
};

/** It has come, and nothing has been made of it yet. */
void listeners_answer(struct engine *engine, const struct answer *answer);

/** Its outcome is what rules and opinions make of it; or it ends without having been asked. */
void listeners_judged(struct engine *engine, const struct response *response);

/** It has ended for good, and that is durable. */
void listeners_settled(struct engine *engine, const struct settled *settled);

/** Every LISTENERS_TICK_MS. */
void listeners_tick(struct engine *engine, uint64_t now_us);

#endif
