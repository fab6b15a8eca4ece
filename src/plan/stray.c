#include "plan/stray.h"

#include "base/clock.h"

#define KNOWN_US (300 * US_PER_S)
#define ACCEPTED_LEAST 15 /* between two: fewer are refusals in a row ... */
#define WHOLE_PART 0.75   /* ... as is less of what was sent */
#define FIRST_COUNT 3
#define COUNT_LEAST 6
#define SLOWER 0.8    /* of the rate at which the watch began */
#define MORE 2.0      /* times as many accepted between two: slowing down helps, ... */
#define MUCH_MORE 8.0 /* ... as one such shows already */
#define CLOSE 0.4     /* of that are accepted, smoothed: they come more often now */
#define BETWEEN_SHARE 0.3

static void watch_from(struct stray *b, double rate)
{
    *b = (struct stray){ .from = rate, .was_close = b->was_close };
}

/* It comes no more often than the others. */
static bool is_one_of_them(struct stray *b, double rate, double accepted)
{
    b->between += BETWEEN_SHARE * (accepted - b->between);
    if (b->between < CLOSE / b->part) {
        return false;
    }
    b->from = rate > b->from ? rate : b->from;
    return true;
}

static void note(struct stray *b, double rate, double accepted)
{
    double first = b->count ? b->first / (b->count < FIRST_COUNT ? b->count : FIRST_COUNT) : 0;

    if (b->from <= 0 || (b->count && accepted > MUCH_MORE * first)) {
        watch_from(b, rate);
    }
    if (b->count < FIRST_COUNT) {
        b->first += accepted;
    } else {
        b->later += accepted;
    }
    b->count++;
}

static bool is_known_now(const struct stray *b, double rate)
{
    double first = b->first / FIRST_COUNT, later;

    if (b->count < COUNT_LEAST || rate > SLOWER * b->from) {
        return false;
    }
    later = b->later / (b->count - FIRST_COUNT);
    return later < MORE * first;
}

bool stray_refused(struct stray *b, double rate, double accepted, double whole, uint64_t now_us)
{
    bool is_alone = accepted >= ACCEPTED_LEAST && whole >= WHOLE_PART * rate;

    if (b->part > 0 && now_us < b->until_us) {
        if (is_one_of_them(b, rate, accepted)) {
            return true;
        }
        watch_from(b, rate);
        return false;
    }
    if (!is_alone && b->was_close) {
        watch_from(b, 0);
        return false;
    }
    b->was_close = !is_alone;
    note(b, rate, accepted);
    if (!is_known_now(b, rate)) {
        return false;
    }
    b->part = b->count / (b->first + b->later);
    b->between = 1 / b->part;
    b->until_us = now_us + KNOWN_US;
    return true;
}

double stray_rate(const struct stray *b, uint64_t now_us)
{
    return b->part > 0 && now_us < b->until_us ? b->from : 0;
}
