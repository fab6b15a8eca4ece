#include "plan/recent.h"

static uint32_t *slot_of(struct recent *r, uint64_t age)
{
    return &r->slots[(r->slot - age) % RECENT_SLOTS];
}

void recent_pass_time(struct recent *r, uint64_t span_us, uint64_t now_us)
{
    uint64_t slot_us = span_us / RECENT_SLOTS + 1, slot = now_us / slot_us;
    uint32_t before = 0;

    if (slot_us != r->slot_us) {
        for (unsigned i = 0; i < RECENT_SLOTS; i++) {
            before += r->slots[i];
        }
    }
    if (slot_us != r->slot_us || slot >= r->slot + RECENT_SLOTS) {
        *r = (struct recent){ .slot_us = slot_us, .slot = slot };
        *slot_of(r, 0) = before;
    }
    while (r->slot < slot) {
        r->slot++;
        *slot_of(r, 0) = 0;
    }
}

void recent_add(struct recent *r)
{
    ++*slot_of(r, 0);
}

void recent_take(struct recent *r, uint64_t at_us)
{
    uint64_t slot = r->slot_us ? at_us / r->slot_us : 0;
    uint64_t age = slot < r->slot ? r->slot - slot : 0;

    for (uint64_t i = 0; i < RECENT_SLOTS; i++) {
        uint32_t *count = slot_of(r, (age + i) % RECENT_SLOTS);

        if (*count) {
            --*count;
            return;
        }
    }
}

uint64_t recent_count(const struct recent *r, uint64_t span_us)
{
    uint64_t slots = r->slot_us ? span_us / r->slot_us + 2 : 0, sum = 0;

    for (uint64_t i = 0; i < slots && i < RECENT_SLOTS; i++) {
        sum += r->slots[(r->slot - i) % RECENT_SLOTS];
    }
    return sum;
}
