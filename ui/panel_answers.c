/* What rules for answers have met, and what answers meant without one. There when there is any. */

#include "ui/panel.h"

#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { COUNT, DO, NAME, RULE };

static const struct panel_column columns[] = {
    [COUNT] = { "COUNT", 6, 0, true },
    [DO] = { "DO", 6, 0, false },
    [NAME] = { "RULE", 16, 0, false },
    [RULE] = { "", 0, 44, false },
};

static const struct snapshot_rule *rule_at(const void *context, size_t row)
{
    return &((const struct snapshot *)context)->rules[row];
}

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->rule_count;
}

static uint64_t id(const void *context, size_t row)
{
    return list_id_of_text(rule_at(context, row)->name);
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_rule *r = rule_at(context, row);

    snprintf(text, size, "%s %s %s", r->name, r->action, r->text);
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_rule *r = &s->rules[row];

    switch (column) {
    case COUNT:
        format_size(r->count, out->text);
        out->role = r->count ? ROLE_STRONG : ROLE_DIM;
        break;
    case DO:
        snprintf(out->text, PANEL_CELL_MAX, "%s", r->action);
        break;
    case NAME:
        snprintf(out->text, PANEL_CELL_MAX, "%s", r->name);
        break;
    default:
        snprintf(out->text, PANEL_CELL_MAX, "%s", r->text);
        out->role = ROLE_DIM;
        break;
    }
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_rule *x = rule_at(context, a), *y = rule_at(context, b);

    switch (column) {
    case COUNT:
        return LIST_COMPARE(y->count, x->count);
    case DO:
        return strcmp(x->action, y->action);
    case NAME:
        return strcmp(x->name, y->name);
    default:
        return strcmp(x->text, y->text);
    }
}

static bool exists(const struct snapshot *s)
{
    return s->rule_count > 0;
}

static int rows_wanted(const struct snapshot *s)
{
    return panel_rows(s->rule_count, 6);
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .nothing = "no rule has met an answer",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_rule *rule = &s->rules[i];

    export_text(r, "name", rule->name);
    export_text(r, "rule", rule->text);
    export_text(r, "do", rule->action);
    export_count(r, "count", rule->count);
}

const struct panel panel_answers = {
    .name = "Answers",
    .need = { .column = { 0, 1, 2 }, .order = 90, .need = 8, .rows_min = 3, .rows_wanted = 4 },
    .rows_wanted = rows_wanted,
    .exists = exists,
    .source = &source,
    .table = &table,
    .export = { "answers", export_fields },
};
