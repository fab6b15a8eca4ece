/* The accounts of each endpoint: what is done, how fast, and which pages are missing. */

#include "ui/panel.h"

#include "base/units.h"
#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { NAME, DONE, LEFT, RATE, P50, P95, THROTTLED, SERVER, ROWS, PAGES, MISSING };

static const struct panel_column columns[] = {
    [NAME] = { "ENDPOINT", 14, 0, false },  [DONE] = { "DONE", 6, 0, true },
    [LEFT] = { "LEFT", 6, 0, true },        [RATE] = { "REQ/S", 5, 54, true },
    [P50] = { "P50", 5, 100, true },        [P95] = { "P95", 5, 92, true },
    [THROTTLED] = { "429%", 4, 70, true },  [SERVER] = { "5XX%", 4, 100, true },
    [ROWS] = { "ROWS", 6, 84, true },       [PAGES] = { "PAGES", 11, 60, true },
    [MISSING] = { "MISSING", 0, 0, false },
};

static const struct snapshot_endpoint *endpoint_at(const void *context, size_t row)
{
    return &((const struct snapshot *)context)->endpoints[row];
}

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->endpoint_count;
}

static uint64_t left_of(const struct snapshot_endpoint *e)
{
    return e->planned > e->done + e->failed ? e->planned - e->done - e->failed : 0;
}

/* What is not there, first in a number; then in words, as far as there is room. */
static void missing_text(const struct snapshot_endpoint *e, struct panel_cell *out)
{
    char pages[FORMAT_MAX];
    bool is_bad = e->pages_missing || e->pages_cut || e->failed || e->records_missing;
    const char *end = e->listings ? page_end_words(e->pages_end) : "none";

    format_size(e->pages_missing, pages);
    if (e->pages_missing) {
        snprintf(out->text, PANEL_CELL_MAX, "%s page%s%s%s", pages, units_plural(e->pages_missing),
                 e->note[0] ? ": " : "", e->note);
    } else if (e->failed) {
        format_size(e->failed, pages);
        snprintf(out->text, PANEL_CELL_MAX, "%s failed%s%s", pages, e->note[0] ? ": " : "",
                 e->note);
    } else {
        snprintf(out->text, PANEL_CELL_MAX, "%s", e->note[0] ? e->note : end);
    }
    out->role = is_bad ? ROLE_BAD : e->note[0] ? ROLE_WARN : ROLE_DIM;
}

static void pages_text(const struct snapshot_endpoint *e, char *text)
{
    char got[FORMAT_MAX], expected[FORMAT_MAX];

    if (!e->pages_known) {
        snprintf(text, PANEL_CELL_MAX, "--");
        return;
    }
    format_size(e->pages_got, got);
    format_size(e->pages_expected, expected);
    snprintf(text, PANEL_CELL_MAX, "%s/%s", got, e->pages_expected ? expected : "?");
}

static uint64_t id(const void *context, size_t row)
{
    return list_id_of_text(endpoint_at(context, row)->name);
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_endpoint *e = endpoint_at(context, row);

    snprintf(text, size, "%s %s", e->name, e->note);
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_endpoint *e = &s->endpoints[row];

    switch (column) {
    case NAME:
        snprintf(out->text, PANEL_CELL_MAX, "%s", e->name);
        break;
    case DONE:
        format_size(e->done, out->text);
        out->role = ROLE_STRONG;
        break;
    case LEFT:
        format_size(left_of(e), out->text);
        break;
    case RATE:
        format_rate(e->requests_per_s, out->text);
        break;
    case P50:
        format_ms(e->p50_us, out->text);
        break;
    case P95:
        format_ms(e->p95_us, out->text);
        break;
    case THROTTLED:
        format_rate(100 * e->throttled_part, out->text);
        out->role = e->throttled_part > 0.01 ? ROLE_WARN : ROLE_TEXT;
        break;
    case SERVER:
        format_rate(100 * e->server_error_part, out->text);
        out->role = e->server_error_part > 0.01 ? ROLE_BAD : ROLE_TEXT;
        break;
    case ROWS:
        if (e->rows) {
            format_size(e->rows, out->text);
        } else {
            snprintf(out->text, PANEL_CELL_MAX, "--");
        }
        break;
    case PAGES:
        pages_text(e, out->text);
        break;
    default:
        missing_text(e, out);
        break;
    }
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_endpoint *x = endpoint_at(context, a), *y = endpoint_at(context, b);

    switch (column) {
    case DONE:
        return LIST_COMPARE(y->done, x->done);
    case LEFT:
        return LIST_COMPARE(left_of(y), left_of(x));
    case RATE:
        return LIST_COMPARE(y->requests_per_s, x->requests_per_s);
    case P50:
        return LIST_COMPARE(y->p50_us, x->p50_us);
    case P95:
        return LIST_COMPARE(y->p95_us, x->p95_us);
    case THROTTLED:
        return LIST_COMPARE(y->throttled_part, x->throttled_part);
    case SERVER:
        return LIST_COMPARE(y->server_error_part, x->server_error_part);
    case ROWS:
        return LIST_COMPARE(y->rows, x->rows);
    case PAGES:
        return LIST_COMPARE(y->pages_got, x->pages_got);
    case MISSING:
        return LIST_COMPARE(y->pages_missing + y->failed, x->pages_missing + x->failed);
    default:
        return strcmp(x->name, y->name);
    }
}

static bool exists(const struct snapshot *s)
{
    return s->endpoint_count > 0;
}

static int rows_wanted(const struct snapshot *s)
{
    return panel_rows(s->endpoint_count, 8);
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .nothing = "no endpoint asked yet",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_endpoint *e = &s->endpoints[i];

    export_text(r, "name", e->name);
    export_count(r, "requests", e->planned);
    export_count(r, "ok", e->done);
    export_count(r, "failed", e->failed);
    export_count(r, "waiting", e->waiting);
    export_number(r, "req_per_s", e->requests_per_s);
    export_ms(r, "p50_ms", e->p50_us);
    export_ms(r, "p95_ms", e->p95_us);
    export_number(r, "throttled", e->throttled_part);
    export_number(r, "server_errors", e->server_error_part);
    export_known(r, "rows", e->rows > 0, (double)e->rows);
    export_known(r, "expected", e->pages_known, (double)e->pages_expected);
    export_known(r, "got", e->pages_known, (double)e->pages_got);
    export_known(r, "missing_count", e->pages_known, (double)e->pages_missing);
    export_text(r, "ended", e->listings ? page_end_name(e->pages_end) : "");
    export_known(r, "records", e->listings > 0, (double)e->records);
    export_known(r, "records_missing", e->listings > 0, (double)e->records_missing);
    export_text(r, "note", e->note);
}

const struct panel panel_endpoints = {
    .name = "Endpoints",
    .need = { .column = { 0, 0, 0 }, .order = 100, .need = 5, .rows_min = 3, .rows_wanted = 4 },
    .rows_wanted = rows_wanted,
    .exists = exists,
    .source = &source,
    .table = &table,
    .export = { "endpoints", export_fields },
};
