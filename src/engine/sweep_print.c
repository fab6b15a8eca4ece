/*
 * What a sweep found: as a table with a plot for the terminal, as JSON, as a picture.
 */
#include "base/units.h"
#include "engine/sweep.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define PLOT_COLUMNS 40
#define SVG_WIDTH 640
#define SVG_HEIGHT 360
#define SVG_LEFT 70
#define SVG_RIGHT 20
#define SVG_TOP 40
#define SVG_BOTTOM 50

/* Appends until the first failure, which stays. */
struct writer {
    struct buf *out;
    enum result result;
};

static void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct writer *w, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (w->result == RESULT_OK) {
        w->result = buf_append_str(w->out, str_view(text));
    }
}

/* Seconds that a thousand requests take. */
static double per_1000(double per_s)
{
    return per_s > 0 ? 1000 / per_s : 0;
}

static double slowest(const struct sweep *s)
{
    double most = 0;

    for (size_t i = 0; i < s->row_count; i++) {
        most = fmax(most, per_1000(s->rows[i].requests_per_s));
        most = fmax(most, per_1000(s->rows[i].ideal_per_s));
    }
    return most > 0 ? most : 1;
}

static void put_table(struct writer *w, const struct sweep *s)
{
    put(w, "   cap     req/s    +-   ideal  of it   p50 ms   p95 ms   429s   time\n");
    for (size_t i = 0; i < s->row_count; i++) {
        const struct sweep_row *r = &s->rows[i];

        put(w, "%s%5u  %8.1f %4.1f%% %7.1f  %3.0f %%  %7.1f  %7.1f  %4.1f%%  %3.0f s\n",
            r->cap == s->recommended ? ">" : " ", r->cap, r->requests_per_s, 100 * r->interval_part,
            r->ideal_per_s, r->ideal_per_s > 0 ? 100 * r->requests_per_s / r->ideal_per_s : 0,
            (double)r->p50_us / 1000, (double)r->p95_us / 1000, 100 * r->throttled_part, r->time_s);
    }
}

/* A bar a cap; the ideal is a mark within or at the end of it. */
static void put_plot(struct writer *w, const struct sweep *s)
{
    double most = slowest(s);

    put(w, "\nseconds per 1000 requests (| is the ideal)\n");
    for (size_t i = 0; i < s->row_count; i++) {
        double took = per_1000(s->rows[i].requests_per_s);
        int bar = (int)lround(took / most * PLOT_COLUMNS);
        int ideal = (int)lround(per_1000(s->rows[i].ideal_per_s) / most * PLOT_COLUMNS);

        put(w, "%6u  ", s->rows[i].cap);
        for (int at = 1; at <= PLOT_COLUMNS; at++) {
            put(w, "%c", at == ideal ? '|' : at <= bar ? '#' : ' ');
        }
        put(w, "  %.1f\n", took);
    }
}

enum result sweep_text(const struct sweep *s, struct buf *out)
{
    struct writer w = { out, RESULT_OK };

    if (!s->row_count) {
        put(&w, "the job ended before anything could be measured\n");
        return w.result;
    }
    put_table(&w, s);
    put_plot(&w, s);
    if (s->recommended) {
        put(&w, "\nrecommended: -c %u (%s)\n", s->recommended, s->why);
        put(&w, "%.1f times as fast as one after the other%s\n", sweep_speedup(s),
            s->rows[0].cap == 1 ? "" : ", by the latency measured");
    } else {
        put(&w, "\n%s\n", s->why);
    }
    return w.result;
}

static void add_row(cJSON *list, const struct sweep_row *r)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddNumberToObject(item, "cap", r->cap);
    cJSON_AddNumberToObject(item, "req_per_s", units_figure(r->requests_per_s));
    cJSON_AddNumberToObject(item, "interval", units_figure(r->interval_part));
    cJSON_AddNumberToObject(item, "ideal_per_s", units_figure(r->ideal_per_s));
    cJSON_AddNumberToObject(item, "s_per_1000", units_figure(per_1000(r->requests_per_s)));
    cJSON_AddNumberToObject(item, "p50_ms", units_figure((double)r->p50_us / 1000));
    cJSON_AddNumberToObject(item, "p95_ms", units_figure((double)r->p95_us / 1000));
    cJSON_AddNumberToObject(item, "throttled", units_figure(r->throttled_part));
    cJSON_AddNumberToObject(item, "requests", (double)r->requests);
    cJSON_AddNumberToObject(item, "time_s", units_figure(r->time_s));
    cJSON_AddItemToArray(list, item);
}

enum result sweep_json(const struct sweep *s, struct buf *out)
{
    cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "steps");
    enum result result = RESULT_NOMEM;
    char *text;

    for (size_t i = 0; i < s->row_count; i++) {
        add_row(list, &s->rows[i]);
    }
    if (s->recommended) {
        cJSON_AddNumberToObject(root, "recommended", s->recommended);
    } else {
        cJSON_AddNullToObject(root, "recommended");
    }
    cJSON_AddStringToObject(root, "why", s->why);
    cJSON_AddNumberToObject(root, "speedup", units_figure(sweep_speedup(s)));
    text = cJSON_PrintUnformatted(root);
    if (text) {
        result = buf_append_str(out, str_view(text));
    }
    cJSON_free(text);
    cJSON_Delete(root);
    return result == RESULT_OK ? buf_append_char(out, '\n') : result;
}

/* Caps double from step to step, so their axis is logarithmic. */
static double svg_x(const struct sweep *s, unsigned cap)
{
    double first = log(s->rows[0].cap), last = log(s->rows[s->row_count - 1].cap);
    double part = last > first ? (log(cap) - first) / (last - first) : 0.5;

    return SVG_LEFT + part * (SVG_WIDTH - SVG_LEFT - SVG_RIGHT);
}

static double svg_y(double seconds, double most)
{
    return SVG_HEIGHT - SVG_BOTTOM - seconds / most * (SVG_HEIGHT - SVG_TOP - SVG_BOTTOM);
}

static void put_line(struct writer *w, const struct sweep *s, bool ideal, const char *style)
{
    double most = slowest(s);

    put(w, "<polyline fill=\"none\" %s points=\"", style);
    for (size_t i = 0; i < s->row_count; i++) {
        const struct sweep_row *r = &s->rows[i];

        put(w, "%.1f,%.1f ", svg_x(s, r->cap),
            svg_y(per_1000(ideal ? r->ideal_per_s : r->requests_per_s), most));
    }
    put(w, "\"/>\n");
}

enum result sweep_svg(const struct sweep *s, struct buf *out)
{
    struct writer w = { out, RESULT_OK };
    double most = slowest(s);

    put(&w,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "font-family=\"sans-serif\" font-size=\"13\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
        "<text x=\"%d\" y=\"22\">seconds per 1000 requests against the cap "
        "(dashed: ideal by Little's law)</text>\n",
        SVG_WIDTH, SVG_HEIGHT, SVG_LEFT);
    if (!s->row_count) {
        put(&w, "</svg>\n");
        return w.result;
    }
    for (int i = 0; i <= 4; i++) {
        double y = svg_y(most * i / 4, most);

        put(&w,
            "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>"
            "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>\n",
            SVG_LEFT, SVG_WIDTH - SVG_RIGHT, y, y, SVG_LEFT - 8, y + 4, most * i / 4);
    }
    put_line(&w, s, true, "stroke=\"#888\" stroke-dasharray=\"5 4\"");
    put_line(&w, s, false, "stroke=\"#1560bd\" stroke-width=\"2\"");
    for (size_t i = 0; i < s->row_count; i++) {
        const struct sweep_row *r = &s->rows[i];
        bool is_best = r->cap == s->recommended;

        put(&w,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\"/>"
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\"%s>%u</text>\n",
            svg_x(s, r->cap), svg_y(per_1000(r->requests_per_s), most), is_best ? 6 : 4,
            is_best ? "#d2691e" : "#1560bd", svg_x(s, r->cap), SVG_HEIGHT - SVG_BOTTOM + 20,
            is_best ? " font-weight=\"bold\"" : "", r->cap);
    }
    put(&w, "<text x=\"%d\" y=\"%d\">recommended: cap %u</text>\n</svg>\n", SVG_LEFT,
        SVG_HEIGHT - 8, s->recommended);
    return w.result;
}
