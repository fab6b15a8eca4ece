/* What all styles need of a listing: its words, its end. */
#include "plan/pages/page_internal.h"

#include "base/json_scan.h"

#include <string.h>

#define SHOWN_MAX 48 /* bytes of somebody else's text in a note */

struct str page_shown(struct str text)
{
    return (struct str){ text.data, text.len < SHOWN_MAX ? text.len : SHOWN_MAX };
}
const char *pages_header(const char *where)
{
    bool is_header = where && str_starts(str_view(where), STR("header:"));

    return is_header ? where + strlen("header:") : NULL;
}

bool page_is_none(struct str value)
{
    struct str text = str_trim(value);

    if (json_type_of(text) == JSON_STRING) {
        text = json_string_raw(text);
    }
    return !text.len || str_equal(text, STR("null")) || str_equal(text, STR("false")) ||
           str_equal(text, STR("0")) || str_equal(text, STR("-1"));
}

struct str pages_total_in(struct str value)
{
    struct str rest = value, last = value;

    while (rest.data) {
        last = str_cut(&rest, '/');
    }
    return last;
}

bool page_is_numbered(enum job_pages_kind kind)
{
    return job_page_styles[kind].is_numbered;
}

uint64_t page_first_number(const struct job_pages *pages)
{
    return pages->has_first ? pages->first : job_page_styles[pages->kind].first;
}

void listing_end(struct listing *l, enum page_end end)
{
    if (end > l->out->page.end) {
        l->out->page.end = end;
    }
}

void listing_note_repeat(struct listing *l)
{
    LISTING_NOTE(l, PAGE_NOTE_SAME_PAGE, "page %u has the very records of the page that named it",
                 (unsigned)l->page.ordinal + 1);
    listing_end(l, PAGE_END_SAME_PAGE);
}
