#include "fetch/account.h"

struct budget account_budget(const struct account *a)
{
    struct budget budget = { .limit = a->limit, .body_max = a->body_max };

    budget.held = atomic_load_explicit(&a->held, memory_order_relaxed);
    for (size_t i = 0; i < a->part_count; i++) {
        budget.flying += atomic_load_explicit(&a->parts[i].flying, memory_order_relaxed);
        budget.count += atomic_load_explicit(&a->parts[i].count, memory_order_relaxed);
    }
    return budget;
}

size_t account_waiting(const struct account *a)
{
    size_t waiting = 0;

    for (size_t i = 0; i < a->part_count; i++) {
        waiting += atomic_load_explicit(&a->parts[i].waiting, memory_order_relaxed);
    }
    return waiting;
}

bool account_take_turn(account_turn *turn, size_t part)
{
    size_t whose = 0;

    return atomic_compare_exchange_strong(turn, &whose, part + 1) || whose == part + 1;
}

void account_leave_turn(account_turn *turn, size_t part)
{
    size_t whose = part + 1;

    (void)atomic_compare_exchange_strong(turn, &whose, 0);
}
