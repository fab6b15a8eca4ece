/* What each cap gave in this run: the memory of tuning. There when somebody keeps it. */

#include "ui/panel.h"

#include "base/units.h"
#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { CAP, TIME, RATE, P50, P95, THROTTLED, NOTE };

static const struct panel_column columns[] = {
    [CAP] = { "CAP", 5, 0, true },     [TIME] = { "TIME", 6, 0, true },
    [RATE] = { "REQ/S", 6, 0, true },  [P50] = { "P50", 5, 56, true },
    [P95] = { "P95", 5, 0, true },     [THROTTLED] = { "429%", 4, 0, true },
    [NOTE] = { "NOTE", 0, 44, false },
};

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->rung_count;
}

static uint64_t id(const void *context, size_t row)
{
    return ((const struct snapshot *)context)->rungs[row].cap;
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_rung *r = &((const struct snapshot *)context)->rungs[row];

    snprintf(text, size, "%u %s", r->cap, r->note);
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_rung *r = &s->rungs[row];

    switch (column) {
    case CAP:
        snprintf(out->text, PANEL_CELL_MAX, "%u", r->cap);
        out->role = r->cap == s->cap ? ROLE_NOTICE : ROLE_STRONG;
        break;
    case TIME:
        units_format_countdown(r->time_us, out->text);
        break;
    case RATE:
        format_rate(r->requests_per_s, out->text);
        out->role = ROLE_STRONG;
        break;
    case P50:
        format_ms(r->p50_us, out->text);
        break;
    case P95:
        format_ms(r->p95_us, out->text);
        break;
    case THROTTLED:
        format_rate(100 * r->throttled_part, out->text);
        out->role = r->throttled_part > 0.01 ? ROLE_WARN : ROLE_TEXT;
        break;
    default:
        snprintf(out->text, PANEL_CELL_MAX, "%s", r->note);
        out->role = ROLE_DIM;
        break;
    }
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_rung *x = &((const struct snapshot *)context)->rungs[a];
    const struct snapshot_rung *y = &((const struct snapshot *)context)->rungs[b];

    switch (column) {
    case TIME:
        return LIST_COMPARE(y->time_us, x->time_us);
    case RATE:
        return LIST_COMPARE(y->requests_per_s, x->requests_per_s);
    case P50:
        return LIST_COMPARE(x->p50_us, y->p50_us);
    case P95:
        return LIST_COMPARE(x->p95_us, y->p95_us);
    case THROTTLED:
        return LIST_COMPARE(x->throttled_part, y->throttled_part);
    case NOTE:
        return strcmp(x->note, y->note);
    default:
        return LIST_COMPARE(x->cap, y->cap);
    }
}

static bool exists(const struct snapshot *s)
{
    return s->rung_count > 0;
}

static int rows_wanted(const struct snapshot *s)
{
    return panel_rows(s->rung_count, 6);
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .nothing = "no cap was held long enough yet",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_rung *rung = &s->rungs[i];

    export_count(r, "cap", rung->cap);
    export_seconds(r, "time_s", rung->time_us);
    export_count(r, "requests", rung->requests);
    export_number(r, "req_per_s", rung->requests_per_s);
    export_number(r, "ideal_per_s", rung->ideal_per_s);
    export_ms(r, "p50_ms", rung->p50_us);
    export_ms(r, "p95_ms", rung->p95_us);
    export_number(r, "throttled", rung->throttled_part);
    export_text(r, "note", rung->note);
}

const struct panel panel_ladder = {
    .name = "Cap ladder",
    .need = { .column = { 0, 1, 1 }, .order = 45, .need = 7, .rows_min = 3, .rows_wanted = 4 },
    .rows_wanted = rows_wanted,
    .exists = exists,
    .source = &source,
    .table = &table,
    .export = { "ladder", export_fields },
};
