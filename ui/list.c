#include "ui/list.h"

#include "base/text_filter.h"

#define ROW_TEXT_MAX 512

static bool passes(const struct list *l, const struct list_source *source, const void *context,
                   size_t row)
{
    char text[ROW_TEXT_MAX] = "";

    if (!l->filter[0]) {
        return true;
    }
    source->text(context, row, text, sizeof text);
    return text_filter_passes(l->filter, text);
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

static bool goes_before(const struct list *l, const struct list_source *source, const void *context,
                        size_t a, size_t b)
{
    int order = source->compare(context, a, b, l->sort - 1);

    return l->inverted ? order > 0 : order < 0;
}

/* By insertion, which keeps equals in the source's order: there are few, and mostly sorted already. */
static void sort_rows(struct list *l, const struct list_source *source, const void *context)
{
    for (size_t i = 1; i < l->count; i++) {
        uint16_t row = l->rows[i];
        uint64_t id = l->ids[i];
        size_t at = i;

        while (at > 0 && goes_before(l, source, context, row, l->rows[at - 1])) {
            l->rows[at] = l->rows[at - 1];
            l->ids[at] = l->ids[at - 1];
            at--;
        }
        l->rows[at] = row;
        l->ids[at] = id;
    }
}

static void forget_marks(struct list *l)
{
    size_t kept = 0;

    for (size_t m = 0; m < l->mark_count; m++) {
        size_t i = 0;

        while (i < l->count && l->ids[i] != l->marks[m]) {
            i++;
        }
        if (i < l->count) {
            l->marks[kept++] = l->marks[m];
        }
    }
    l->mark_count = kept;
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
    if (l->sort && source->compare) {
        sort_rows(l, source, context);
    }
    forget_marks(l);
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

bool list_select_line(struct list *l, size_t line)
{
    if (line >= l->visible || l->top + line >= l->count) {
        return false;
    }
    select_place(l, l->top + line);
    return true;
}

bool list_is_marked(const struct list *l, uint64_t id)
{
    for (size_t i = 0; i < l->mark_count; i++) {
        if (l->marks[i] == id) {
            return true;
        }
    }
    return false;
}

void list_toggle_mark(struct list *l)
{
    if (!l->selecting) {
        return;
    }
    for (size_t i = 0; i < l->mark_count; i++) {
        if (l->marks[i] == l->selected_id) {
            l->marks[i] = l->marks[--l->mark_count];
            return;
        }
    }
    if (l->mark_count < LIST_ROWS_MAX) {
        l->marks[l->mark_count++] = l->selected_id;
    }
}

uint64_t list_id_of_text(const char *text)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a, 64 bits */

    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    }
    return hash;
}
