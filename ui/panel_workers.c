/* Those that work on one job together, the ones heard last first: there when a fleet is looked at. */

#include "ui/panel.h"

#include "base/units.h"
#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { NAME, STATE, PID, IN_FLIGHT, RATE, OK, FAILED, FOUND, HEARD, WHERE };

static const struct panel_column columns[] = {
    [NAME] = { "WORKER", 20, 0, false }, [STATE] = { "STATE", 7, 0, false },
    [PID] = { "PID", 7, 120, true },     [IN_FLIGHT] = { "FLY", 4, 0, true },
    [RATE] = { "REQ/S", 6, 0, true },    [OK] = { "OK", 6, 0, true },
    [FAILED] = { "FAIL", 5, 0, true },   [FOUND] = { "FOUND", 6, 110, true },
    [HEARD] = { "HEARD", 6, 72, true },  [WHERE] = { "DIRECTORY", 0, 80, false },
};

static const struct snapshot_worker *worker_at(const void *context, size_t row)
{
    return &((const struct snapshot *)context)->workers[row];
}

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->worker_count;
}

/* Of the name: a PID is another's after a restart. */
static uint64_t id(const void *context, size_t row)
{
    uint64_t sum = 5381;

    for (const char *c = worker_at(context, row)->name; *c; c++) {
        sum = sum * 33 + (unsigned char)*c;
    }
    return sum;
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_worker *w = worker_at(context, row);

    snprintf(text, size, "%s %s %s %s", w->name, worker_state_word(w->state), w->host, w->run);
}

static enum role state_role(enum worker_state state)
{
    return state == WORKER_AT_WORK ? ROLE_GOOD : state == WORKER_GONE ? ROLE_WARN : ROLE_DIM;
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_worker *w = worker_at(s, row);

    switch (column) {
    case NAME:
        snprintf(out->text, PANEL_CELL_MAX, "%s", w->name);
        out->role = ROLE_STRONG;
        break;
    case STATE:
        snprintf(out->text, PANEL_CELL_MAX, "%s", worker_state_word(w->state));
        out->role = state_role(w->state);
        break;
    case PID:
        snprintf(out->text, PANEL_CELL_MAX, "%llu", (unsigned long long)w->pid);
        break;
    case IN_FLIGHT:
        snprintf(out->text, PANEL_CELL_MAX, "%llu", (unsigned long long)w->in_flight);
        break;
    case RATE:
        format_rate(w->requests_per_s, out->text);
        out->role = ROLE_STRONG;
        break;
    case OK:
        units_format_count(w->ok, out->text);
        break;
    case FAILED:
        units_format_count(w->failed, out->text);
        out->role = w->failed ? ROLE_BAD : ROLE_TEXT;
        break;
    case FOUND:
        units_format_count(w->found, out->text);
        break;
    case HEARD:
        format_age(w->heard_ago_us, out->text);
        out->role = ROLE_DIM;
        break;
    default:
        snprintf(out->text, PANEL_CELL_MAX, "%.60s:%.190s", w->host, w->run);
        out->role = ROLE_DIM;
        break;
    }
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_worker *x = worker_at(context, a), *y = worker_at(context, b);

    switch (column) {
    case NAME:
        return strcmp(x->name, y->name);
    case STATE:
        return LIST_COMPARE(x->state, y->state);
    case PID:
        return LIST_COMPARE(x->pid, y->pid);
    case IN_FLIGHT:
        return LIST_COMPARE(y->in_flight, x->in_flight);
    case RATE:
        return LIST_COMPARE(y->requests_per_s, x->requests_per_s);
    case OK:
        return LIST_COMPARE(y->ok, x->ok);
    case FAILED:
        return LIST_COMPARE(y->failed, x->failed);
    case FOUND:
        return LIST_COMPARE(y->found, x->found);
    case HEARD:
        return LIST_COMPARE(x->heard_ago_us, y->heard_ago_us);
    default:
        return strcmp(x->run, y->run);
    }
}

static bool exists(const struct snapshot *s)
{
    return s->is_fleet;
}

static int rows_wanted(const struct snapshot *s)
{
    return panel_rows(s->worker_count, 20);
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    size_t live = 0;

    (void)rows;
    (void)note;
    for (size_t i = 0; i < s->worker_count; i++) {
        live += s->workers[i].state == WORKER_AT_WORK;
    }
    snprintf(title_text, PANEL_TITLE_MAX, "Workers %s%zu at work, %zu not",
             s->worker_count == SNAPSHOT_WORKERS_MAX ? "of those heard last, " : "", live,
             s->worker_count - live);
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .nothing = "no worker has been at it",
    .order = "heard last first",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_worker *w = &s->workers[i];

    export_text(r, "worker", w->name);
    export_text(r, "state", worker_state_word(w->state));
    export_text(r, "host", w->host);
    export_text(r, "run", w->run);
    export_count(r, "pid", w->pid);
    export_count(r, "in_flight", w->in_flight);
    export_number(r, "req_per_s", w->requests_per_s);
    export_count(r, "ok", w->ok);
    export_count(r, "failed", w->failed);
    export_count(r, "found_not_done", w->found);
    export_seconds(r, "heard_ago_s", w->heard_ago_us);
}

const struct panel panel_workers = {
    .name = "Workers",
    .need = { .column = { 0, 0, 0 },
              .order = 5,
              .need = 1,
              .rows_min = 3,
              .rows_wanted = 6,
              .essential = true,
              .elastic = true },
    .rows_wanted = rows_wanted,
    .exists = exists,
    .source = &source,
    .table = &table,
    .title = title,
    .export = { "workers", export_fields },
};
