#include "ui/list.h"

#include <string.h>
#include <strings.h>

#define ROW_TEXT_MAX 512

static bool passes(const struct list *l, const struct list_source *source, const void *context,
                   size_t row)
{
    char text[ROW_TEXT_MAX] = "";
    bool exclude = l->filter[0] == '!';
    const char *wanted = l->filter + (exclude ? 1 : 0);

    if (!wanted[0]) {
        return true;
    }
    source->text(context, row, text, sizeof text);
    return (strcasestr(text, wanted) != NULL) != exclude;
}

static void read_rows(struct list *l, const struct list_source *source, const void *context)
{
    size_t total = source->count(context);

    l->count = 0;
    for (size_t row = 0; row < total && l->count < LIST_ROWS_MAX; row++) {
        if (passes(l, source, context, row)) {
            l->rows[l->count] = (uint16_t)row;
            l->ids[l->count] = source->id(context, row);
            l->count++;
        }
    }
}

static void select_place(struct list *l, size_t place)
{
    if (!l->count) {
        l->selecting = false;
        return;
    }
    l->selecting = true;
    l->selected = place < l->count ? place : l->count - 1;
    l->selected_id = l->ids[l->selected];
}

static void find_selected(struct list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->ids[i] == l->selected_id) {
            l->selected = i;
            return;
        }
    }
    select_place(l, l->selected);
}

static void scroll(struct list *l, bool is_log)
{
    size_t last_top = l->count > l->visible ? l->count - l->visible : 0;

    if (!l->selecting) {
        l->top = is_log ? last_top : 0;
    } else if (l->selected < l->top) {
        l->top = l->selected;
    } else if (l->visible && l->selected >= l->top + l->visible) {
        l->top = l->selected - l->visible + 1;
    }
    if (l->top > last_top) {
        l->top = last_top;
    }
}

void list_arrange(struct list *l, const struct list_source *source, const void *context,
                  size_t visible)
{
    read_rows(l, source, context);
    l->visible = visible;
    if (l->selecting) {
        find_selected(l);
    }
    scroll(l, source->is_log);
}

void list_move(struct list *l, const struct list_source *source, int by)
{
    size_t from = l->selecting ? l->selected : source->is_log && l->count ? l->count - 1 : 0;
    size_t distance = (size_t)(by < 0 ? -by : by);

    if (!l->selecting && !source->is_log) {
        distance = distance ? distance - 1 : 0; /* the first step selects the row one looks at */
    }
    if (by < 0) {
        select_place(l, from > distance ? from - distance : 0);
    } else {
        select_place(l, from + distance);
    }
}

void list_to_start(struct list *l)
{
    select_place(l, 0);
}

void list_to_end(struct list *l)
{
    select_place(l, SIZE_MAX);
}

void list_unselect(struct list *l)
{
    l->selecting = false;
}

uint64_t list_id_of_text(const char *text)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a, 64 bits */

    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    }
    return hash;
}
