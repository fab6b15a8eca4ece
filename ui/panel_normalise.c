/* Bodies into a table: how far, or what the last one gave and what is new since. */

#include "ui/panel.h"

#include "base/units.h"
#include "ui/format.h"

#include <stdio.h>

static bool is_running(const struct snapshot_normalise *n)
{
    return n->state == NORMALISE_COLUMNS || n->state == NORMALISE_ROWS ||
           n->state == NORMALISE_CANCELLING;
}

static const char *state_word(enum normalise_state state)
{
    switch (state) {
    case NORMALISE_IDLE:
        return "idle";
    case NORMALISE_COLUMNS:
        return "1/2 columns";
    case NORMALISE_ROWS:
        return "2/2 rows";
    case NORMALISE_CANCELLING:
        return "cancelling";
    case NORMALISE_FAILED:
        return "FAILED";
    }
    return "?";
}

static void table_words(const struct snapshot_normalise *n, char text[PANEL_TITLE_MAX])
{
    char time[UNITS_TEXT_MAX], skipped[FORMAT_MAX] = "";

    units_format_time(n->elapsed_us, time);
    if (n->skipped) {
        snprintf(skipped, sizeof skipped, ", %llu skipped", (unsigned long long)n->skipped);
    }
    snprintf(text, PANEL_TITLE_MAX, "%llu row%s x %llu col%s in %s%s", (unsigned long long)n->rows,
             units_plural(n->rows), (unsigned long long)n->columns, units_plural(n->columns), time,
             skipped);
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    const struct snapshot_normalise *n = &s->normalise;
    char more[PANEL_TITLE_MAX] = "";

    if (is_running(n)) {
        char percent[FORMAT_MAX];

        format_percent(n->records_done, n->records_total, percent);
        snprintf(more, sizeof more, "%s  %u of %u workers", percent, n->workers_busy, n->workers);
        snprintf(note, PANEL_TITLE_MAX, "n cancels");
    } else {
        if (n->have_table && rows == 1) {
            table_words(n, more);
        }
        snprintf(note, PANEL_TITLE_MAX, "%llu new  n: table", (unsigned long long)n->new_records);
    }
    snprintf(title_text, PANEL_TITLE_MAX, "Normalise %s%s%.120s", state_word(n->state),
             more[0] ? "  " : "", more);
}

static void draw_progress(const struct snapshot_normalise *n, struct pane pane)
{
    double part = n->records_total ? (double)n->records_done / (double)n->records_total : 0;
    int width = pane.rect.columns - 30;

    if (width < 8) {
        width = pane.rect.columns - 3;
    }
    draw_bar(pane, 1, 2, width, ROLE_BAR, part);
    draw_format(pane, 1, width + 4, 26, ROLE_TEXT, "%llu of %llu",
                (unsigned long long)n->records_done, (unsigned long long)n->records_total);
}

static void draw(const struct panel_scene *scene, struct pane pane)
{
    const struct snapshot_normalise *n = &scene->snapshot->normalise;
    int row = 1;

    if (pane.rect.rows < 2) {
        return;
    }
    if (is_running(n)) {
        draw_progress(n, pane);
        row = 2;
    } else if (n->have_table) {
        char words[PANEL_TITLE_MAX];

        table_words(n, words);
        draw_text(pane, row++, 2, pane.rect.columns - 2, ROLE_TEXT, str_view(words));
    }
    if (n->message[0]) {
        draw_text(pane, row, 2, pane.rect.columns - 2,
                  n->state == NORMALISE_FAILED ? ROLE_BAD : ROLE_TEXT, str_view(n->message));
    } else if (n->have_table && !is_running(n)) {
        draw_format(pane, row, 2, pane.rect.columns - 2, ROLE_DIM, "in %s", n->output);
    } else if (!is_running(n)) {
        draw_text(pane, row, 2, pane.rect.columns - 2, ROLE_DIM,
                  STR("n makes a table of what has come so far"));
    }
}

const struct panel panel_normalise = {
    .name = "Normalise",
    .need = { .column = { 0, 0, 2 },
              .order = 30,
              .need = 2,
              .rows_min = 1,
              .rows_wanted = 3,
              .essential = true },
    .exists = panel_is_live,
    .title = title,
    .draw = draw,
};
