/** The style of a report's page, as the inside of a <style>: parts that follow one another, ended by NULL. */
#ifndef SCRAPETOP_HISTORY_PAGE_STYLE_H
#define SCRAPETOP_HISTORY_PAGE_STYLE_H

extern const char *const page_style[];

#endif
