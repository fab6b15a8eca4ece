#include "table/layout.h"

#include "table/known_types.h"
#include "table/table_wish.h"

#include <stdlib.h>

static enum result no_column(const struct columns *columns, struct str name, const char *option,
                             struct err *err)
{
    uint32_t count = columns_count(columns), near = COLUMNS_NONE;
    unsigned best = 4;

    for (uint32_t i = 0; i < count; i++) {
        unsigned distance = str_distance(columns_name(columns, i), name);

        if (distance < best) {
            best = distance;
            near = i;
        }
    }
    if (near != COLUMNS_NONE) {
        struct str other = columns_name(columns, near);

        return err_set(err, RESULT_NOT_FOUND, "E-TAB5",
                       "%s %.*s: there is no such column (did you mean \"%.*s\"?)", option,
                       STR_ARG(name), STR_ARG(other));
    }
    return err_set(err, RESULT_NOT_FOUND, "E-TAB5", "%s %.*s: none of the %u columns is called so",
                   option, STR_ARG(name), count);
}

uint32_t layout_find_column(const struct table_spec *spec, const struct columns *columns,
                            struct str name)
{
    for (size_t i = 0; i < spec->pick_count; i++) {
        if (spec->picks[i].pointer.data && str_equal(spec->picks[i].name, name)) {
            uint32_t node = columns_find(columns, COLUMNS_PICK, name);

            return node == COLUMNS_NONE ? COLUMNS_NONE : columns_of_node(columns, node);
        }
    }
    for (uint32_t i = 0; i < columns_count(columns); i++) {
        if (str_equal(columns_name(columns, i), name)) {
            return i;
        }
    }
    return COLUMNS_NONE;
}

static bool is_below(const struct columns *columns, uint32_t node, uint32_t above)
{
    while (node >= COLUMNS_ROOTS && node != above) {
        node = columns_parent(columns, node);
    }
    return node == above;
}

struct discovered {
    const struct table_spec *spec;
    const struct columns *columns;
    uint32_t explode_node;
    uint64_t rows, records;
};

/* What its values are, those of other parts of the dataset among them. */
static struct type_facts facts_of(const struct discovered *found, const struct layout_column *c)
{
    const struct known_types *known = found->spec->known;
    const struct type_facts *others = known ? known_types_find(known, c->name) : NULL;
    struct type_facts facts = { .low = 0 };

    if (c->facts) {
        facts = *c->facts;
    }
    if (others) {
        types_merge(&facts, others);
    }
    return facts;
}

static struct type_decision decide(const struct discovered *found, const struct layout_column *c)
{
    const struct table_spec *spec = found->spec;
    struct type_facts facts = facts_of(found, c);
    struct type_decision decision = types_decide(&facts, c->name, spec->coerce, spec->assume_utc);

    if (c->wish.type != COLUMN_ANY) {
        return (struct type_decision){ .type = wish_type(&c->wish, &facts, spec->assume_utc) };
    }
    decision.conflict &= !spec->known; /* it may be in another part */
    return decision;
}

static void describe(const struct discovered *found, struct layout_column *c)
{
    uint32_t node =
        c->source == COLUMNS_NONE ? COLUMNS_NONE : columns_node(found->columns, c->source);
    uint64_t could = found->rows;

    c->facts = node == COLUMNS_NONE ? NULL : columns_facts(found->columns, node);
    if (c->facts || found->spec->known) {
        c->decision = decide(found, c);
    }
    if (!c->facts) {
        return;
    }
    if (found->explode_node != COLUMNS_NONE &&
        !is_below(found->columns, node, found->explode_node)) {
        could = found->records;
    }
    c->rare = could >= LAYOUT_RARE_ROWS_MIN && types_present(c->facts) * 100 < could;
}

static enum result pick_columns(struct layout *l, const struct discovered *found, struct err *err)
{
    const struct table_spec *spec = found->spec;

    l->straight = !spec->pick_count;
    for (uint32_t i = 0; i < l->count; i++) {
        struct layout_column *c = &l->columns[i];

        c->name = l->straight ? columns_name(found->columns, i) : spec->picks[i].name;
        if (!l->straight) {
            c->wish = spec->picks[i].wish;
            l->has_wishes |= c->wish.type != COLUMN_ANY;
        }
        c->source = l->straight ? i : layout_find_column(spec, found->columns, c->name);
        if (c->source == COLUMNS_NONE && found->rows && !spec->known) {
            return spec->picks[i].pointer.data
                       ? err_set(err, RESULT_NOT_FOUND, "E-TAB5",
                                 "--columns %.*s=%.*s: the pointer finds nothing in any record",
                                 STR_ARG(c->name), STR_ARG(spec->picks[i].pointer))
                       : no_column(found->columns, c->name, "--columns", err);
        }
        describe(found, c);
    }
    return RESULT_OK;
}

/* How many of the first columns are the record's own: neither within the array that is exploded, nor picked
 * by a pointer, which may lead there. */
static uint32_t count_common(const struct layout *l, const struct discovered *found)
{
    uint32_t common = 0;

    while (found->explode_node != COLUMNS_NONE && common < l->count) {
        uint32_t source = l->columns[common].source;
        uint32_t node =
            source == COLUMNS_NONE ? COLUMNS_NONE : columns_node(found->columns, source);

        if (node == COLUMNS_NONE || columns_parent(found->columns, node) == COLUMNS_PICK ||
            is_below(found->columns, node, found->explode_node)) {
            break;
        }
        common++;
    }
    return common;
}

static enum result find_filters(struct layout *l, const struct discovered *found, struct err *err)
{
    const struct table_spec *spec = found->spec;

    l->where_present = COLUMNS_NONE;
    if (spec->where_present.data) {
        l->where_present = layout_find_column(spec, found->columns, spec->where_present);
        if (l->where_present == COLUMNS_NONE && found->rows) {
            return no_column(found->columns, spec->where_present, "--where-present", err);
        }
    }
    for (size_t i = 0; i < spec->unique_count && found->rows; i++) {
        uint32_t column = layout_find_column(spec, found->columns, spec->unique[i]);

        if (column == COLUMNS_NONE) {
            return no_column(found->columns, spec->unique[i], "--unique", err);
        }
        l->unique[l->unique_count++] = column;
    }
    return RESULT_OK;
}

enum result layout_new(struct layout **layout, const struct table_spec *spec,
                       const struct columns *columns, uint32_t explode_node, uint64_t rows,
                       uint64_t records, struct err *err)
{
    const struct discovered found = { spec, columns, explode_node, rows, records };
    uint32_t count = spec->pick_count ? (uint32_t)spec->pick_count : columns_count(columns);
    struct layout *l = calloc(1, sizeof *l);
    enum result result = RESULT_OK;

    *layout = NULL;
    if (!l) {
        return err_nomem(err, "naming columns");
    }
    l->columns = calloc(count + 1U, sizeof *l->columns);
    l->names = calloc(count + 1U, sizeof *l->names);
    l->unique = calloc(spec->unique_count + 1, sizeof *l->unique);
    if (!l->columns || !l->names || !l->unique) {
        result = err_nomem(err, "naming columns");
    } else {
        l->tree = columns;
        l->count = count;
        l->has_facts = columns_facts(columns, COLUMNS_ROOT) != NULL;
        result = pick_columns(l, &found, err);
        l->common = result == RESULT_OK ? count_common(l, &found) : 0;
    }
    result = result == RESULT_OK ? find_filters(l, &found, err) : result;
    if (result != RESULT_OK) {
        layout_free(l);
        return result;
    }
    for (uint32_t i = 0; i < l->count; i++) {
        l->names[i] = l->columns[i].name;
    }
    *layout = l;
    return RESULT_OK;
}

void layout_free(struct layout *l)
{
    if (l) {
        free(l->columns);
        free(l->names);
        free(l->unique);
        free(l);
    }
}

static uint32_t node_of(const struct layout *l, uint32_t column)
{
    return column == COLUMNS_NONE ? COLUMNS_NONE : columns_node(l->tree, column);
}

/* A column's number and name alone do not tell which it is: of two paths that make the same name, the one that
 * comes first has it. */
bool layout_same(const struct layout *a, const struct layout *b, bool types)
{
    bool same = a->count == b->count && a->where_present == b->where_present &&
                node_of(a, a->where_present) == node_of(b, b->where_present);

    for (uint32_t i = 0; same && i < a->count; i++) {
        const struct layout_column *x = &a->columns[i], *y = &b->columns[i];

        same = x->source == y->source && node_of(a, x->source) == node_of(b, y->source) &&
               str_equal(x->name, y->name) &&
               (!types || (x->decision.type == y->decision.type &&
                           x->decision.epoch_unit_us == y->decision.epoch_unit_us));
    }
    return same;
}

struct row layout_row(const struct layout *l, const struct row *row, struct row_cell *cells)
{
    if (l->straight) {
        return *row;
    }
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t source = l->columns[i].source;

        cells[i] = source < row->count ? row->cells[source] : (struct row_cell){ .row = 0 };
    }
    return (struct row){
        .cells = cells, .count = l->count, .number = row->number, .readable = row->readable
    };
}

enum result layout_find_keys(const struct layout *layout, const struct table_spec *spec,
                             bool *is_key, struct err *err)
{
    for (size_t k = 0; k < spec->key_count; k++) {
        uint32_t column = 0;

        while (column < layout->count && !str_equal(layout->columns[column].name, spec->key[k])) {
            column++;
        }
        if (column == layout->count) {
            return err_set(err, RESULT_NOT_FOUND, "E-DB2",
                           "--key %.*s: the table has no such column", STR_ARG(spec->key[k]));
        }
        is_key[column] = true;
    }
    return RESULT_OK;
}

enum result layout_refuse_null_key(const struct layout_column *column, struct err *err)
{
    return err_set(err, RESULT_DENIED, "E-DB2",
                   "--key %.*s: a row has no value there; leave such rows out with "
                   "--where-present %.*s",
                   STR_ARG(column->name), STR_ARG(column->name));
}
