#include "plan/server_clock.h"

#include "base/clock.h"

void server_clock_note(struct server_clock *c, int64_t date_us, uint64_t latency_us,
                       uint64_t now_us)
{
    int64_t low_us = date_us - (int64_t)now_us;
    int64_t high_us = low_us + (int64_t)(US_PER_S + latency_us);

    if (!c->is_known || low_us > c->high_us || high_us < c->low_us) {
        *c = (struct server_clock){ true, low_us, high_us };
        return;
    }
    c->low_us = low_us > c->low_us ? low_us : c->low_us;
    c->high_us = high_us < c->high_us ? high_us : c->high_us;
}

int64_t server_clock_us(const struct server_clock *c, uint64_t now_us)
{
    return (int64_t)now_us + c->low_us;
}

uint64_t server_clock_slack_us(const struct server_clock *c)
{
    return (uint64_t)(c->high_us - c->low_us);
}
