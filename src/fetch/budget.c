#include "fetch/budget.h"

#define SMALL_PART 8 /* of what is not kept back, for bodies that are no trouble */

/* For all but the favoured one. */
static uint64_t common(const struct budget *b)
{
    return b->body_max < b->limit / 2 ? b->limit - b->body_max : b->limit / 2;
}

static uint64_t soft(const struct budget *b)
{
    return common(b) - common(b) / SMALL_PART;
}

bool budget_is_short(const struct budget *b)
{
    return b->limit && b->flying + b->held > soft(b);
}

bool budget_must_wait(const struct budget *b, uint64_t has)
{
    uint64_t left = b->held < soft(b) ? soft(b) - b->held : 0;

    return budget_is_short(b) &&
           (b->flying + b->held >= common(b) || has > left / (b->count ? b->count : 1));
}

bool budget_is_over(const struct budget *b)
{
    return b->limit && (b->flying >= common(b) || b->flying + b->held >= b->limit);
}

/* When nothing is handed on, nothing but this will free any. */
bool budget_allows_one(const struct budget *b, uint64_t has)
{
    uint64_t more = b->body_max > has ? b->body_max - has : 0;

    return !b->held || b->flying + b->held + more <= b->limit;
}
