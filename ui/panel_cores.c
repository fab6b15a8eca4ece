/* How busy each core is, and whether the program or the network sets the pace. */

#include "ui/panel.h"

#include "base/clock.h"
#include "base/units.h"
#include "ui/format.h"

#include <stdio.h>

#define WORDS_ROWS 2

static double share(const struct snapshot *s, size_t core)
{
    return (double)s->cores[core].busy_percent / 100;
}

static enum role role_of(double part)
{
    return part >= 0.9 ? ROLE_WARN : ROLE_BAR;
}

/* "12[|||     41%]": number, bar, figure. */
static void draw_core(const struct snapshot *s, size_t core, struct pane pane, int row, int at,
                      int width)
{
    double part = share(s, core);
    int bar = width - 4 - 6 - 1;

    draw_right(pane, row, at, 3, ROLE_DIM, "%zu", core);
    if (bar >= 3) {
        draw_bar(pane, row, at + 4, bar, role_of(part), part);
    } else {
        draw_level(pane, row, at + 3, role_of(part), part);
    }
    draw_right(pane, row, at + width - 6, 5, ROLE_TEXT, bar >= 3 ? "%.0f%%" : "%.0f", part * 100);
}

/* One glyph a core, and the busiest in figures. */
static void draw_levels(const struct snapshot *s, struct pane pane, int row, int rows)
{
    int per_row = pane.rect.columns > 24 ? pane.rect.columns - 14 : pane.rect.columns;
    size_t busiest = 0;

    for (size_t i = 0; i < s->core_count; i++) {
        int line = (int)i / per_row;

        busiest = s->cores[i].busy_percent > s->cores[busiest].busy_percent ? i : busiest;
        if (line < rows) {
            draw_level(pane, row + line, (int)i % per_row, role_of(share(s, i)), share(s, i));
        }
    }
    if (pane.rect.columns > 24) {
        draw_right(pane, row, per_row, 13, ROLE_TEXT, "max %zu: %.0f%%", busiest,
                   share(s, busiest) * 100);
    }
}

void cores_draw_grid(const struct snapshot *s, struct pane pane, int row, int rows)
{
    static const int widths[] = { 24, 18, 14, 9 };

    if (!s->core_count || rows <= 0) {
        return;
    }
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        int per_row = pane.rect.columns / widths[i];
        int width;

        if (per_row < 1 || (size_t)per_row * (size_t)rows < s->core_count) {
            continue;
        }
        /* No wider than is needed for them all: bars that fit the eye, and no dance. */
        if (rows > 1 && (size_t)per_row > s->core_count) {
            per_row = (int)s->core_count;
        }
        width = pane.rect.columns / per_row;
        width = width > 40 ? 40 : width;
        for (size_t core = 0; core < s->core_count; core++) {
            draw_core(s, core, pane, row + (int)core / per_row, (int)core % per_row * width, width);
        }
        return;
    }
    draw_levels(s, pane, row, rows);
}

static const char *verdict(const struct snapshot *s)
{
    if (s->loop_cpu_percent >= 90) {
        return "loop thread is full";
    }
    if (s->fetch_cpu_percent >= 90) {
        return "a fetch thread is full";
    }
    if (s->io_ratio >= 0.8) {
        return "network-bound";
    }
    return s->io_ratio >= 0.5 ? "mostly network" : "CPU-bound";
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    (void)rows;
    snprintf(title_text, PANEL_TITLE_MAX, "Cores");
    if (s->fetch_threads) {
        snprintf(note, PANEL_TITLE_MAX, "loop %3.0f%%  %u fetch %3.0f%%", s->loop_cpu_percent,
                 s->fetch_threads, s->fetch_cpu_percent);
        return;
    }
    snprintf(note, PANEL_TITLE_MAX, "loop %3.0f%%", s->loop_cpu_percent);
}

static void draw(const struct panel_scene *scene, struct pane pane)
{
    const struct snapshot *s = scene->snapshot;
    int rows = pane.rect.rows - 1;
    int words = rows > WORDS_ROWS ? WORDS_ROWS : rows - 1;
    char up[UNITS_TEXT_MAX], lag[FORMAT_MAX], memory[UNITS_TEXT_MAX];

    cores_draw_grid(s, pane, 1, rows - (words > 0 ? words : 0));
    if (words < 1) {
        return;
    }
    units_format_time(s->started_ago_us, up);
    draw_format(pane, pane.rect.rows - words, 1, pane.rect.columns - 1, ROLE_TEXT,
                "I/O %.1f%%  %s  cpu %.1fs of %s", s->io_ratio * 100, verdict(s), s->cpu_s, up);
    if (words < 2) {
        return;
    }
    format_ms(s->loop_lag_p99_us, lag);
    units_format_bytes(s->rss_bytes, memory);
    draw_format(pane, pane.rect.rows - 1, 1, pane.rect.columns - 1, ROLE_DIM,
                "lag p99 %s ms  memory %s  fds %u/%u", lag, memory, s->descriptors,
                s->descriptors_max);
}

static int rows_wanted(const struct snapshot *s)
{
    int rows = ((int)s->core_count + 1) / 2;

    return 1 + (rows > 8 ? 8 : rows) + WORDS_ROWS;
}

const struct panel panel_cores = {
    .name = "Cores",
    .need = { .column = { 0, 1, 2 }, .order = 50, .need = 7, .rows_min = 4, .rows_wanted = 4 },
    .rows_wanted = rows_wanted,
    .exists = panel_is_live,
    .title = title,
    .draw = draw,
};
