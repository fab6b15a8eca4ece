/* The requests that failed, each for itself, the latest first: by its key, and beside the others on a screen
 * with room for three columns. */

#include "ui/panel.h"

#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { LAST, WHY, SAID, REQUEST };

static const struct panel_column columns[] = {
    [LAST] = { "AGO", 5, 0, true },
    [WHY] = { "WHY", 14, 0, false },
    [SAID] = { "SAID", 40, 100, false },
    [REQUEST] = { "REQUEST", 0, 0, false },
};

static const struct snapshot_failed *failed_at(const void *context, size_t row)
{
    return &((const struct snapshot *)context)->failed_ones[row];
}

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->failed_one_count;
}

static uint64_t id(const void *context, size_t row)
{
    return failed_at(context, row)->id;
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_failed *f = failed_at(context, row);
    char why[FAILURE_TEXT_MAX];

    failure_format(f->why, why);
    snprintf(text, size, "%s %s %s", why, f->request, f->said);
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_failed *f = &s->failed_ones[row];
    char why[FAILURE_TEXT_MAX];

    switch (column) {
    case LAST:
        if (f->before) { /* the clock has begun anew since */
            snprintf(out->text, PANEL_CELL_MAX, "--");
        } else {
            format_age(f->ago_us, out->text);
        }
        out->role = ROLE_DIM;
        break;
    case WHY:
        failure_format(f->why, why);
        snprintf(out->text, PANEL_CELL_MAX, "%s", why);
        out->role = ROLE_BAD;
        break;
    case SAID:
        snprintf(out->text, PANEL_CELL_MAX, "%s", f->said);
        break;
    default:
        panel_cell_request(out, f->request, "");
        break;
    }
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    (void)rows;
    if (s->failed > s->failed_one_count) {
        snprintf(title_text, PANEL_TITLE_MAX, "Failed requests, the last %zu of %llu",
                 s->failed_one_count, (unsigned long long)s->failed);
        snprintf(note, PANEL_TITLE_MAX, "all: scrapetop status --failed");
    } else {
        snprintf(title_text, PANEL_TITLE_MAX, "Failed requests %zu", s->failed_one_count);
    }
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_failed *x = failed_at(context, a), *y = failed_at(context, b);

    switch (column) {
    case LAST:
        return LIST_COMPARE(x->ago_us, y->ago_us);
    case WHY:
        return failure_compare(x->why, y->why);
    case SAID:
        return strcmp(x->said, y->said);
    default:
        return strcmp(x->request, y->request);
    }
}

static bool exists(const struct snapshot *s)
{
    return s->failed_one_count > 0;
}

static int rows_wanted(const struct snapshot *s)
{
    return panel_rows(s->failed_one_count, 8);
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .nothing = "nothing has failed",
    .order = "latest first",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_failed *f = &s->failed_ones[i];
    char why[FAILURE_TEXT_MAX];

    failure_format(f->why, why);
    export_count(r, "id", f->id);
    export_text(r, "why", why);
    export_text(r, "request", f->request);
    export_text(r, "said", f->said);
    export_known(r, "ago_s", !f->before, (double)f->ago_us / 1e6);
}

static uint64_t request_id(const struct snapshot *s, size_t row)
{
    return s->failed_ones[row].id;
}

const struct panel panel_each_failed = {
    .name = "Failed requests",
    .need = { .column = { -1, -1, 2 }, .order = 85, .need = 9, .rows_min = 3, .rows_wanted = 3 },
    .rows_wanted = rows_wanted,
    .exists = exists,
    .source = &source,
    .table = &table,
    .title = title,
    .export = { "failed-requests", export_fields },
    .request_id = request_id,
};
