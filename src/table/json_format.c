/*
 * JSON Lines and JSON as formats: an object for each row, its members the table's columns, in their order.
 *
 * A row is as flat as CSV has it, and every object has all columns: null where the record has null or
 * nothing. Values are what they are in the source: numbers digit by digit, strings with the escapes that they
 * had, what a column holds as JSON text as JSON, without its idle white space. Half a surrogate pair means no
 * character, and readers refuse it: it becomes \ufffd, and is counted.
 *
 * Source: RFC 8259; jsonlines.org.
 */
#include "base/json_text.h"
#include "normalise/cell_text.h"
#include "table/format.h"
#include "table/layout.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that may be read after a name and written after a value. */
#define SLACK CELL_TEXT_SLACK

struct json_table {
    const struct format_target *target;
    bool is_array; /* else JSON Lines */
    uint32_t count, common;
    struct buf names;   /* `{"a":null`, `,"b":null` ... each with `null` after, then SLACK */
    struct name *marks; /* by column */
};

/* Where a column's name stands in `names`. */
struct name {
    size_t at;
    uint32_t len; /* without the null */
};

#define NULL_LEN 4

struct json_encoder {
    const struct json_table *table;
    uint64_t record;
    size_t common_at, common_len; /* what the record's rows begin with, see struct layout */
    uint64_t common_surrogates;
};

static enum result add_name(struct json_table *t, uint32_t column, struct str name)
{
    enum result result = buf_append_char(&t->names, column ? ',' : '{');
    size_t at = t->names.len - (result == RESULT_OK);

    result = result == RESULT_OK ? json_text_append(&t->names, name) : result;
    result = result == RESULT_OK ? buf_append_char(&t->names, ':') : result;
    t->marks[column] = (struct name){ at, (uint32_t)(t->names.len - at) };
    return result == RESULT_OK ? buf_append(&t->names, "null", NULL_LEN) : result;
}

static enum result open_with(bool is_array, void **table, const struct format_target *target,
                             struct err *err)
{
    const struct layout *layout = target->layout;
    struct json_table *t = calloc(1, sizeof *t);
    enum result result = RESULT_OK;

    *table = t;
    if (t) {
        t->target = target;
        t->is_array = is_array;
        t->count = layout->count;
        t->common = layout->common < layout->count ? layout->common : 0;
        t->marks = calloc(layout->count + 1U, sizeof *t->marks);
    }
    if (!t || !t->marks) {
        return err_nomem(err, "starting a table");
    }
    for (uint32_t i = 0; i < layout->count && result == RESULT_OK; i++) {
        result = add_name(t, i, layout->names[i]);
    }
    if (result != RESULT_OK || buf_reserve(&t->names, SLACK) != RESULT_OK) {
        return err_nomem(err, "starting a table");
    }
    return is_array ? target->write(target->context, STR("[\n"), err) : RESULT_OK;
}

static enum result open_lines(void **table, const struct format_target *target, struct err *err)
{
    return open_with(false, table, target, err);
}

static void close_table(void *table)
{
    struct json_table *t = table;

    if (t) {
        buf_release(&t->names);
        free(t->marks);
        free(t);
    }
}

/* --- cells ------------------------------------------------------------------------------------------- */

static unsigned hex_digit(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* The unit of a \u escape at `p`, or 0 where none stands before `end`. */
static unsigned escaped_unit(const char *p, const char *end)
{
    return end - p >= 6 && p[0] == '\\' && p[1] == 'u'
               ? hex_digit(p[2]) << 12 | hex_digit(p[3]) << 8 | hex_digit(p[4]) << 4 |
                     hex_digit(p[5])
               : 0;
}

static bool is_high(unsigned unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(unsigned unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/* Replaces halves of surrogate pairs in valid JSON, or in the inside of a string, in place: as long as before. */
static void mend_surrogates(char *text, char *end, uint64_t *lone_surrogates)
{
    char *p = text;

    while ((p = memchr(p, '\\', (size_t)(end - p)))) {
        unsigned unit = escaped_unit(p, end);

        if (is_high(unit) && is_low(escaped_unit(p + 6, end))) {
            p += 12;
        } else if (is_high(unit) || is_low(unit)) {
            memcpy(p, "\\ufffd", 6);
            ++*lone_surrogates;
            p += 6;
        } else {
            p += 2; /* what an escape begins with is never outside the text */
        }
    }
}

/* There is room for the cell, two quotes and SLACK. */
static inline char *put_cell(char *to, const struct row_cell *cell, const char *readable,
                             uint64_t *lone_surrogates)
{
    char *end;

    switch (cell->kind) {
    case CELL_JSON:
        end = cell_text_put(to, cell, lone_surrogates);
        mend_surrogates(to, end, lone_surrogates);
        return end;
    case CELL_STRING:
    case CELL_ESCAPED:
        *to++ = '"';
        cell_text_copy(to, cell->text, cell->len, readable);
        end = to + cell->len;
        if (cell->kind == CELL_ESCAPED) {
            mend_surrogates(to, end, lone_surrogates);
        }
        *end++ = '"';
        return end;
    default:
        cell_text_copy(to, cell->text, cell->len, readable);
        return to + cell->len;
    }
}

/* --- rows -------------------------------------------------------------------------------------------- */

static inline enum result put_cells(const struct json_table *t, struct buf *out,
                                    const struct row *row, uint32_t first, uint32_t end,
                                    uint64_t *lone_surrogates)
{
    const char *names = t->names.data, *names_end = t->names.data + t->names.len + SLACK;

    for (uint32_t i = first; i < end; i++) {
        const struct row_cell *cell = row_cell(row, i);
        struct name name = t->marks[i];
        size_t room = (size_t)name.len + NULL_LEN + (cell ? (size_t)cell->len + 2 : 0) + 2 * SLACK;
        char *to;

        if (out->cap - out->len < room && buf_reserve(out, room) != RESULT_OK) {
            return RESULT_NOMEM;
        }
        to = out->data + out->len;
        cell_text_copy(to, names + name.at, name.len + (cell ? 0U : NULL_LEN), names_end);
        to += name.len + (cell ? 0U : NULL_LEN);
        to = cell ? put_cell(to, cell, row->readable, lone_surrogates) : to;
        out->len = (size_t)(to - out->data);
    }
    return RESULT_OK;
}

/* What the record's rows have in common is written once, and then copied. */
static enum result put_common(struct json_encoder *e, struct buf *out, const struct row *row,
                              uint64_t *lone_surrogates)
{
    enum result result = RESULT_OK;

    if (e->record == row->number) {
        result = buf_reserve(out, e->common_len);
        if (result == RESULT_OK) {
            memcpy(out->data + out->len, out->data + e->common_at, e->common_len);
            out->len += e->common_len;
        }
    } else {
        e->record = row->number;
        e->common_at = out->len;
        e->common_surrogates = 0;
        result = put_cells(e->table, out, row, 0, e->table->common, &e->common_surrogates);
        e->common_len = out->len - e->common_at;
    }
    *lone_surrogates += e->common_surrogates;
    return result;
}

static enum result put_row(struct json_encoder *e, struct buf *out, const struct row *row,
                           uint64_t *lone_surrogates)
{
    const struct json_table *t = e->table;
    enum result result = RESULT_OK;

    if (t->is_array && out->len) {
        result = buf_append_str(out, STR(",\n"));
    }
    if (result == RESULT_OK && t->common) {
        result = put_common(e, out, row, lone_surrogates);
    }
    result =
        result == RESULT_OK ? put_cells(t, out, row, t->common, t->count, lone_surrogates) : result;
    if (result == RESULT_OK && !t->count) {
        result = buf_append_char(out, '{');
    }
    return result != RESULT_OK ? result
           : t->is_array       ? buf_append_char(out, '}')
                               : buf_append_str(out, STR("}\n"));
}

static enum result add(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err)
{
    return put_row(encoder, block, row, lone_surrogates) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "writing rows");
}

static void *encoder_new(void *table)
{
    struct json_encoder *e = calloc(1, sizeof *e);

    if (e) {
        e->table = table;
    }
    return e;
}

static enum result flush(void *encoder, struct buf *block, const struct format_turn *turn,
                         struct err *err)
{
    struct json_encoder *e = encoder;

    (void)block;
    (void)turn;
    (void)err;
    e->record = 0; /* which no row has */
    return RESULT_OK;
}

const struct table_format jsonl_format = {
    .name = "jsonl",
    .endings = "jsonl ndjson",
    .about = "JSON Lines: a flat object for each row, with all columns; values as the server wrote "
             "them.",
    .packable = true,
    .open = open_lines,
    .close = close_table,
    .encoder_new = encoder_new,
    .encoder_free = free,
    .add = add,
    .flush = flush,
};

/* --- an array ---------------------------------------------------------------------------------------- */

static enum result open_array(void **table, const struct format_target *target, struct err *err)
{
    return open_with(true, table, target, err);
}

static enum result finish_array(void *table, struct err *err)
{
    const struct json_table *t = table;

    return t->target->write(t->target->context, STR("\n]\n"), err);
}

const struct table_format json_format = {
    .name = "json",
    .endings = "json",
    .about = "The same objects in one array.",
    .between = ",\n",
    .packable = true,
    .open = open_array,
    .finish = finish_array,
    .close = close_table,
    .encoder_new = encoder_new,
    .encoder_free = free,
    .add = add,
    .flush = flush,
};
