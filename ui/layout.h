/**
 * Where things go: sizes in, rectangles out. Pure; knows no panel by name and draws nothing.
 *
 * Columns of panels stand below a header and above one line for keys and messages. Below 100
 * columns there is one, below 160 two, else three. In each, the essential panels are admitted while
 * their least heights fit, the others while nobody has to stay below what he wants; then all grow in
 * the order of their need to the heights they ask for, and what is left over is shared by the elastic.
 * Too small a screen shows the header's first lines only. Nothing ever lies outside the screen or on
 * something else.
 */
#ifndef SCRAPETOP_UI_LAYOUT_H
#define SCRAPETOP_UI_LAYOUT_H

#include "ui/draw.h"

#include <stdbool.h>
#include <stddef.h>

#define LAYOUT_PANELS_MAX 16
#define LAYOUT_COLUMNS_MAX 3
#define LAYOUT_TWO_COLUMNS 100
#define LAYOUT_THREE_COLUMNS 160

#define LAYOUT_COMPACT_ROWS 16    /* a smaller screen has the header of short lines */
#define LAYOUT_COMPACT_COLUMNS 72 /* as has a narrower one */

enum layout_header {
    LAYOUT_HEADER_COMPACT, /* short lines, most needed first: for anything small */
    LAYOUT_HEADER_FULL,    /* one column: carries graph and cores, as their panels may not fit */
    LAYOUT_HEADER_WIDE,    /* two and three columns: these have panels for them */
};

#define LAYOUT_COMPACT_LINES 7
#define LAYOUT_FULL_LINES 6
#define LAYOUT_WIDE_LINES 4

/** What a panel asks for, with its title line counted. */
struct layout_need {
    int column[LAYOUT_COLUMNS_MAX]; /* where it goes with 1, 2, 3 columns; -1: nowhere */
    int order;                      /* within its column, from the top */
    int need;                       /* smaller is admitted, and grows, earlier */
    int rows_min, rows_wanted;
    bool essential; /* admitted even if others then stay below what they want */
    bool elastic;   /* may have the rows that are left over */
};

struct layout {
    int rows, columns;
    enum layout_header header_kind;
    struct rect header;
    struct rect panels[LAYOUT_PANELS_MAX];  /* rows == 0: not shown */
    int separators[LAYOUT_COLUMNS_MAX - 1]; /* screen columns of the lines between; -1: none */
    struct rect body;                       /* all of the panels' room */
    struct rect keys;                       /* one line, or none */
};

/** `zoom` is the panel that takes the whole body, or -1. */
void layout_compute(struct layout *layout, int rows, int columns, const struct layout_need *needs,
                    size_t count, int zoom);

#endif
