#include "history/page_facts.h"

#include "base/json_scan.h"
#include "history/saved_report.h"

bool page_figure(const struct page_facts *f, struct str pointer, double *figure)
{
    return saved_report_number(buf_view(&f->report), pointer, figure);
}

struct str page_word(const struct page_facts *f, struct str pointer)
{
    struct str value;

    return json_find(buf_view(&f->report), pointer, &value) && json_type_of(value) == JSON_STRING
               ? value
               : STR_NONE;
}
