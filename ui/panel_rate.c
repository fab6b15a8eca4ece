/* Throughput over time with a mark where the cap was changed, and how long answers take. */

#include "ui/panel.h"

#include "base/clock.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

#define SPAN_S 60 /* what a graph shows at the least */
#define LABEL_COLUMNS 9
#define SHARE_COLUMNS 5
#define STEPS_MAX SNAPSHOT_SECONDS

/** Seconds gathered to the cells of a graph. */
struct step {
    double done_per_s, throttled_part;
    uint32_t cap, seconds;
    bool cap_changed, marked;
};

struct history {
    struct step steps[STEPS_MAX]; /* [0] is the latest */
    size_t count;
    unsigned step_s;
    double max_per_s;
};

/* Groups are cut at whole multiples of the step since the session began: a group then keeps its seconds while time
 * goes on, and the graph moves without changing its shape. When all has ended it stands still. */
static void gather(const struct snapshot *s, int width, struct history *h)
{
    uint64_t newest = s->started_ago_us / US_PER_S + SNAPSHOT_SECONDS; /* older ones are none */
    uint64_t last_group = 0;
    size_t seconds = s->second_count < SNAPSHOT_SECONDS ? s->second_count : SNAPSHOT_SECONDS;

    memset(h, 0, sizeof *h);
    width = width < 1 ? 1 : width > STEPS_MAX ? STEPS_MAX : width;
    h->step_s = (unsigned)((SPAN_S + width - 1) / width);
    for (size_t i = 0; i < seconds; i++) {
        const struct snapshot_second *second = &s->seconds[i];
        uint64_t group = (newest - i) / h->step_s;
        struct step *step;

        if (i == 0 || group != last_group) {
            if (h->count == (size_t)width) {
                break;
            }
            h->count++;
        }
        last_group = group;
        step = &h->steps[h->count - 1];
        step->done_per_s += second->done;
        step->throttled_part += second->throttled;
        step->cap = step->seconds++ ? step->cap : second->cap;
        step->cap_changed = step->cap_changed || second->cap_changed;
        step->marked = step->marked || second->marked;
    }
    for (size_t i = 0; i < h->count; i++) {
        struct step *step = &h->steps[i];
        double all = step->done_per_s + step->throttled_part;

        step->throttled_part = all > 0 ? step->throttled_part / all : 0;
        step->done_per_s /= step->seconds;
        h->max_per_s = step->done_per_s > h->max_per_s ? step->done_per_s : h->max_per_s;
    }
}

/* The next of 1, 2, 5, 10, 20, ...: an axis that people can read and that seldom changes. */
static double axis_top(double value)
{
    static const double heads[] = { 1, 2, 5 };
    double power = 1;

    for (int i = 0; i < 40; i++) {
        double top = heads[i % 3] * power;

        if (value <= top) {
            return top;
        }
        power *= i % 3 == 2 ? 10 : 1;
    }
    return value;
}

static void draw_columns(const struct history *h, struct pane pane, int rows, double top)
{
    for (size_t i = 0; i < h->count && (int)i < pane.rect.columns; i++) {
        double height = h->steps[i].done_per_s / top * rows;

        for (int row = 0; row < rows; row++) {
            double part = height - (rows - 1 - row);

            draw_level(pane, row, pane.rect.columns - 1 - (int)i, ROLE_BAR, part);
        }
    }
}

void rate_draw_graph(const struct snapshot *s, struct pane pane, int rows)
{
    struct history h;

    if (pane.rect.columns <= 0 || rows <= 0) {
        return;
    }
    gather(s, pane.rect.columns, &h);
    draw_columns(&h, pane, rows, axis_top(h.max_per_s));
}

/* Cells from the step's own to the next change of the cap, or to the edge. */
static int room_for_cap(const struct history *h, size_t step)
{
    int room = 1;

    while (step-- > 0 && !h->steps[step].cap_changed) {
        room++;
    }
    return room;
}

/* "cap 20____^24____": what the cap was, and where it became so. Half a number would be another one. */
static void draw_caps(const struct history *h, struct pane pane, int row)
{
    int columns = pane.rect.columns;

    for (size_t i = 0; i < h->count; i++) {
        if (h->steps[i].marked) { /* a note of the user's */
            draw_text(pane, row, columns - 1 - (int)i, 1, ROLE_NOTICE, STR("*"));
        } else {
            draw_glyph(pane, row, columns - 1 - (int)i, ROLE_TRACK, "\u2581", '_');
        }
    }
    for (size_t i = h->count; i-- > 0;) {
        int at = columns - 1 - (int)i;
        char text[FORMAT_MAX];

        if (!h->steps[i].cap_changed && i + 1 != h->count) {
            continue;
        }
        snprintf(text, sizeof text, "%s%u", h->steps[i].cap_changed ? "^" : "", h->steps[i].cap);
        if ((int)strlen(text) <= room_for_cap(h, i)) {
            draw_text(pane, row, at, columns - at, ROLE_NOTICE, str_view(text));
        } else if (h->steps[i].cap_changed) {
            draw_text(pane, row, at, 1, ROLE_NOTICE, STR("^"));
        }
    }
}

static void draw_throttled(const struct history *h, struct pane pane, int row)
{
    for (size_t i = 0; i < h->count; i++) {
        draw_level(pane, row, pane.rect.columns - 1 - (int)i, ROLE_WARN,
                   h->steps[i].throttled_part);
    }
}

static void draw_percentiles(const struct snapshot *s, struct pane pane, int row)
{
    static const char *const names[] = { "p50", "p90", "p95", "p99" };
    const uint64_t values[] = { s->p50_us, s->p90_us, s->p95_us, s->p99_us };
    int at = 2;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[FORMAT_MAX];

        format_ms(values[i], text);
        at = draw_text(pane, row, at, 3, ROLE_DIM, str_view(names[i])) + 1;
        draw_right(pane, row, at, 5, ROLE_STRONG, "%s", text);
        at += 7;
    }
    draw_text(pane, row, at - 1, 2, ROLE_DIM, STR("ms"));
}

struct bars {
    size_t count;
    struct bar {
        uint64_t answers, below_us; /* 0: all that take longer than those of the other bars */
    } bars[SNAPSHOT_LATENCY_BARS];
};

/* Two neighbours that have the fewest answers become one: what is left shows most where most answers are. */
static void merge_two(struct bars *b)
{
    size_t best = 0;

    for (size_t i = 1; i + 1 < b->count; i++) {
        if (b->bars[i].answers + b->bars[i + 1].answers <
            b->bars[best].answers + b->bars[best + 1].answers) {
            best = i;
        }
    }
    b->bars[best + 1].answers += b->bars[best].answers;
    memmove(&b->bars[best], &b->bars[best + 1], (b->count - best - 1) * sizeof b->bars[0]);
    b->count--;
}

/* The snapshot's, without the empty ones at both ends, `rows` at most. */
static struct bars bars_for(const struct snapshot *s, size_t rows)
{
    size_t from = 0, to = SNAPSHOT_LATENCY_BARS;
    struct bars b = { .count = 0 };

    while (from < to && !s->latency_count[from]) {
        from++;
    }
    while (to > from && !s->latency_count[to - 1]) {
        to--;
    }
    for (size_t i = from; i < to; i++) {
        b.bars[b.count++] = (struct bar){
            .answers = s->latency_count[i],
            .below_us = i + 1 < SNAPSHOT_LATENCY_BARS ? s->latency_low_us[i + 1] : 0,
        };
    }
    while (b.count > rows && b.count > 1) {
        merge_two(&b);
    }
    return b;
}

/* `part`: of all answers. */
static void draw_latency_bar(struct pane pane, int row, uint64_t below_us, double part_of_most,
                             double part)
{
    int width = pane.rect.columns - LABEL_COLUMNS - 6 - SHARE_COLUMNS;

    if (below_us) {
        draw_right(pane, row, 1, LABEL_COLUMNS, ROLE_DIM, "<%.7g", (double)below_us / US_PER_MS);
    } else {
        draw_right(pane, row, 1, LABEL_COLUMNS, ROLE_DIM, "more");
    }
    draw_text(pane, row, LABEL_COLUMNS + 1, 3, ROLE_DIM, STR(" ms"));
    draw_bar(pane, row, LABEL_COLUMNS + 5, width, ROLE_BAR, part_of_most);
    draw_right(pane, row, LABEL_COLUMNS + 5 + width, SHARE_COLUMNS, ROLE_TEXT,
               part > 0 && part < 0.005 ? "<1%%" : "%.0f%%", part * 100);
}

static void draw_latency(const struct snapshot *s, struct pane pane, int row, int rows)
{
    struct bars b = bars_for(s, rows > 0 ? (size_t)rows : 0);
    uint64_t most = 0, all = 0;

    if (rows <= 0) {
        return;
    }
    for (size_t i = 0; i < b.count; i++) {
        all += b.bars[i].answers;
        most = b.bars[i].answers > most ? b.bars[i].answers : most;
    }
    for (size_t i = 0; i < b.count; i++) {
        double answers = (double)b.bars[i].answers;

        draw_latency_bar(pane, row++, b.bars[i].below_us, answers / (double)most,
                         answers / (double)all);
    }
    if (!b.count) {
        draw_text(pane, row, 2, pane.rect.columns, ROLE_DIM,
                  s->is_fleet ? STR("each worker knows its own") : STR("no answer yet"));
    }
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    bool ended = run_state_has_ended(s->state);
    char rate[FORMAT_MAX];

    format_rate(ended ? s->requests_per_s_average : s->requests_per_s, rate);
    (void)rows;
    snprintf(title_text, PANEL_TITLE_MAX, "Rate and latency");
    snprintf(note, PANEL_TITLE_MAX, "%s%s req/s", ended ? "average " : "", rate);
}

static void draw(const struct panel_scene *scene, struct pane pane)
{
    const struct snapshot *s = scene->snapshot;
    int rows = pane.rect.rows - 1;
    int bars = scene->snapshot->is_replay ? 0
               : rows >= 24               ? 10
               : rows >= 14               ? 6
               : rows >= 11               ? rows - 8
                                          : 0;
    int graph = rows - 3 - bars;
    struct pane area =
        pane_part(pane, 1, LABEL_COLUMNS + 1, rows, pane.rect.columns - LABEL_COLUMNS - 2);
    struct history h;
    double top;

    if (graph < 1) {
        return;
    }
    gather(s, area.rect.columns, &h);
    top = axis_top(h.max_per_s);
    draw_right(pane, 1, 0, LABEL_COLUMNS, ROLE_DIM, "%.0f/s", top);
    if (graph > 2) {
        draw_right(pane, graph, 0, LABEL_COLUMNS, ROLE_DIM, "0");
    }
    draw_columns(&h, area, graph, top);
    draw_right(pane, graph + 1, 0, LABEL_COLUMNS, ROLE_DIM, "cap");
    draw_caps(&h, area, graph);
    draw_right(pane, graph + 2, 0, LABEL_COLUMNS, ROLE_DIM, "429");
    draw_throttled(&h, area, graph + 1);
    draw_percentiles(s, pane, graph + 3);
    draw_latency(s, pane, graph + 4, bars);
}

const struct panel panel_rate = {
    .name = "Rate and latency",
    .need = { .column = { 0, 1, 1 },
              .order = 40,
              .need = 4,
              .rows_min = 6,
              .rows_wanted = 15,
              .elastic = true },
    .title = title,
    .draw = draw,
};
