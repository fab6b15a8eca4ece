#include "history/page_chart.h"

#include "base/clock.h"

#include <math.h>

#define BINS 240
#define WIDTH 960
#define LEFT 52
#define RIGHT 8
#define TOP 8
#define BOTTOM 20
#define TICKS 8 /* on the time axis, at most */
#define TITLE_MAX 200

static const struct {
    const char *class, *words;
} kind_rows[STORY_KINDS] = {
    [STORY_CAP] = { "cap", "changes of cap or rate" },
    [STORY_HOLD] = { "hold", "holds of a host" },
    [STORY_RULE] = { "rule", "rules by event" },
    [STORY_PAUSE] = { "pause", "pauses and drains" },
    [STORY_NOTE] = { "note", "notes" },
    [STORY_ERROR] = { "error", "errors" },
    [STORY_SESSION] = { "session", "further sessions" },
};

struct chart {
    struct page_out *out;
    const struct run_story *story;
    double height;      /* of the plot */
    double span_s, top; /* what the axes end with */
};

static double x_of(const struct chart *c, double t_s)
{
    return LEFT + t_s / c->span_s * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct chart *c, double value)
{
    return TOP + c->height * (1 - (value < c->top ? value : c->top) / c->top);
}

/* 1, 2 or 5 times a power of ten. */
static double nice_above(double value)
{
    double power = pow(10, floor(log10(value > 0 ? value : 1)));
    double part = value / power;

    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/* --- bins ---------------------------------------------------------------------------------------------------- */

struct bins {
    double of[BINS], weight[BINS];
};

/* So much, evenly between two times. */
static void spread(const struct chart *c, struct bins *b, double from_s, double to_s, double amount)
{
    double bin_s = c->span_s / BINS;
    size_t at = (size_t)(from_s / bin_s);

    for (; at < BINS && (double)at * bin_s < to_s; at++) {
        double low = fmax(from_s, (double)at * bin_s), high = fmin(to_s, (double)(at + 1) * bin_s);

        if (high > low) {
            b->of[at] += amount * (high - low) / (to_s - from_s);
            b->weight[at] += high - low;
        }
    }
}

static uint64_t bad_of(const struct snapshot_status_mix *mix)
{
    return mix->throttled + mix->server_error + mix->client_error + mix->network;
}

static double grown(uint64_t from, uint64_t to)
{
    return to > from ? (double)(to - from) : 0;
}

/* A second's: what ended, and which answers were bad. */
static void fill_rates(const struct chart *c, struct bins *ended, struct bins *bad)
{
    *ended = *bad = (struct bins){ .of = { 0 } };
    for (size_t i = 1; i < c->story->point_count; i++) {
        const struct story_point *a = &c->story->points[i - 1], *b = &c->story->points[i];

        if (b->begins || b->t_s <= a->t_s) {
            continue;
        }
        spread(c, ended, a->t_s, b->t_s,
               grown(a->sample.ok + a->sample.failed, b->sample.ok + b->sample.failed));
        spread(c, bad, a->t_s, b->t_s, grown(bad_of(&a->sample.mix), bad_of(&b->sample.mix)));
    }
    for (size_t i = 0; i < BINS; i++) {
        ended->of[i] = ended->weight[i] > 0 ? ended->of[i] / ended->weight[i] : 0;
        bad->of[i] = bad->weight[i] > 0 ? bad->of[i] / bad->weight[i] : 0;
    }
}

static double largest(const struct bins *b)
{
    double most = 0;

    for (size_t i = 0; i < BINS; i++) {
        most = fmax(most, b->of[i]);
    }
    return most;
}

/* --- drawing -------------------------------------------------------------------------------------------------- */

static void put_points(const struct chart *c, const struct bins *b)
{
    for (size_t i = 0; i < BINS; i++) {
        if (b->weight[i] > 0) {
            page_put(c->out, "%.1f,%.1f ", x_of(c, ((double)i + 0.5) * c->span_s / BINS),
                     y_of(c, b->of[i]));
        }
    }
}

static void put_area(const struct chart *c, const struct bins *b, const char *class)
{
    size_t first = 0, last = BINS;

    while (first < BINS && b->weight[first] <= 0) {
        first++;
    }
    while (last > first && b->weight[last - 1] <= 0) {
        last--;
    }
    if (first == last) {
        return;
    }
    page_put(c->out, "<polygon class=\"%s\" points=\"%.1f,%.1f ", class,
             x_of(c, ((double)first + 0.5) * c->span_s / BINS), TOP + c->height);
    put_points(c, b);
    page_put(c->out, "%.1f,%.1f\"/>", x_of(c, ((double)last - 0.5) * c->span_s / BINS),
             TOP + c->height);
}

static void put_line(const struct chart *c, const struct bins *b, const char *class)
{
    page_put(c->out, "<polyline class=\"%s\" points=\"", class);
    put_points(c, b);
    page_put(c->out, "\"/>");
}

/* "20 s", "1:20", "3 min", "1:30 h", "2 d". */
static void put_time(struct page_out *p, double s)
{
    unsigned long long whole = (unsigned long long)llround(s);

    if (s < 60) {
        page_put(p, "%g s", s);
    } else if (s < 3600 && whole % 60) {
        page_put(p, "%llu:%02llu", whole / 60, whole % 60);
    } else if (s < 3600) {
        page_put(p, "%llu min", whole / 60);
    } else if (s < 86400 && whole % 3600) {
        page_put(p, "%llu:%02llu h", whole / 3600, whole % 3600 / 60);
    } else if (s < 86400) {
        page_put(p, "%llu h", whole / 3600);
    } else {
        page_put(p, "%.3g d", s / 86400);
    }
}

static double time_step(double span_s)
{
    static const double steps[] = { 0.1,  0.2,   0.5,   1,     2,     5,      10,    20,
                                    30,   60,    120,   300,   600,   1200,   1800,  3600,
                                    7200, 10800, 21600, 43200, 86400, 172800, 604800 };
    size_t i = 0;

    while (i + 1 < sizeof steps / sizeof steps[0] && span_s / steps[i] > TICKS) {
        i++;
    }
    return steps[i] * ceil(span_s / steps[i] / TICKS > 1 ? span_s / steps[i] / TICKS : 1);
}

static void put_value(struct page_out *p, double value, bool is_time)
{
    if (!is_time) {
        page_put(p, value < 10000 ? "%g" : "%.3gk", value < 10000 ? value : value / 1000);
    } else if (value < 1000) {
        page_put(p, "%g ms", value);
    } else {
        page_put(p, "%g s", value / 1000);
    }
}

static void put_axes(const struct chart *c, bool is_time)
{
    double step = time_step(c->span_s);

    for (int i = 0; i <= 2; i++) {
        double value = c->top * i / 2, y = y_of(c, value);

        page_put(c->out,
                 "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                 "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
                 LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4);
        put_value(c->out, value, is_time);
        page_put(c->out, "</text>");
    }
    for (double t_s = 0; t_s <= c->span_s; t_s += step) {
        page_put(c->out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
                 x_of(c, t_s), TOP + c->height + 15, t_s > 0 ? "middle" : "start");
        put_time(c->out, t_s);
        page_put(c->out, "</text>");
    }
}

/* Bands for holds, behind the curves. */
static void put_holds(const struct chart *c)
{
    for (size_t i = 0; i < c->story->mark_count; i++) {
        const struct story_mark *m = &c->story->marks[i];
        double end_s = fmin(m->t_s + m->held_s, c->span_s);

        if (m->kind == STORY_HOLD && m->held_s > 0) {
            page_put(c->out,
                     "<rect class=\"band\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%g\"/>",
                     x_of(c, m->t_s), TOP, fmax(1, x_of(c, end_s) - x_of(c, m->t_s)), c->height);
        }
    }
}

static void put_marks(const struct chart *c, bool has_titles)
{
    for (size_t i = 0; i < c->story->mark_count; i++) {
        const struct story_mark *m = &c->story->marks[i];
        double x = x_of(c, m->t_s);

        page_put(c->out, "<g class=\"mark %s\"><line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%g\"/>",
                 kind_rows[m->kind].class, x, x, TOP, TOP + c->height);
        if (has_titles) {
            page_put(c->out, "<circle cx=\"%.1f\" cy=\"%d\" r=\"3.5\"/><title>", x, TOP);
            page_text(c->out, str_view(m->text), TITLE_MAX);
            page_put(c->out, "</title>");
        }
        page_put(c->out, "</g>");
    }
}

static void begin(struct chart *c, struct page_out *p, const struct run_story *story, double height,
                  const char *label)
{
    *c = (struct chart){ p, story, height, fmax(story->ran_s, 0.1), 1 };
    page_put(p, "<svg viewBox=\"0 0 %d %g\" role=\"img\" aria-label=\"%s\">", WIDTH,
             TOP + height + BOTTOM, label);
}

void page_chart_rate(struct page_out *p, const struct run_story *story)
{
    struct bins ended, bad;
    struct chart c;

    begin(&c, p, story, 150, "Requests a second over time");
    fill_rates(&c, &ended, &bad);
    c.top = nice_above(fmax(largest(&ended), largest(&bad)));
    put_holds(&c);
    put_axes(&c, false);
    put_area(&c, &ended, "area");
    put_line(&c, &ended, "curve");
    if (largest(&bad) > 0) {
        put_area(&c, &bad, "area bad");
        put_line(&c, &bad, "curve bad");
    }
    put_marks(&c, true);
    page_put(p, "</svg>");
}

void page_chart_latency(struct page_out *p, const struct run_story *story)
{
    struct bins b = { .of = { 0 } };
    struct chart c;

    begin(&c, p, story, 80, "Latency over time");
    for (size_t i = 0; i < story->point_count; i++) {
        const struct story_point *point = &story->points[i];
        uint64_t us = point->sample.p95_now_us ? point->sample.p95_now_us : point->sample.p95_us;
        double at = point->t_s / c.span_s * BINS;
        size_t bin = at < BINS - 1 ? (size_t)at : BINS - 1;

        if (us) {
            b.of[bin] = fmax(b.of[bin], (double)us / US_PER_MS);
            b.weight[bin] = 1;
        }
    }
    c.top = nice_above(largest(&b));
    put_holds(&c);
    put_axes(&c, true);
    put_line(&c, &b, "curve latency");
    put_marks(&c, false);
    page_put(p, "</svg>");
}

/* Where the line of the cap is: at `x`, and it has been between `low` and `high` within that pixel. */
struct cap_line {
    double x, y, low, high;
};

static void put_cap_end(const struct chart *c, const struct cap_line *at)
{
    if (at->low < at->high) {
        page_put(c->out, "%.1f,%.1f %.1f,%.1f %.1f,%.1f ", at->x, at->low, at->x, at->high, at->x,
                 at->y);
    }
}

/* As it stood until the next moment. Of a long run many changes are at one pixel: they are one stroke there. */
static void put_cap(const struct chart *c)
{
    const struct story_point *points = c->story->points;
    size_t count = c->story->point_count;
    struct cap_line at = { 0 };

    page_put(c->out, "<polyline class=\"curve cap\" points=\"");
    for (size_t i = 0; i < count; i++) {
        double x = x_of(c, points[i].t_s), y = y_of(c, points[i].sample.cap);

        if (i && i + 1 < count && points[i].sample.cap == points[i - 1].sample.cap) {
            continue;
        }
        if (i && x < at.x + 1) {
            at.low = fmin(at.low, y);
            at.high = fmax(at.high, y);
            at.y = y;
            continue;
        }
        if (i) {
            put_cap_end(c, &at);
            page_put(c->out, "%.1f,%.1f ", x, at.y);
        }
        at = (struct cap_line){ x, y, y, y };
        page_put(c->out, "%.1f,%.1f ", x, y);
    }
    put_cap_end(c, &at);
    page_put(c->out, "\"/>");
}

void page_chart_flight(struct page_out *p, const struct run_story *story)
{
    struct bins b = { .of = { 0 } };
    double most = 1;
    struct chart c;

    begin(&c, p, story, 60, "Requests in flight over time");
    for (size_t i = 0; i < story->point_count; i++) {
        const struct story_point *point = &story->points[i];
        double at = point->t_s / c.span_s * BINS;
        size_t bin = at < BINS - 1 ? (size_t)at : BINS - 1;

        b.of[bin] = fmax(b.of[bin], (double)point->sample.in_flight);
        b.weight[bin] = 1;
        most = fmax(most, fmax(point->sample.cap, b.of[bin]));
    }
    c.top = nice_above(most);
    put_axes(&c, false);
    put_area(&c, &b, "area flight");
    put_cap(&c);
    page_put(p, "</svg>");
}

void page_chart_legend(struct page_out *p, const struct run_story *story)
{
    page_put(p, "<p class=\"legend\"><span class=\"key curve\">requests that ended, a second</span>"
                "<span class=\"key bad\">answers refused, wrong or missing</span>");
    for (int i = 0; i < STORY_KINDS; i++) {
        if (story->kinds[i]) {
            page_put(p, "<span class=\"key %s\">%s: %llu", kind_rows[i].class, kind_rows[i].words,
                     (unsigned long long)story->kinds[i]);
            if (story->left_out[i]) {
                page_put(p, ", of which the first %d are marked", STORY_MARKS_MAX);
            }
            page_put(p, "</span>");
        }
    }
    page_put(p, "</p>");
}
