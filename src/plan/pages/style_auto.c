/* The first answer decides which style a listing has (page_guess.h): this one is left when it shows none. */
#include "plan/pages/page_style.h"

static void read(struct listing *l)
{
    listing_end(l, l->out->page.end == PAGE_END_UNKNOWN ? PAGE_END_UNKNOWN
                   : listing_reached(l) == REACHED_ALL  ? PAGE_END_TOTAL
                                                        : PAGE_END_NOTHING_TOLD);
}

const struct page_style page_style_auto = { .read = read };
