#include "history/page_facts.h"

#include "base/json_scan.h"

#include <stdio.h>
#include <stdlib.h>

bool page_number(struct str json, struct str pointer, double *number)
{
    struct str value;
    char text[40];

    if (!json_find(json, pointer, &value) || json_type_of(value) != JSON_NUMBER) {
        return false;
    }
    value = str_trim(value);
    if (value.len >= sizeof text) {
        return false;
    }
    snprintf(text, sizeof text, "%.*s", STR_ARG(value));
    *number = strtod(text, NULL);
    return *number >= 0 && *number <= PAGE_NUMBER_MAX; /* nor NaN */
}

bool page_figure(const struct page_facts *f, struct str pointer, double *figure)
{
    return page_number(buf_view(&f->report), pointer, figure);
}

struct str page_word(const struct page_facts *f, struct str pointer)
{
    struct str value;

    return json_find(buf_view(&f->report), pointer, &value) && json_type_of(value) == JSON_STRING
               ? value
               : STR_NONE;
}
