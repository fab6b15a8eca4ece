/* A plan that is shared with other workers: of its own requests only those are made that were leased. */
#include "plan/frontier_state.h"

#include "base/grow.h"

#include <stdlib.h>

enum result frontier_only_leased(struct frontier *f)
{
    f->leased = calloc(f->endpoint_count + 1, sizeof *f->leased);
    f->closed = true;
    f->own = 0;
    return f->leased ? RESULT_OK : RESULT_NOMEM;
}

void frontier_count_leased(struct frontier *f, uint64_t first, uint64_t last, bool is_taken)
{
    for (uint32_t i = 0; i < f->endpoint_count; i++) {
        uint64_t count = seeds_within(f->seeds, i, first, last);

        f->leased[i] += is_taken ? count : -count;
    }
    f->own += is_taken ? last - first + 1 : -(last - first + 1);
}

enum result frontier_lease(struct frontier *f, uint64_t first, uint64_t last)
{
    struct gap *gaps;

    if (f->gap_at == f->gap_count) {
        f->gap_at = f->gap_count = 0; /* all of them are over: their room is free again */
    }
    gaps = grow_by_one(f->gaps, f->gap_count, &f->gap_allocated, sizeof *gaps);
    if (!gaps) {
        return RESULT_NOMEM;
    }
    f->gaps = gaps;
    f->gaps[f->gap_count++] = (struct gap){ first, last };
    frontier_count_leased(f, first, last, true);
    return RESULT_OK;
}

bool frontier_give_back(struct frontier *f, uint64_t *first, uint64_t *last)
{
    if (f->gap_at == f->gap_count) {
        return false;
    }
    f->gap_count--;
    *first = f->gaps[f->gap_count].first;
    *last = f->gaps[f->gap_count].last;
    frontier_count_leased(f, *first, *last, false);
    return true;
}

void frontier_forget_gaps(struct frontier *f)
{
    f->gap_at = f->gap_count;
    f->cursor = f->total + 1;
}

uint64_t frontier_unmade(const struct frontier *f)
{
    uint64_t count = 0;

    for (size_t i = f->gap_at; i < f->gap_count; i++) {
        count += f->gaps[i].last - f->gaps[i].first + 1;
    }
    return count;
}
