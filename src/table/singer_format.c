/*
 * Singer messages as a format: what targets of Singer and Meltano load into warehouses that scrapetop does not write.
 *
 * A line is a JSON object: a SCHEMA with the columns' types and the key, a RECORD for each row with all columns, and a STATE
 * when all rows are there, which tells the target to finish what it has. The run directory, not the state, says what has
 * been fetched. Values keep to the schema: whole numbers and fractions are numbers, times are in UTC to the microsecond, what
 * a column of text holds is a string, arrays as their JSON.
 *
 * Errors   E-DB2: a key that is no column, or a row without a value in it.
 * Source   The Singer specification (singer-io/getting-started, SPEC.md); JSON Schema, draft 4.
 */
#include "base/json_text.h"
#include "normalise/cell_text.h"
#include "normalise/types.h"
#include "table/format.h"
#include "table/layout.h"
#include "table/run_tables.h"
#include "table/typed_text.h"

#include <stdlib.h>
#include <string.h>

struct singer_table {
    const struct format_target *target;
    bool *is_key;      /* by column */
    struct buf head;   /* `{"type":"RECORD","stream":"items","record":{` */
    struct buf names;  /* `"a":"b":`, one after the other */
    size_t *name_ends; /* by column */
};

struct singer_encoder {
    const struct singer_table *table;
    struct buf text; /* scratch: a cell before it is escaped */
};

static struct str stream_of(const struct format_target *target)
{
    return target->spec->table.data         ? target->spec->table
           : strcmp(target->path, "-") == 0 ? STR("items")
                                            : run_tables_name(target->path);
}

/* --- the schema ---------------------------------------------------------------------------------------- */

static void put(struct buf *out, const char *text, enum result *result)
{
    *result = *result == RESULT_OK ? buf_append_str(out, str_view(text)) : *result;
}

static void put_text(struct buf *out, struct str text, enum result *result)
{
    *result = *result == RESULT_OK ? json_text_append(out, text) : *result;
}

/* A day is no date-time, nor is a time without an offset. */
static void put_type(struct buf *out, enum type type, bool is_key, enum result *result)
{
    static const char *const names[TYPE_COUNT] = {
        [TYPE_TEXT] = "\"string\"]",
        [TYPE_INT64] = "\"integer\"]",
        [TYPE_DOUBLE] = "\"number\"]",
        [TYPE_BOOLEAN] = "\"boolean\"]",
        [TYPE_TIMESTAMP] = "\"string\"],\"format\":\"date-time\"",
        [TYPE_LOCAL_TIMESTAMP] = "\"string\"]",
        [TYPE_DATE] = "\"string\"],\"format\":\"date\"",
    };

    put(out, is_key ? "{\"type\":[" : "{\"type\":[\"null\",", result);
    put(out, names[type], result);
    put(out, "}", result);
}

static enum result put_schema(const struct singer_table *t, struct buf *out)
{
    const struct layout *layout = t->target->layout;
    const struct table_spec *spec = t->target->spec;
    enum result result = RESULT_OK;

    put(out, "{\"type\":\"SCHEMA\",\"stream\":", &result);
    put_text(out, stream_of(t->target), &result);
    put(out, ",\"schema\":{\"type\":\"object\",\"properties\":{", &result);
    for (uint32_t i = 0; i < layout->count; i++) {
        put(out, i ? "," : "", &result);
        put_text(out, layout->columns[i].name, &result);
        put(out, ":", &result);
        put_type(out, layout->columns[i].decision.type, t->is_key[i], &result);
    }
    put(out, "}},\"key_properties\":[", &result);
    for (size_t k = 0; k < spec->key_count; k++) {
        put(out, k ? "," : "", &result);
        put_text(out, spec->key[k], &result);
    }
    put(out, "]}\n", &result);
    return result;
}

/* What records say of themselves and of their columns. */
static enum result make_names(struct singer_table *t)
{
    const struct layout *layout = t->target->layout;
    enum result result = RESULT_OK;

    put(&t->head, "{\"type\":\"RECORD\",\"stream\":", &result);
    put_text(&t->head, stream_of(t->target), &result);
    put(&t->head, ",\"record\":{", &result);
    for (uint32_t i = 0; i < layout->count; i++) {
        put(&t->names, i ? "," : "", &result);
        put_text(&t->names, layout->columns[i].name, &result);
        put(&t->names, ":", &result);
        t->name_ends[i] = t->names.len;
    }
    return result;
}

static enum result open_singer(void **table, const struct format_target *target, struct err *err)
{
    struct singer_table *t = calloc(1, sizeof *t);
    struct buf schema = { 0 };
    enum result result;

    *table = t;
    if (t) {
        t->target = target;
        t->is_key = calloc(target->layout->count + 1U, sizeof *t->is_key);
        t->name_ends = calloc(target->layout->count + 1U, sizeof *t->name_ends);
    }
    if (!t || !t->is_key || !t->name_ends || make_names(t) != RESULT_OK) {
        return err_nomem(err, "starting a table");
    }
    result = layout_find_keys(target->layout, target->spec, t->is_key, err);
    if (result == RESULT_OK) {
        result = put_schema(t, &schema) == RESULT_OK
                     ? target->write(target->context, buf_view(&schema), err)
                     : err_nomem(err, "starting a table");
    }
    buf_release(&schema);
    return result;
}

static enum result finish_singer(void *table, struct err *err)
{
    const struct singer_table *t = table;
    struct buf state = { 0 };
    enum result result = RESULT_OK;

    put(&state, "{\"type\":\"STATE\",\"value\":{\"bookmarks\":{", &result);
    put_text(&state, stream_of(t->target), &result);
    put(&state, ":{}}}}\n", &result);
    result = result == RESULT_OK ? t->target->write(t->target->context, buf_view(&state), err)
                                 : err_nomem(err, "writing a table");
    buf_release(&state);
    return result;
}

static void close_singer(void *table)
{
    struct singer_table *t = table;

    if (t) {
        buf_release(&t->head);
        buf_release(&t->names);
        free(t->is_key);
        free(t->name_ends);
        free(t);
    }
}

/* --- cells ------------------------------------------------------------------------------------------- */

static enum result put_quoted(struct buf *block, struct str text)
{
    enum result result = buf_append_char(block, '"');

    result = result == RESULT_OK ? buf_append_str(block, text) : result;
    return result == RESULT_OK ? buf_append_char(block, '"') : result;
}

static enum result put_string(struct singer_encoder *e, struct buf *block,
                              const struct row_cell *cell, uint64_t *replaced)
{
    char *end;

    buf_reset(&e->text);
    if (buf_reserve(&e->text, (size_t)cell->len + CELL_TEXT_SLACK) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    end = cell_text_put(e->text.data, cell, replaced);
    return json_text_append(block, (struct str){ e->text.data, (size_t)(end - e->text.data) });
}

static enum result put_cell(struct singer_encoder *e, struct buf *block,
                            const struct layout_column *column, const struct row_cell *cell,
                            uint64_t *replaced, struct err *err)
{
    enum typed_text_kind kind = typed_text_kind(&column->decision);
    char shown[MOMENT_TEXT_MAX];
    struct str made;
    enum result result;

    if (kind == TYPED_TEXT_ESCAPED) {
        return put_string(e, block, cell, replaced);
    }
    result = typed_text_value(&column->decision, (struct str){ cell->text, cell->len }, shown,
                              &made, err);
    return result != RESULT_OK         ? result
           : kind == TYPED_TEXT_MOMENT ? put_quoted(block, made)
                                       : buf_append_str(block, made);
}

/* --- rows -------------------------------------------------------------------------------------------- */

static enum result add(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err)
{
    struct singer_encoder *e = encoder;
    const struct singer_table *t = e->table;
    const struct layout *layout = t->target->layout;
    enum result result = buf_append_str(block, buf_view(&t->head));

    for (uint32_t i = 0; i < layout->count && result == RESULT_OK; i++) {
        const struct row_cell *cell = row_cell(row, i);
        size_t at = i ? t->name_ends[i - 1] : 0;

        result = buf_append(block, t->names.data + at, t->name_ends[i] - at);
        if (result == RESULT_OK && cell) {
            result = put_cell(e, block, &layout->columns[i], cell, lone_surrogates, err);
        } else if (t->is_key[i]) {
            return layout_refuse_null_key(&layout->columns[i], err);
        } else if (result == RESULT_OK) {
            result = buf_append_str(block, STR("null"));
        }
    }
    result = result == RESULT_OK ? buf_append_str(block, STR("}}\n")) : result;
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}

static void *encoder_new(void *table)
{
    struct singer_encoder *e = calloc(1, sizeof *e);

    if (e) {
        e->table = table;
    }
    return e;
}

static void encoder_free(void *encoder)
{
    struct singer_encoder *e = encoder;

    buf_release(&e->text);
    free(e);
}

const struct table_format singer_format = {
    .name = "singer",
    .endings = "singer",
    .about =
        "Singer messages (SCHEMA, RECORD, STATE) for the targets that load them: a stream named "
        "by --table, with --key for its key.",
    .typed = true,
    .has_keys = true,
    .packable = true,
    .open = open_singer,
    .finish = finish_singer,
    .close = close_singer,
    .encoder_new = encoder_new,
    .encoder_free = encoder_free,
    .add = add,
};
