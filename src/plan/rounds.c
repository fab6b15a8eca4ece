#include "plan/rounds.h"

#include "job/job.h"

/* Up to where the wall clock is believed: some 290,000 years. */
static int64_t time_of_slot(const struct rounds *r, uint64_t slot)
{
    uint64_t room = (uint64_t)(INT64_MAX - (r->kept.started_us > 0 ? r->kept.started_us : 0));

    return slot > room / r->every_us ? INT64_MAX
                                     : r->kept.started_us + (int64_t)(slot * r->every_us);
}

/* The slot that this moment is in. */
static uint64_t slot_at(const struct rounds *r, int64_t wall_us)
{
    return wall_us > r->kept.started_us ? (uint64_t)(wall_us - r->kept.started_us) / r->every_us
                                        : 0;
}

void rounds_init(struct rounds *r, const struct job_poll *plan, const struct rounds_kept *kept,
                 int64_t wall_us)
{
    *r = (struct rounds){
        .every_us = plan->every_us, .count = plan->count, .until_us = plan->until_us, .kept = *kept
    };
    if (kept->begun && plan->every_us) {
        uint64_t now;

        /* The latest round has not begun yet, by this clock: it was set back. The grid comes along. */
        if (time_of_slot(r, kept->slot) > wall_us) {
            r->kept.slot = time_of_slot(r, kept->slot) == INT64_MAX ? 0 : kept->slot;
            r->kept.started_us = wall_us - (int64_t)(r->kept.slot * r->every_us);
        }
        now = slot_at(r, wall_us);

        r->next = now >= r->kept.slot ? now + 1 : r->kept.slot + 1;
    }
}

int64_t rounds_due_us(const struct rounds *r)
{
    return time_of_slot(r, r->next);
}

bool rounds_are_over(const struct rounds *r, int64_t wall_us)
{
    int64_t due_us = rounds_due_us(r);

    if (r->count && r->kept.begun >= r->count) {
        return true;
    }
    return r->until_us && (due_us > wall_us ? due_us : wall_us) > r->until_us;
}

enum rounds_step rounds_step(struct rounds *r, bool settled, int64_t wall_us)
{
    uint64_t passed;

    if (!r->kept.begun) {
        r->kept = (struct rounds_kept){ .started_us = wall_us, .begun = 1 };
        r->next = 1;
        return ROUNDS_BEGIN;
    }
    if (rounds_are_over(r, wall_us)) {
        return settled ? ROUNDS_OVER : ROUNDS_BUSY;
    }
    if (wall_us < rounds_due_us(r)) {
        return settled ? ROUNDS_REST : ROUNDS_BUSY;
    }
    passed = slot_at(r, wall_us) - r->next;
    r->next += passed + 1;
    r->kept.skipped += passed + !settled;
    if (!settled) {
        return ROUNDS_BUSY;
    }
    r->kept.slot = r->next - 1;
    r->kept.begun++;
    r->kept.put = 0;
    return ROUNDS_BEGIN;
}

uint32_t rounds_number(const struct rounds *r)
{
    return r->kept.begun ? (uint32_t)(r->kept.begun - 1) : 0;
}
