/* What happened, the latest at the foot, as in every log. */

#include "ui/panel.h"

#include "base/clock.h"
#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>

/* The snapshot has the latest first. */
static const struct snapshot_event *event_at(const struct snapshot *s, size_t row)
{
    return &s->events[s->event_count - 1 - row];
}

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->event_count;
}

static uint64_t id(const void *context, size_t row)
{
    return event_at(context, row)->serial;
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    snprintf(text, size, "%s", event_at(context, row)->text);
}

static enum role role_of(enum event_level level)
{
    switch (level) {
    case EVENT_INFO:
        return ROLE_TEXT;
    case EVENT_NOTICE:
        return ROLE_NOTICE;
    case EVENT_WARNING:
        return ROLE_WARN;
    case EVENT_ERROR:
        return ROLE_BAD;
    }
    return ROLE_TEXT;
}

/* The level as a sign too, for who does not see the colour. */
static char sign_of(enum event_level level)
{
    return level == EVENT_ERROR ? '!' : level == EVENT_WARNING ? '*' : ' ';
}

static void draw(const struct panel_scene *scene, struct pane pane)
{
    const struct list *list = scene->list;
    int above = pane.rect.rows - (int)list->visible;

    for (size_t i = 0; i < list->visible && list->top + i < list->count; i++) {
        const struct snapshot_event *event = event_at(scene->snapshot, list->rows[list->top + i]);
        char clock[FORMAT_MAX];
        int row = above + (int)i, at;

        format_clock(event->wall_us, clock);
        draw_text(pane, row, 1, 8, ROLE_DIM, str_view(clock));
        draw_format(pane, row, 10, 1, role_of(event->level), "%c", sign_of(event->level));
        at = event->repeats > 1
                 ? draw_format(pane, row, 12, 8, role_of(event->level), "x%u ", event->repeats)
                 : 12;
        draw_text(pane, row, at, pane.rect.columns - at, role_of(event->level),
                  str_view(event->text));
        if (scene->focused && list->selecting && list->selected == list->top + i) {
            draw_text(pane, row, 0, 1, ROLE_TEXT, STR(">"));
            draw_role(pane, row, 0, pane.rect.columns, ROLE_SELECTED);
            pane.canvas->cursor_row = pane.rect.row + row;
            pane.canvas->cursor_column = pane.rect.column;
        }
    }
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .is_log = true
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    /* The log shows the latest last, the snapshot has it first. */
    const struct snapshot_event *e = &s->events[s->event_count - 1 - i];
    char when[CLOCK_TEXT_SIZE];

    clock_format_utc(e->wall_us, when);
    export_text(r, "at", when);
    export_text(r, "level", event_level_word(e->level));
    export_count(r, "times", e->repeats);
    export_text(r, "text", e->text);
}

const struct panel panel_log = {
    .name = "Log",
    .need = { .column = { 0, 0, 1 },
              .order = 60,
              .need = 3,
              .rows_min = 2,
              .rows_wanted = 7,
              .essential = true,
              .elastic = true },
    .source = &source,
    .draw = draw,
    .export = { "log", export_fields },
};
