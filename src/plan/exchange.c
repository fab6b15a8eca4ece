#include "plan/exchange.h"

#include "base/str.h"

#include <stdlib.h>

void exchange_release(struct exchange *x)
{
    free(x->url);
    *x = (struct exchange){ .url = NULL };
}

enum result exchange_copy(struct exchange *to, const struct exchange *from)
{
    *to = *from;
    to->url = from->url ? str_dup(str_view(from->url)) : NULL;
    if (from->url && !to->url) {
        *to = (struct exchange){ .url = NULL };
        return RESULT_NOMEM;
    }
    return RESULT_OK;
}

uint64_t exchange_wait_us(const struct exchange *x, uint64_t base_us, uint64_t ceiling_us)
{
    uint64_t wait_us = base_us < EXCHANGE_WAIT_MIN_US ? EXCHANGE_WAIT_MIN_US : base_us;

    for (uint32_t i = 0; i < x->asked && wait_us < ceiling_us; i++) {
        wait_us = wait_us > ceiling_us / 2 ? ceiling_us : wait_us * 2;
    }
    return wait_us;
}
