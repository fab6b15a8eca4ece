/* What failed for good, by reason: the most frequent first, each with an example to look into. */

#include "ui/panel.h"

#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { COUNT, WHY, LAST, SAID, EXAMPLE };

static const struct panel_column columns[] = {
    [COUNT] = { "COUNT", 6, 0, true },      [WHY] = { "WHY", 18, 0, false },
    [LAST] = { "AGO", 5, 56, true },        [SAID] = { "SAID", 44, 112, false },
    [EXAMPLE] = { "EXAMPLE", 0, 0, false },
};

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->failure_count;
}

static uint64_t id(const void *context, size_t row)
{
    struct failure why = ((const struct snapshot *)context)->failures[row].why;

    return (uint64_t)why.class << 32 | (uint32_t)why.status;
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_failure *f = &((const struct snapshot *)context)->failures[row];
    char why[FAILURE_TEXT_MAX];

    failure_format(f->why, why);
    snprintf(text, size, "%s %s %s", why, f->example, f->said);
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_failure *f = &s->failures[row];
    char why[FAILURE_TEXT_MAX];

    switch (column) {
    case COUNT:
        format_size(f->count, out->text);
        out->role = ROLE_STRONG;
        break;
    case WHY:
        failure_format(f->why, why);
        snprintf(out->text, PANEL_CELL_MAX, "%s", why);
        out->role = ROLE_BAD;
        break;
    case LAST:
        format_age(f->last_ago_us, out->text);
        out->role = ROLE_DIM;
        break;
    case SAID:
        snprintf(out->text, PANEL_CELL_MAX, "%s", f->said);
        break;
    default:
        panel_cell_request(out, f->example, "");
        break;
    }
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    (void)note;
    (void)rows;
    snprintf(title_text, PANEL_TITLE_MAX, "Failed %llu", (unsigned long long)s->failed);
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_failure *x = &((const struct snapshot *)context)->failures[a];
    const struct snapshot_failure *y = &((const struct snapshot *)context)->failures[b];

    switch (column) {
    case COUNT:
        return LIST_COMPARE(y->count, x->count);
    case WHY:
        return failure_compare(x->why, y->why);
    case LAST:
        return LIST_COMPARE(x->last_ago_us, y->last_ago_us);
    case SAID:
        return strcmp(x->said, y->said);
    default:
        return strcmp(x->example, y->example);
    }
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .nothing = "nothing has failed",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_failure *f = &s->failures[i];
    char why[FAILURE_TEXT_MAX], class[FAILURE_TEXT_MAX];

    failure_format(f->why, why);
    failure_format_word(f->why, class);
    export_text(r, "why", why);
    export_text(r, "class", class);
    export_count(r, "count", f->count);
    export_seconds(r, "last_ago_s", f->last_ago_us);
    export_text(r, "example", f->example);
    export_count(r, "example_id", f->example_id);
    export_text(r, "said", f->said);
}

static uint64_t request_id(const struct snapshot *s, size_t row)
{
    return s->failures[row].example_id;
}

const struct panel panel_failed = {
    .name = "Failed",
    .need = { .column = { 0, 1, 2 },
              .order = 80,
              .need = 5,
              .rows_min = 3,
              .rows_wanted = 6,
              .elastic = true },
    .exists = panel_is_live,
    .source = &source,
    .table = &table,
    .title = title,
    .export = { "failed", export_fields },
    .request_id = request_id,
};
