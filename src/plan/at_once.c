#include "plan/at_once.h"

#include "base/clock.h"

#define EVIDENCE 20
#define FEW 3
#define ROW 3       /* refusals in a row, once a rate was learned ... */
#define FEW_ROW 6   /* ... when they are so few that any rate has as few in flight */
#define FIRST_ROW 2 /* ... and at the first, when it was only one more: that may be chance */
#define OTHERS_SHARE                                                                               \
    0.3 /* of one refusal in the part of those that came with as many as are accepted; ... */
#define OTHERS_MOST 0.2 /* ... more are not of what runs at once */
#define PROBE_MIN_US (10 * US_PER_S)
#define PROBE_MAX_US (240 * US_PER_S)

static void set(struct at_once *a, unsigned most, uint64_t now_us)
{
    if (!a->every_us) {
        a->every_us = PROBE_MIN_US;
    } else if (a->every_us < PROBE_MAX_US) {
        a->every_us *= 2;
    }
    a->most = most ? most : 1;
    a->probe_us = now_us + a->every_us;
}

/* So many refusals in a row must have come with more at once than was accepted. */
static unsigned rows_wanted(const struct at_once *a, const struct at_once_refusal *r)
{
    bool is_new = r->is_new && r->crowd > FEW;

    if (a->others <= OTHERS_MOST && !r->has_rate) {
        return r->crowd > r->lately_crowd + 1 ? 1 : FIRST_ROW;
    }
    if (a->others <= OTHERS_MOST && is_new) {
        return 1;
    }
    return r->crowd > FEW ? ROW : FEW_ROW;
}

enum at_once_news at_once_refused(struct at_once *a, const struct at_once_refusal *r,
                                  uint64_t now_us)
{
    bool plenty = r->lately >= EVIDENCE && r->lately >= 2 * r->crowd && r->accepted > 0;
    bool is_more = r->crowd > r->lately_crowd && plenty && r->crowd > 1;
    unsigned wanted = rows_wanted(a, r);

    if (plenty) {
        a->others += OTHERS_SHARE * ((is_more ? 0 : 1) - a->others);
    }
    if (a->most && r->accepted < EVIDENCE) {
        a->most = 0;
        return AT_ONCE_RATE;
    }
    a->too_many_in_row = is_more ? a->too_many_in_row + 1 : 0;
    if (a->too_many_in_row >= wanted) {
        set(a, r->crowd - 1, now_us);
        return AT_ONCE_FOUND;
    }
    if (a->most && r->crowd <= a->most) {
        a->most = 0; /* as many were accepted: it is a rate after all */
    }
    return AT_ONCE_NOTHING;
}

unsigned at_once_now(struct at_once *a, uint64_t now_us)
{
    if (a->most && now_us >= a->probe_us) {
        a->most++;
        a->probe_us = now_us + a->every_us;
    }
    return a->most;
}
