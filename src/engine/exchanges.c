#include "engine/exchanges.h"

#include <stdlib.h>

static enum result keep(void *context, uint64_t id, const struct exchange *exchange,
                        struct err *err)
{
    struct exchanges *x = context;
    struct kept_exchange *list = reallocarray(x->list, x->count + 1, sizeof *list);

    if (list) {
        x->list = list;
        list[x->count] = (struct kept_exchange){ .id = id };
    }
    if (!list || exchange_copy(&list[x->count].exchange, exchange) != RESULT_OK) {
        return err_nomem(err, "reading the ledger");
    }
    x->count++;
    return RESULT_OK;
}

enum result exchanges_read(struct exchanges *x, struct committer *committer, struct err *err)
{
    enum result result;

    *x = (struct exchanges){ NULL, 0 };
    result = committer_each_exchange(committer, keep, x, err);
    if (result != RESULT_OK) {
        exchanges_release(x);
    }
    return result;
}

void exchanges_release(struct exchanges *x)
{
    for (size_t i = 0; i < x->count; i++) {
        exchange_release(&x->list[i].exchange);
    }
    free(x->list);
    *x = (struct exchanges){ NULL, 0 };
}

static int compare(const void *key, const void *element)
{
    uint64_t id = *(const uint64_t *)key;
    uint64_t other = ((const struct kept_exchange *)element)->id;

    return id < other ? -1 : id > other;
}

const struct exchange *exchanges_find(const struct exchanges *x, uint64_t id)
{
    const struct kept_exchange *found =
        x->count ? bsearch(&id, x->list, x->count, sizeof x->list[0], compare) : NULL;

    return found ? &found->exchange : NULL;
}
