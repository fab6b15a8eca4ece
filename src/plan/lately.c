#include "plan/lately.h"

#include <stddef.h>
#include <string.h>

void lately_pass(struct lately *l, uint64_t now_us)
{
    uint64_t slot = now_us / LATELY_SLOT_US, by = slot > l->slot ? slot - l->slot : 0;
    size_t kept = by < LATELY_SLOTS ? LATELY_SLOTS - (size_t)by : 0;

    if (!by) {
        return;
    }
    memmove(&l->accepted[LATELY_SLOTS - kept], l->accepted, kept * sizeof l->accepted[0]);
    memmove(&l->crowd[LATELY_SLOTS - kept], l->crowd, kept * sizeof l->crowd[0]);
    memset(l->accepted, 0, (LATELY_SLOTS - kept) * sizeof l->accepted[0]);
    memset(l->crowd, 0, (LATELY_SLOTS - kept) * sizeof l->crowd[0]);
    l->slot = slot;
}

void lately_accept(struct lately *l, unsigned crowd)
{
    if (l->accepted[0] < UINT16_MAX) {
        l->accepted[0]++;
    }
    if (crowd > l->crowd[0]) {
        l->crowd[0] = crowd < UINT16_MAX ? (uint16_t)crowd : UINT16_MAX;
    }
}

unsigned lately_count(const struct lately *l)
{
    unsigned sum = 0;

    for (size_t i = 0; i < LATELY_SLOTS; i++) {
        sum += l->accepted[i];
    }
    return sum;
}

unsigned lately_crowd(const struct lately *l)
{
    unsigned most = 0;

    for (size_t i = 0; i < LATELY_SLOTS; i++) {
        most = l->crowd[i] > most ? l->crowd[i] : most;
    }
    return most;
}

void lately_forget_crowd(struct lately *l)
{
    memset(l->crowd, 0, sizeof l->crowd);
}
