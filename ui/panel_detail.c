/* One request closely: where it is, its tries with their timings, headers, the head of the body. */

#include "ui/panel.h"

#include "base/units.h"
#include "ui/format.h"
#include "ui/pretty.h"

#include <stdio.h>

#define LINE_MAX_BYTES 640

/* The panel's text as lines, one after the other; nothing is kept. */
struct lines {
    void (*visit)(void *context, size_t index, enum role role, struct str text);
    void *context;
    size_t count;
};

static void line(struct lines *l, enum role role, struct str text)
{
    if (l->count < LIST_ROWS_MAX) {
        l->visit(l->context, l->count++, role, text);
    }
}

__attribute__((format(printf, 3, 4))) static void put(struct lines *l, enum role role,
                                                      const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line(l, role, str_view(text));
}

static void place_lines(struct lines *l, const struct snapshot_detail *d)
{
    char time[UNITS_TEXT_MAX], set_by[DUE_TEXT_MAX];

    switch (d->place) {
    case DETAIL_IN_FLIGHT:
        units_format_time(d->age_us, time);
        put(l, ROLE_STRONG, "in flight for %s, try %u of %u", time, d->attempt, d->attempts_max);
        break;
    case DETAIL_WAITING:
        if (d->due_in_us == UINT64_MAX) {
            snprintf(time, sizeof time, "until released");
        } else {
            units_format_countdown(d->due_in_us, time);
        }
        due_format(&d->due, set_by);
        put(l, ROLE_WARN, "waits %s, try %u of %u, %s", time, d->attempt, d->attempts_max, set_by);
        break;
    case DETAIL_DONE:
        put(l, ROLE_GOOD, "done at try %u", d->attempt);
        break;
    case DETAIL_FAILED:
        put(l, ROLE_BAD, "failed at try %u of %u", d->attempt, d->attempts_max);
        break;
    case DETAIL_NONE:
    case DETAIL_UNKNOWN:
        put(l, ROLE_DIM, "request %llu is not remembered here (any more);",
            (unsigned long long)d->id);
        put(l, ROLE_DIM, "scrapetop raw RUN KEY prints what was stored");
        break;
    }
}

static void attempt_lines(struct lines *l, const struct snapshot_attempt *a)
{
    char clock[FORMAT_MAX], bytes[FORMAT_MAX], total[FORMAT_MAX], first[FORMAT_MAX];
    char dns[FORMAT_MAX], connect[FORMAT_MAX], tls[FORMAT_MAX];

    format_clock(a->ended_wall_us, clock);
    format_size(a->wire_bytes, bytes);
    format_ms(a->total_us, total);
    format_ms(a->first_byte_us, first);
    format_ms(a->dns_us, dns);
    format_ms(a->connect_us, connect);
    format_ms(a->tls_us, tls);
    if (!a->total_us) { /* of an earlier session: the ledger has no more */
        put(l, ROLE_WARN, "try %u  %s  status %d", a->attempt, a->ended_wall_us ? clock : "",
            a->status);
        put(l, ROLE_DIM, "       %s", a->why);
        return;
    }
    put(l, a->why[0] ? ROLE_WARN : ROLE_TEXT, "try %u  %s  status %d  %s ms  %s bytes", a->attempt,
        clock, a->status, total, bytes);
    put(l, ROLE_DIM, "       dns %s  connect %s  tls %s  first byte %s ms%s", dns, connect, tls,
        first, a->reused ? "  (connection kept)" : "");
    if (a->why[0]) {
        put(l, ROLE_DIM, "       %s", a->why);
    }
}

static void header_lines(struct lines *l, const char *title, const char *headers)
{
    struct str rest = str_view(headers);

    if (!rest.len) {
        return;
    }
    line(l, ROLE_HEADING, str_view(title));
    while (rest.len) {
        struct str header = str_cut(&rest, '\n');

        put(l, ROLE_TEXT, "  %.*s", STR_ARG(header));
    }
}

static void body_line(void *context, struct str text)
{
    struct lines *l = context;

    put(l, ROLE_TEXT, "  %.*s", STR_ARG(text));
}

static void all_lines(struct lines *l, const struct snapshot_detail *d)
{
    char size[UNITS_TEXT_MAX];

    if (d->url[0]) {
        put(l, ROLE_STRONG, "%s %s", d->method, d->url);
        put(l, ROLE_DIM, "request %llu  key %s  endpoint %s", (unsigned long long)d->id, d->key,
            d->endpoint);
    }
    place_lines(l, d);
    for (size_t i = 0; i < d->attempt_count; i++) {
        attempt_lines(l, &d->attempts[i]);
    }
    header_lines(l, "sent", d->sent);
    header_lines(l, "headers of the answer", d->headers);
    if (d->body_shown) {
        units_format_bytes(d->body_bytes, size);
        put(l, ROLE_HEADING, d->body_shown < d->body_bytes ? "head of the body, %s" : "body, %s",
            size);
        pretty_lines((struct str){ d->body, d->body_shown }, body_line, l);
    }
}

/* --- as a list, which scrolls ----------------------------------------------------------------------- */

static void visit_nothing(void *context, size_t index, enum role role, struct str text)
{
    (void)context;
    (void)index;
    (void)role;
    (void)text;
}

static size_t count(const void *context)
{
    const struct snapshot_detail *d = &((const struct snapshot *)context)->detail;
    struct lines l = { .visit = visit_nothing };

    if (d->id) {
        all_lines(&l, d);
    }
    return l.count;
}

static uint64_t id(const void *context, size_t row)
{
    (void)context;
    return row + 1;
}

struct search {
    size_t row, size;
    char *text;
};

static void visit_search(void *context, size_t index, enum role role, struct str text)
{
    struct search *search = context;

    (void)role;
    if (index == search->row) {
        snprintf(search->text, search->size, "%.*s", STR_ARG(text));
    }
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    struct search search = { row, size, text };
    struct lines l = { .visit = visit_search, .context = &search };

    all_lines(&l, &((const struct snapshot *)context)->detail);
}

struct drawing {
    const struct panel_scene *scene;
    struct pane pane;
    size_t next; /* of the list's rows: they come in the order of the lines */
};

static void visit_draw(void *context, size_t index, enum role role, struct str text)
{
    struct drawing *drawing = context;
    const struct list *list = drawing->scene->list;
    struct pane pane = drawing->pane;
    int row;

    while (drawing->next < list->count && list->rows[drawing->next] < index) {
        drawing->next++;
    }
    if (drawing->next >= list->count || list->rows[drawing->next] != index ||
        drawing->next < list->top || drawing->next >= list->top + list->visible) {
        return;
    }
    row = 1 + (int)(drawing->next - list->top);
    if (index == 0) {
        draw_elided(pane, row, 1, pane.rect.columns - 1, role, text,
                    str_view(drawing->scene->snapshot->detail.key));
    } else {
        draw_text(pane, row, 1, pane.rect.columns - 1, role, text);
    }
    if (drawing->scene->focused && list->selecting && list->selected == drawing->next) {
        draw_text(pane, row, 0, 1, ROLE_TEXT, STR(">"));
        pane.canvas->cursor_row = pane.rect.row + row;
        pane.canvas->cursor_column = pane.rect.column;
    }
}

static void draw(const struct panel_scene *scene, struct pane pane)
{
    struct drawing drawing = { .scene = scene, .pane = pane };
    struct lines l = { .visit = visit_draw, .context = &drawing };

    if (scene->snapshot->detail.id) {
        all_lines(&l, &scene->snapshot->detail);
    }
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    (void)rows;
    snprintf(title_text, PANEL_TITLE_MAX, "Detail %s", s->detail.key);
    snprintf(note, PANEL_TITLE_MAX, "y copies as curl  Esc");
}

static bool exists(const struct snapshot *s)
{
    return s->detail.id != 0;
}

static const struct list_source source = { .count = count, .id = id, .text = text_of };

const struct panel panel_detail = {
    .name = "Detail",
    .need = { .column = { -1, -1, 2 },
              .order = 90,
              .need = 2,
              .rows_min = 6,
              .rows_wanted = 24,
              .elastic = true },
    .exists = exists,
    .source = &source,
    .title = title,
    .draw = draw,
};
