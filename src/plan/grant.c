#include "plan/grant.h"

#include "base/clock.h"

static void next_lot(struct grant *g)
{
    if (!g->lots[0].count) {
        g->lots[0] = g->lots[1];
        g->lots[1] = (struct grant_lot){ .count = 0 };
    }
}

uint64_t grant_wait_us(struct grant *g, uint64_t now_us)
{
    const struct grant_lot *lot = &g->lots[0];

    if (!g->is_on) {
        return 0;
    }
    if (!lot->count || now_us >= lot->ends_us) {
        g->is_wanted = true;
        return TIME_NEVER;
    }
    return now_us < lot->next_us ? lot->next_us - now_us : 0;
}

void grant_start(struct grant *g)
{
    struct grant_lot *lot = &g->lots[0];

    if (lot->count) {
        lot->count--;
        lot->next_us += lot->spacing_us;
        next_lot(g);
    }
}

unsigned grant_left(const struct grant *g)
{
    return g->lots[0].count + g->lots[1].count;
}

unsigned grant_give(struct grant *g, unsigned count, uint64_t first_us, uint64_t spacing_us)
{
    struct grant_lot *lot = &g->lots[g->lots[0].count > 0];

    if (lot->count || !count) {
        return count;
    }
    *lot = (struct grant_lot){ .count = count,
                               .next_us = first_us,
                               .spacing_us = spacing_us,
                               .ends_us = first_us + count * spacing_us + GRANT_LAPSES_US };
    g->is_wanted = false;
    return 0;
}

unsigned grant_take_lapsed(struct grant *g, uint64_t now_us)
{
    unsigned lapsed = 0;

    while (g->lots[0].count && now_us >= g->lots[0].ends_us) {
        lapsed += g->lots[0].count;
        g->lots[0].count = 0;
        next_lot(g);
    }
    return lapsed;
}

unsigned grant_end(struct grant *g)
{
    unsigned left = grant_left(g);

    *g = (struct grant){ .is_on = false };
    return left;
}
