#include "engine/listeners.h"

#include "engine/engine_state.h"

void listeners_answer(struct engine *e, const struct answer *answer)
{
    for (const struct listener *l = e->listeners; l->name; l++) {
        if (l->on_answer) {
            l->on_answer(e, answer);
        }
    }
}

void listeners_judged(struct engine *e, const struct response *response)
{
    for (const struct listener *l = e->listeners; l->name; l++) {
        if (l->on_judged) {
            l->on_judged(e, response);
        }
    }
}

void listeners_settled(struct engine *e, const struct settled *settled)
{
    for (const struct listener *l = e->listeners; l->name; l++) {
        if (l->on_settled) {
            l->on_settled(e, settled);
        }
    }
}

void listeners_tick(struct engine *e, uint64_t now_us)
{
    for (const struct listener *l = e->listeners; l->name; l++) {
        if (l->on_tick) {
            l->on_tick(e, now_us);
        }
    }
}
