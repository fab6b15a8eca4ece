#include "plan/pages/page_style.h"

static const struct page_style *const styles[JOB_PAGES_KINDS] = {
#define PAGE_STYLE_ROW(NAME, name, ...) [JOB_PAGES_##NAME] = &page_style_##name,
    JOB_PAGE_STYLES(PAGE_STYLE_ROW)
#undef PAGE_STYLE_ROW
};

const struct page_style *page_style_of(enum job_pages_kind kind)
{
    return kind > JOB_PAGES_NONE && kind < JOB_PAGES_KINDS ? styles[kind] : &page_style_auto;
}
