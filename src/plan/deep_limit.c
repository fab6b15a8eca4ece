#include "plan/deep_limit.h"

/* A refusal that asking again, or another credential, does not change. */
static bool is_refusal(int status)
{
    return status >= 400 && status < 500 && status != 401 && status != 408 && status != 425 &&
           status != 429;
}

static const struct deep_listing *find(const struct deep_limits *d, uint64_t chain)
{
    for (size_t i = 0; i < DEEP_LIMIT_LISTINGS; i++) {
        if (d->listings[i].chain == chain) {
            return &d->listings[i];
        }
    }
    return NULL;
}

/* The listing's place, or the one that was used longest ago. */
static struct deep_listing *take(struct deep_limits *d, uint64_t chain)
{
    struct deep_listing *oldest = &d->listings[0];

    for (size_t i = 0; i < DEEP_LIMIT_LISTINGS; i++) {
        if (d->listings[i].chain == chain) {
            return &d->listings[i];
        }
        if (d->listings[i].used < oldest->used) {
            oldest = &d->listings[i];
        }
    }
    *oldest = (struct deep_listing){ .chain = chain };
    return oldest;
}

bool deep_limit_failed(struct deep_limits *d, const struct page_at *page, int status)
{
    struct deep_listing *l;

    if (!page->ordinal || !page->expected || !is_refusal(status)) {
        return false;
    }
    l = take(d, page->chain);
    l->used = ++d->uses;
    if (!l->failed || l->status != status) {
        l->first = page->ordinal;
        l->failed = 0;
        l->status = status;
    }
    l->first = page->ordinal < l->first ? page->ordinal : l->first;
    l->failed++;
    if (l->is_cut || l->failed < DEEP_LIMIT_PAGES) {
        return false;
    }
    l->is_cut = true;
    return true;
}

void deep_limit_came(struct deep_limits *d, const struct page_at *page)
{
    const struct deep_listing *l = page->ordinal ? find(d, page->chain) : NULL;

    if (l && page->ordinal > l->first) { /* so these were single pages */
        *take(d, page->chain) = (struct deep_listing){ .chain = 0 };
    }
}

bool deep_limit_cuts(const struct deep_limits *d, const struct page_at *page)
{
    const struct deep_listing *l = page->ordinal && page->expected ? find(d, page->chain) : NULL;

    return l && l->is_cut && page->ordinal > l->first;
}
