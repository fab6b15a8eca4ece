/**
 * Rows of a panel as the user holds them: filtered, sorted, scrolled, marked, one perhaps selected.
 *
 * A selection belongs to a row, not to a place: while the row is there it stays selected wherever it
 * moves; when it has gone, its place keeps the selection. Without one the list shows its beginning,
 * or its end when it is a log.
 *
 * Ownership  plain data. Threads: none of its own.
 */
#ifndef SCRAPETOP_UI_LIST_H
#define SCRAPETOP_UI_LIST_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIST_ROWS_MAX 200
#define LIST_FILTER_MAX 64

/** Where rows come from; `context` is the snapshot. */
struct list_source {
    size_t (*count)(const void *context);
    uint64_t (*id)(const void *context, size_t row);
    /* What a filter looks at. */
    void (*text)(const void *context, size_t row, char *text, size_t size);
    /* Order of two rows by a column of the panel's table: negative, 0, positive. NULL: cannot be sorted. */
    int (*compare)(const void *context, size_t a, size_t b, size_t column);
    bool is_log; /* the end is what one wants to see */
};

struct list {
    uint16_t rows[LIST_ROWS_MAX]; /* of the source, those that pass the filter */
    uint64_t ids[LIST_ROWS_MAX];
    size_t count;
    size_t visible; /* rows that the screen has for it */
    size_t top;     /* the first one shown */
    bool selecting;
    size_t selected; /* index into rows; meaningful while selecting */
    uint64_t selected_id;
    char filter[LIST_FILTER_MAX]; /* "!text" shows what does not have it */
    size_t sort;                  /* a column + 1; 0: the source's own order */
    bool inverted;
    uint64_t marks[LIST_ROWS_MAX]; /* ids; those that have gone are forgotten */
    size_t mark_count;
};

/** Reads the source anew for a screen of `visible` rows. */
void list_arrange(struct list *l, const struct list_source *source, const void *context,
                  size_t visible);

/** Moves the selection; begins one where there is none. */
void list_move(struct list *l, const struct list_source *source, int by);
void list_to_start(struct list *l);
void list_to_end(struct list *l);
void list_unselect(struct list *l);

/** Selects what stands `line` lines below the first one shown; false when nothing stands there. */
bool list_select_line(struct list *l, size_t line);

/** Marks the selected row, or takes its mark away. */
void list_toggle_mark(struct list *l);
bool list_is_marked(const struct list *l, uint64_t id);

/** Three-way comparison of figures, for list_source.compare. */
#define LIST_COMPARE(a, b) ((a) < (b) ? -1 : (a) > (b))

/** A stable number for a row that is known by its text only. */
uint64_t list_id_of_text(const char *text);

#endif
