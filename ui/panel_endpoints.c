/* The accounts of each endpoint: what is done, how fast, and which pages are missing. */

#include "ui/panel.h"

#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { NAME, DONE, LEFT, RATE, P50, P95, THROTTLED, SERVER, RECORDS, MISSING };

static const struct panel_column columns[] = {
    [NAME] = { "ENDPOINT", 14, 0, false },  [DONE] = { "DONE", 6, 0, true },
    [LEFT] = { "LEFT", 6, 0, true },        [RATE] = { "REQ/S", 5, 0, true },
    [P50] = { "P50", 5, 84, true },         [P95] = { "P95", 5, 60, true },
    [THROTTLED] = { "429%", 4, 60, true },  [SERVER] = { "5XX%", 4, 84, true },
    [RECORDS] = { "RECORDS", 8, 72, true }, [MISSING] = { "MISSING PAGES", 0, 0, false },
};

static const struct snapshot_endpoint *endpoint_at(const void *context, size_t row)
{
    return &((const struct snapshot *)context)->endpoints[row];
}

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->endpoint_count;
}

static uint64_t id(const void *context, size_t row)
{
    return list_id_of_text(endpoint_at(context, row)->name);
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_endpoint *e = endpoint_at(context, row);

    snprintf(text, size, "%s %s", e->name, e->missing);
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
        format_size(e->left, out->text);
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
    case RECORDS:
        format_size(e->records, out->text);
        break;
    default:
        snprintf(out->text, PANEL_CELL_MAX, "%s", e->missing[0] ? e->missing : "none");
        out->role = e->missing[0] ? ROLE_BAD : ROLE_DIM;
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
        return LIST_COMPARE(y->left, x->left);
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
    case RECORDS:
        return LIST_COMPARE(y->records, x->records);
    case MISSING:
        return strcmp(y->missing, x->missing);
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
    return 2 + (int)(s->endpoint_count < 8 ? s->endpoint_count : 8);
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

const struct panel panel_endpoints = {
    .name = "Endpoints",
    .need = { .column = { 0, 0, 0 }, .order = 100, .need = 5, .rows_min = 3, .rows_wanted = 4 },
    .rows_wanted = rows_wanted,
    .exists = exists,
    .source = &source,
    .table = &table,
};
