#include "plan/page_end.h"

#include <stddef.h>

static const struct {
    enum page_end end;
    const char *name, *words;
} ends[] = {
    { PAGE_END_NONE, "open", "not ended" },
    { PAGE_END_NOTHING_TOLD, "nothing-told", "no further pages told of" },
    { PAGE_END_NO_NEXT, "no-next", "no next page" },
    { PAGE_END_NO_CURSOR, "no-cursor", "no cursor" },
    { PAGE_END_EMPTY, "empty-page", "empty page" },
    { PAGE_END_STATUS, "status", "told by the status of the page after the last" },
    { PAGE_END_NO_MORE, "no-more", "told that there is no more" },
    { PAGE_END_TOTAL, "total", "total reached" },
    { PAGE_END_RULE, "rule", "rule" },
    { PAGE_END_OLD, "old", "records older than wanted" },
    { PAGE_END_SEEN, "seen", "all of a page seen before" },
    { PAGE_END_SPLIT, "split", "asked for in parts" },
    { PAGE_END_GAP, "gap", "a page lacks records that must be there" },
    { PAGE_END_FEWER, "fewer", "fewer records than told" },
    { PAGE_END_MAX, "max", "max pages" },
    { PAGE_END_ENDLESS, "endless", "empty pages without end" },
    { PAGE_END_SAME_PAGE, "same-page", "page repeated" },
    { PAGE_END_BACK, "back", "next page already asked" },
    { PAGE_END_BAD_NEXT, "bad-next", "next page cannot be asked" },
    { PAGE_END_UNKNOWN, "unknown", "more is told of, but not how to ask for it" },
    { PAGE_END_DEEP_LIMIT, "deep-limit", "deep-paging limit" },
    { PAGE_END_FAILED, "failed", "page failed" },
};

/* One of a later version's ledger counts as a loss, to be on the safe side. */
static size_t find(enum page_end end)
{
    size_t i = sizeof ends / sizeof ends[0];

    while (i > 0 && ends[i - 1].end != end) {
        i--;
    }
    return i;
}

const char *page_end_words(enum page_end end)
{
    return find(end) ? ends[find(end) - 1].words : "a reason of a later version";
}

const char *page_end_name(enum page_end end)
{
    return find(end) ? ends[find(end) - 1].name : "other";
}

bool page_end_is_loss(enum page_end end)
{
    return end > PAGE_END_LOSS;
}
