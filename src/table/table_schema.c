#include "table/table_schema.h"

#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

static enum result add_column(struct table_schema *s, struct str name,
                              const struct schema_column *column, uint32_t cap)
{
    if (s->count == cap) {
        return RESULT_LIMIT;
    }
    s->columns[s->count] = *column;
    /* Views are made once the names stand still; until then the length is what counts. */
    s->columns[s->count++].name.len = name.len;
    return buf_append_str(&s->names, name);
}

static void point_at_names(struct table_schema *s)
{
    const char *at = s->names.data;

    for (uint32_t i = 0; i < s->count; i++) {
        s->columns[i].name.data = at;
        at += s->columns[i].name.len;
    }
}

static struct table_schema *new_schema(uint32_t cap)
{
    struct table_schema *s = calloc(1, sizeof *s);

    if (s) {
        s->columns = calloc(cap + 1U, sizeof *s->columns);
        if (!s->columns || buf_reserve(&s->names, 1) != RESULT_OK) {
            table_schema_free(s);
            return NULL;
        }
    }
    return s;
}

static struct schema_odd *new_odd(const struct layout *layout, const struct layout_column *c)
{
    struct schema_odd *odd = calloc(1, sizeof *odd);

    if (odd) {
        odd->is = types_odd(c->facts);
        odd->is_placed = columns_first(layout->tree, columns_node(layout->tree, c->source),
                                       odd->is.kinds, &odd->first, odd->text);
    }
    return odd;
}

enum result table_schema_new(struct table_schema **schema, const struct layout *layout,
                             uint64_t rows)
{
    struct table_schema *s = new_schema(layout->count);
    enum result result = s ? RESULT_OK : RESULT_NOMEM;

    *schema = s;
    for (uint32_t i = 0; result == RESULT_OK && i < layout->count; i++) {
        const struct layout_column *c = &layout->columns[i];
        struct schema_column column = { .type = c->decision.type,
                                        .epoch_unit_us = c->decision.epoch_unit_us,
                                        .coerced = c->decision.coerced,
                                        .conflict = c->decision.conflict,
                                        .rare = c->rare };

        if (c->facts) {
            column.present = types_present(c->facts);
            column.facts = *c->facts;
        }
        if (column.conflict) {
            column.odd = new_odd(layout, c);
            result = column.odd ? RESULT_OK : RESULT_NOMEM;
        }
        result = result == RESULT_OK ? add_column(s, c->name, &column, layout->count) : result;
        if (result != RESULT_OK) {
            free(column.odd);
        }
    }
    if (s) {
        s->rows = rows;
        point_at_names(s);
    }
    if (result != RESULT_OK) {
        table_schema_free(s);
        *schema = NULL;
    }
    return result;
}

void table_schema_free(struct table_schema *s)
{
    if (s) {
        for (uint32_t i = 0; s->columns && i < s->count; i++) {
            free(s->columns[i].odd);
        }
        free(s->columns);
        buf_release(&s->names);
        free(s);
    }
}

enum result table_schema_append_odd(const struct schema_column *column, struct buf *out)
{
    const struct schema_odd *odd = column->odd;
    char count[UNITS_TEXT_MAX], all[UNITS_TEXT_MAX], record[UNITS_TEXT_MAX];
    bool one = odd->is.count == 1;
    enum result result;

    units_format_whole(odd->is.count, count);
    units_format_whole(column->present, all);
    units_format_whole(odd->record, record);
    result =
        buf_printf(out, "%s of %s value%s %s %s%s%s", count, all, units_plural(column->present),
                   one ? "is" : "are", odd->is.is_not ? "not " : "",
                   !one                   ? ""
                   : *odd->is.name == 'a' ? "an "
                                          : "a ",
                   one ? odd->is.name : odd->is.plural);
    return result == RESULT_OK && odd->is_placed && odd->record
               ? buf_printf(out, ", first: record %s, %s", record, odd->text)
               : result;
}

enum result table_schema_append_kinds(const struct schema_column *column, struct buf *out)
{
    enum result result = RESULT_OK;
    const char *between = "";

    for (int i = 0; result == RESULT_OK && i < KIND_COUNT; i++) {
        if (column->facts.seen[i]) {
            result =
                buf_printf(out, "%s%llu %s", between, (unsigned long long)column->facts.seen[i],
                           type_kind_name((enum type_kind)i, column->facts.seen[i]));
            between = ", ";
        }
    }
    return result;
}

/* --- comparing ------------------------------------------------------------------------------------- */

static int by_name(const void *left, const void *right)
{
    const struct schema_column *a = *(struct schema_column *const *)left;
    const struct schema_column *b = *(struct schema_column *const *)right;
    int order =
        memcmp(a->name.data, b->name.data, a->name.len < b->name.len ? a->name.len : b->name.len);

    return order ? order : (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

/* Its columns by name; NULL when out of memory. */
static struct schema_column **sort_columns(const struct table_schema *s)
{
    struct schema_column **sorted = calloc(s->count + 1U, sizeof(struct schema_column *));

    for (uint32_t i = 0; sorted && i < s->count; i++) {
        sorted[i] = &s->columns[i];
    }
    if (sorted) {
        qsort(sorted, s->count, sizeof(struct schema_column *), by_name);
    }
    return sorted;
}

static const struct schema_column *find(struct schema_column **sorted, uint32_t count,
                                        const struct schema_column *column)
{
    struct schema_column **found =
        bsearch(&column, sorted, count, sizeof(struct schema_column *), by_name);

    return found ? *found : NULL;
}

void table_schema_compare(const struct table_schema *before, const struct table_schema *now,
                          drift_fn *tell, void *context)
{
    struct schema_column **old = sort_columns(before), **new = sort_columns(now);

    for (uint32_t i = 0; old && new &&i < now->count; i++) {
        const struct schema_column *c = &now->columns[i], *was = find(old, before->count, c);

        if (!was || was->type != c->type) {
            tell(context, &(struct drift){ .kind = was ? DRIFT_TYPE : DRIFT_NEW,
                                           .name = c->name,
                                           .before = was ? was->type : TYPE_TEXT,
                                           .now = c->type });
        }
    }
    for (uint32_t i = 0; old && new &&i < before->count; i++) {
        const struct schema_column *c = &before->columns[i];

        if (!find(new, now->count, c)) {
            tell(context,
                 &(struct drift){ .kind = DRIFT_GONE, .name = c->name, .before = c->type });
        }
    }
    free(old);
    free(new);
}

/* --- tables.json ----------------------------------------------------------------------------------- */

static bool type_of_name(struct str name, enum type *type)
{
    for (int i = TYPE_TEXT; i < TYPE_COUNT; i++) {
        if (str_equal(name, str_view(type_name((enum type)i)))) {
            *type = (enum type)i;
            return true;
        }
    }
    return false;
}

static uint32_t count_columns(struct str columns)
{
    struct json_walk walk;
    uint32_t count = 0;
    struct str value;

    json_walk_begin(&walk, columns);
    while (count < SCHEMA_COLUMNS_MAX && json_walk_next(&walk, NULL, &value)) {
        count++;
    }
    return count;
}

/* {"name":"type", ...}: a column whose type is not known is passed over. */
static enum result read_columns(struct table_schema *s, struct str columns, uint32_t cap)
{
    enum result result = RESULT_OK;
    struct buf name = { 0 };
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, columns);
    while (result == RESULT_OK && s->count < cap && json_walk_next(&walk, &key, &value)) {
        struct schema_column column = { 0 };

        buf_reset(&name);
        result = json_unescape(&name, key, NULL);
        if (result == RESULT_OK && type_of_name(json_string_raw(value), &column.type)) {
            result = add_column(s, buf_view(&name), &column, cap);
        }
    }
    buf_release(&name);
    return result;
}

/* The member of that name, a table's object. */
static bool find_table(struct str json, struct str table, struct str *value)
{
    struct json_walk walk;
    struct str key, each;
    bool found = false;

    json_walk_begin(&walk, json);
    while (json_walk_next(&walk, &key, &each)) {
        if (json_raw_equal(key, table)) {
            *value = each;
            found = true;
        }
    }
    return found;
}

enum result table_schema_read(struct table_schema **schema, struct str json, struct str table)
{
    struct str value, columns, rows;
    struct table_schema *s;
    enum result result;
    uint32_t cap;

    *schema = NULL;
    if (!json_check(json, JSON_DEPTH_MAX, NULL) || !find_table(json, table, &value) ||
        !json_find(value, STR("/columns"), &columns)) {
        return RESULT_OK;
    }
    cap = count_columns(columns);
    s = new_schema(cap);
    if (!s) {
        return RESULT_NOMEM;
    }
    if (!json_find(value, STR("/rows"), &rows) || !str_to_u64(rows, &s->rows)) {
        s->rows = 0;
    }
    result = read_columns(s, columns, cap);
    point_at_names(s);
    if (result != RESULT_OK) {
        table_schema_free(s);
        return result;
    }
    *schema = s;
    return RESULT_OK;
}

static void write_table(const struct table_schema *s, struct json_writer *j)
{
    json_write_object(j, NULL);
    json_write_uint(j, "rows", s->rows);
    json_write_object(j, "columns");
    for (uint32_t i = 0; i < s->count; i++) {
        json_write_key(j, s->columns[i].name);
        json_write_text(j, NULL, str_view(type_name(s->columns[i].type)));
    }
    json_write_object_end(j);
    json_write_object_end(j);
}

/* The other tables of `old`, as they are. */
static void copy_others(struct str old, struct str table, struct json_writer *j)
{
    struct json_walk walk;
    struct str key, value;

    if (!json_check(old, JSON_DEPTH_MAX, NULL)) {
        return;
    }
    json_walk_begin(&walk, old);
    while (json_walk_next(&walk, &key, &value)) {
        if (!json_raw_equal(key, table)) {
            const char *quote = key.data - 1;

            json_write_raw(j, NULL,
                           (struct str){ quote, (size_t)(value.data + value.len - quote) });
            json_write_line(j, 0);
        }
    }
}

enum result table_schema_write(const struct table_schema *s, struct str table, struct str old,
                               struct buf *out)
{
    struct json_writer j = json_write_begin(out);

    json_write_object(&j, NULL);
    copy_others(old, table, &j);
    json_write_key(&j, table);
    write_table(s, &j);
    json_write_object_end(&j);
    return j.result == RESULT_OK ? buf_append_char(out, '\n') : j.result;
}
