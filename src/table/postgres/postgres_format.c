/*
 * PostgreSQL as a format: a script for psql, with the rows as COPY's text between its statements.
 *
 * Cells are separated by tabs, \N is null; backslash, tab, line feed and carriage return in a value are escaped, so
 * that no value can end the rows or begin a statement. What PostgreSQL cannot hold, U+0000, becomes U+FFFD, and is
 * counted. Numbers are as the server wrote them, times in UTC to the microsecond.
 *
 * Source: PostgreSQL 15 documentation, sql-copy, "Text Format".
 */
#include "normalise/cell_text.h"
#include "table/format.h"
#include "table/layout.h"
#include "table/postgres/postgres_sql.h"
#include "table/typed_text.h"

#include <stdlib.h>
#include <string.h>

struct psql_table {
    const struct format_target *target;
    struct postgres_table sql;
};

struct psql_encoder {
    const struct psql_table *table;
    struct buf text; /* scratch: a cell before it is escaped */
};

static enum result write_sql(const struct psql_table *t, struct buf *sql, enum result made,
                             struct err *err)
{
    enum result result = made == RESULT_OK
                             ? t->target->write(t->target->context, buf_view(sql), err)
                             : err_nomem(err, "writing a table");

    buf_release(sql);
    return result;
}

static enum result open_psql(void **table, const struct format_target *target, struct err *err)
{
    struct psql_table *t = calloc(1, sizeof *t);
    struct buf sql = { 0 };
    enum result result;

    *table = t;
    if (!t) {
        return err_nomem(err, "starting a table");
    }
    t->target = target;
    result = postgres_table_init(&t->sql, target, err);
    return result == RESULT_OK ? write_sql(t, &sql, postgres_sql_before(&t->sql, &sql), err)
                               : result;
}

static enum result finish_psql(void *table, struct err *err)
{
    const struct psql_table *t = table;
    struct buf sql = { 0 };

    return write_sql(t, &sql, postgres_sql_after(&t->sql, &sql), err);
}

static void close_psql(void *table)
{
    struct psql_table *t = table;

    if (t) {
        postgres_table_release(&t->sql);
        free(t);
    }
}

/* --- cells ------------------------------------------------------------------------------------------- */

/* The letter after the backslash; 0: the byte stands for itself. */
static char escape_of(char c)
{
    switch (c) {
    case '\\':
        return '\\';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    default:
        return 0;
    }
}

static enum result put_escaped(struct buf *block, struct str text, uint64_t *replaced)
{
    char *to;

    if (buf_reserve(block, 3 * text.len) != RESULT_OK) { /* U+FFFD has three bytes */
        return RESULT_NOMEM;
    }
    to = block->data + block->len;
    for (size_t i = 0; i < text.len; i++) {
        char letter = escape_of(text.data[i]);

        if (letter) {
            *to++ = '\\';
            *to++ = letter;
        } else if (text.data[i] == '\0') {
            memcpy(to, "\xef\xbf\xbd", 3);
            to += 3;
            ++*replaced;
        } else {
            *to++ = text.data[i];
        }
    }
    block->len = (size_t)(to - block->data);
    return RESULT_OK;
}

static enum result put_text_cell(struct psql_encoder *e, struct buf *block,
                                 const struct row_cell *cell, uint64_t *replaced)
{
    char *end;

    buf_reset(&e->text);
    if (buf_reserve(&e->text, (size_t)cell->len + CELL_TEXT_SLACK) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    end = cell_text_put(e->text.data, cell, replaced);
    return put_escaped(block, (struct str){ e->text.data, (size_t)(end - e->text.data) }, replaced);
}

/* What no calendar of PostgreSQL has: the year 0 is 1 BC there. */
static enum result put_moment(struct buf *block, struct str text)
{
    enum result result;

    if (!str_starts(text, STR("0000"))) {
        return buf_append_str(block, text);
    }
    result = buf_append_str(block, STR("0001"));
    result = result == RESULT_OK ? buf_append(block, text.data + 4, text.len - 4) : result;
    return result == RESULT_OK ? buf_append_str(block, STR(" BC")) : result;
}

static enum result put_cell(struct psql_encoder *e, struct buf *block,
                            const struct layout_column *column, const struct row_cell *cell,
                            uint64_t *replaced, struct err *err)
{
    enum typed_text_kind kind = typed_text_kind(&column->decision);
    char shown[MOMENT_TEXT_MAX];
    struct str made;
    enum result result;

    if (kind == TYPED_TEXT_ESCAPED) {
        return put_text_cell(e, block, cell, replaced);
    }
    result = typed_text_value(&column->decision, (struct str){ cell->text, cell->len }, shown,
                              &made, err);
    return result != RESULT_OK         ? result
           : kind == TYPED_TEXT_MOMENT ? put_moment(block, made)
                                       : buf_append_str(block, made);
}

/* --- rows -------------------------------------------------------------------------------------------- */

static enum result add(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err)
{
    struct psql_encoder *e = encoder;
    const struct postgres_table *t = &e->table->sql;
    enum result result = RESULT_OK;

    for (uint32_t i = 0; i < t->layout->count && result == RESULT_OK; i++) {
        const struct row_cell *cell = row_cell(row, i);

        if (i) {
            result = buf_append_char(block, '\t');
        }
        if (result == RESULT_OK && cell) {
            result = put_cell(e, block, &t->layout->columns[i], cell, lone_surrogates, err);
        } else if (t->is_key[i]) {
            return layout_refuse_null_key(&t->layout->columns[i], err);
        } else if (result == RESULT_OK) {
            result = buf_append_str(block, STR("\\N"));
        }
    }
    result = result == RESULT_OK ? buf_append_char(block, '\n') : result;
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}

static void *encoder_new(void *table)
{
    struct psql_encoder *e = calloc(1, sizeof *e);

    if (e) {
        e->table = table;
    }
    return e;
}

static void encoder_free(void *encoder)
{
    struct psql_encoder *e = encoder;

    buf_release(&e->text);
    free(e);
}

const struct table_format postgres_format = {
    .name = "postgres",
    .endings = "sql",
    .about = "A script for psql: makes or widens a table and puts the rows in, in one transaction; "
             "with --key, in "
             "the place of those with the same key.",
    .typed = true,
    .has_keys = true,
    .packable = true,
    .open = open_psql,
    .finish = finish_psql,
    .close = close_psql,
    .encoder_new = encoder_new,
    .encoder_free = encoder_free,
    .add = add,
};
