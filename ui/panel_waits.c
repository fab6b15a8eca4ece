/* Requests that must wait: how long, why, and who said so. The next due first. */

#include "ui/panel.h"

#include "base/clock.h"
#include "base/units.h"
#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { IN, TRY, WHY, SET_BY, REASON, HOST, REQUEST };

static const struct panel_column columns[] = {
    [IN] = { "IN", 5, 0, true },
    [TRY] = { "TRY", 4, 0, true },
    [WHY] = { "WHY", 8, 0, false },
    [SET_BY] = { "UNTIL SET BY", 24, 60, false },
    [REASON] = { "REASON", 22, 112, false },
    [HOST] = { "HOST", 16, 96, false },
    [REQUEST] = { "REQUEST", 0, 0, false },
};

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->wait_count;
}

static uint64_t id(const void *context, size_t row)
{
    return ((const struct snapshot *)context)->waits[row].id;
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    snapshot_wait_text(&((const struct snapshot *)context)->waits[row], text, size);
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_wait *w = &s->waits[row];
    char why[FAILURE_TEXT_MAX], set_by[DUE_TEXT_MAX];

    switch (column) {
    case IN:
        if (w->due_in_us == UINT64_MAX) {
            snprintf(out->text, PANEL_CELL_MAX, "held");
        } else if (w->due_in_us) {
            units_format_countdown(w->due_in_us, out->text);
        } else {
            snprintf(out->text, PANEL_CELL_MAX, "due");
        }
        out->role = ROLE_STRONG;
        break;
    case TRY:
        snprintf(out->text, PANEL_CELL_MAX, "%u/%u", w->attempt, w->attempts_max);
        out->role = w->attempt >= w->attempts_max ? ROLE_WARN : ROLE_TEXT;
        break;
    case WHY:
        failure_format_brief(w->why, why);
        snprintf(out->text, PANEL_CELL_MAX, "%s", why);
        out->role = ROLE_WARN;
        break;
    case SET_BY:
        snapshot_wait_set_by(w, set_by);
        snprintf(out->text, PANEL_CELL_MAX, "%s", set_by);
        break;
    case REASON:
        snprintf(out->text, PANEL_CELL_MAX, "%s", w->reason);
        break;
    case HOST:
        snprintf(out->text, PANEL_CELL_MAX, "%s", w->host);
        out->role = ROLE_DIM;
        break;
    default:
        panel_cell_request(out, w->request, w->key);
        break;
    }
}

static void add_cause(char text[PANEL_TITLE_MAX], const char *cause, uint32_t number)
{
    size_t used = strlen(text);

    if (number) {
        snprintf(text + used, PANEL_TITLE_MAX - used, "  %s:%u", cause, number);
    }
}

/* One host is told once, in its own panel. */
static bool is_idle(const struct snapshot *s, size_t column)
{
    return column == HOST && s->host_count == 1;
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    char next[UNITS_TEXT_MAX];

    (void)rows;
    snprintf(title_text, PANEL_TITLE_MAX, "Waiting %llu", (unsigned long long)s->waiting);
    add_cause(title_text, "429", s->wait_mix.throttled);
    add_cause(title_text, "5xx", s->wait_mix.server);
    add_cause(title_text, "net", s->wait_mix.network);
    add_cause(title_text, "other", s->wait_mix.other);
    if (s->waiting && s->next_due_in_us != TIME_NEVER) {
        units_format_countdown(s->next_due_in_us, next);
        snprintf(note, PANEL_TITLE_MAX, "next in %s", next);
    }
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_wait *x = &((const struct snapshot *)context)->waits[a];
    const struct snapshot_wait *y = &((const struct snapshot *)context)->waits[b];

    switch (column) {
    case IN:
        return LIST_COMPARE(x->due_in_us, y->due_in_us);
    case TRY:
        return LIST_COMPARE(y->attempt, x->attempt);
    case WHY:
        return failure_compare(x->why, y->why);
    case SET_BY:
        return due_compare(&x->due, &y->due);
    case REASON:
        return strcmp(x->reason, y->reason);
    case HOST:
        return strcmp(x->host, y->host);
    default:
        return strcmp(x->request, y->request);
    }
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .is_idle = is_idle,
    .nothing = "nothing has to wait",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_wait *w = &s->waits[i];
    char why[FAILURE_TEXT_MAX], set_by[DUE_TEXT_MAX];

    failure_format_brief(w->why, why);
    snapshot_wait_set_by(w, set_by);
    export_count(r, "id", w->id);
    export_text(r, "key", w->key);
    export_text(r, "host", w->host);
    export_text(r, "request", w->request);
    export_text(r, "why", why);
    export_text(r, "reason", w->reason);
    export_count(r, "attempt", w->attempt);
    export_count(r, "attempts_max", w->attempts_max);
    export_seconds(r, "due_in_s", w->due_in_us);
    export_text(r, "set_by", set_by);
}

static uint64_t request_id(const struct snapshot *s, size_t row)
{
    return s->waits[row].id;
}

static const char *host_of(const struct snapshot *s, size_t row)
{
    return s->waits[row].host;
}

const struct panel panel_waits = {
    .name = "Waiting",
    .need = { .column = { 0, 0, 0 },
              .order = 20,
              .need = 1,
              .rows_min = 4,
              .rows_wanted = 6,
              .essential = true,
              .elastic = true },
    .exists = panel_is_live,
    .source = &source,
    .table = &table,
    .title = title,
    .export = { "waiting", export_fields },
    .request_id = request_id,
    .host = host_of,
};
