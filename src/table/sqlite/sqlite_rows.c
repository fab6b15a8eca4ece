#include "table/sqlite/sqlite_rows.h"

#include "base/timestamp.h"
#include "normalise/cell_text.h"
#include "normalise/types.h"
#include "table/moment_text.h"

#include <string.h>

static enum result changed(struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-TAB2", "the input changed while it was being read");
}

static enum result add_tagged(struct buf *block, enum sqlite_value_kind kind, const void *bytes,
                              size_t len)
{
    enum result result = buf_reserve(block, 1 + len);

    if (result == RESULT_OK) {
        block->data[block->len] = (char)kind;
        memcpy(block->data + block->len + 1, bytes, len);
        block->len += 1 + len;
    }
    return result;
}

static enum result add_text(struct buf *block, struct str text)
{
    uint32_t len = (uint32_t)text.len;
    enum result result = add_tagged(block, SQLITE_VALUE_TEXT, &len, sizeof len);

    return result == RESULT_OK ? buf_append_str(block, text) : result;
}

/* As CSV shows it. */
static enum result add_cell_text(struct buf *block, const struct row_cell *cell,
                                 const char *readable, uint64_t *lone_surrogates)
{
    size_t room = 1 + sizeof(uint32_t) + (size_t)cell->len + CELL_TEXT_SLACK;
    char *to, *end;
    uint32_t len;

    if (buf_reserve(block, room) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    to = block->data + block->len;
    *to = SQLITE_VALUE_TEXT;
    to += 1 + sizeof len;
    if (cell->kind == CELL_STRING || cell->kind == CELL_BARE) {
        cell_text_copy(to, cell->text, cell->len, readable);
        end = to + cell->len;
    } else {
        end = cell_text_put(to, cell, lone_surrogates);
    }
    len = (uint32_t)(end - to);
    memcpy(to - sizeof len, &len, sizeof len);
    block->len = (size_t)(end - block->data);
    return RESULT_OK;
}

static enum result add_time(struct buf *block, const struct sqlite_column *column, struct str cell,
                            struct err *err)
{
    char text[MOMENT_TEXT_MAX];
    struct str made;
    int64_t value;
    bool good = column->store == SQLITE_STORE_DATE ? types_date(cell, &value)
                : column->epoch_unit_us            ? types_int64(cell, &value)
                                                   : timestamp_parse(cell, &value);

    if (good && column->epoch_unit_us) {
        good = !__builtin_mul_overflow(value, column->epoch_unit_us, &value);
    }
    if (!good) {
        return changed(err);
    }
    if (column->store == SQLITE_STORE_DATE) {
        return add_text(block, moment_text_day(value, text));
    }
    made = moment_text_time(value, text);
    made.len -= column->store == SQLITE_STORE_LOCAL; /* the Z */
    return add_text(block, made);
}

static enum result add_integer(struct buf *block, const struct sqlite_column *column,
                               struct str cell, struct err *err)
{
    int64_t value;

    if (!types_int64(cell, &value)) {
        return changed(err);
    }
    if (column->rounds && (value > INT64_C(1) << 53 || value < -(INT64_C(1) << 53))) {
        return err_set(err, RESULT_DENIED, "E-DB2",
                       "the table's column %.*s is REAL and would round %.*s; give the table "
                       "another name, or make it anew without --key",
                       STR_ARG(column->name), STR_ARG(cell));
    }
    return add_tagged(block, SQLITE_VALUE_INTEGER, &value, sizeof value);
}

static enum result add_real(struct buf *block, struct str cell, struct err *err)
{
    double value;

    return types_double(cell, &value) ? add_tagged(block, SQLITE_VALUE_REAL, &value, sizeof value)
                                      : changed(err);
}

static enum result add_boolean(struct buf *block, struct str cell, struct err *err)
{
    int64_t value = str_equal(cell, STR("true"));

    return value || str_equal(cell, STR("false"))
               ? add_tagged(block, SQLITE_VALUE_INTEGER, &value, sizeof value)
               : changed(err);
}

static enum result add_value(struct buf *block, const struct sqlite_column *column,
                             const struct row_cell *cell, const char *readable,
                             uint64_t *lone_surrogates, struct err *err)
{
    struct str text = { cell->text, cell->len };

    if (column->is_empty) {
        return changed(err);
    }
    switch (column->store) {
    case SQLITE_STORE_INTEGER:
        return add_integer(block, column, text, err);
    case SQLITE_STORE_REAL:
        return add_real(block, text, err);
    case SQLITE_STORE_BOOLEAN:
        return add_boolean(block, text, err);
    case SQLITE_STORE_TIMESTAMP:
    case SQLITE_STORE_LOCAL:
    case SQLITE_STORE_DATE:
        return add_time(block, column, text, err);
    case SQLITE_STORE_TEXT:
        break;
    }
    return add_cell_text(block, cell, readable, lone_surrogates);
}

enum result sqlite_rows_add(struct buf *block, const struct sqlite_column *columns,
                            const struct row *row, uint64_t *lone_surrogates, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < row->count && result == RESULT_OK; i++) {
        const struct row_cell *cell = row_cell(row, i);

        if (cell) {
            result = add_value(block, &columns[i], cell, row->readable, lone_surrogates, err);
        } else if (columns[i].is_key) {
            return err_set(err, RESULT_DENIED, "E-DB2",
                           "--key %.*s: a row has no value there; leave such rows out with "
                           "--where-present %.*s",
                           STR_ARG(columns[i].name), STR_ARG(columns[i].name));
        } else {
            result = add_tagged(block, SQLITE_VALUE_NULL, "", 0);
        }
    }
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}

struct sqlite_value sqlite_rows_next(const char **at)
{
    struct sqlite_value value = { .kind = (enum sqlite_value_kind) * *at };
    const char *p = *at + 1;
    uint32_t len;

    switch (value.kind) {
    case SQLITE_VALUE_NULL:
        break;
    case SQLITE_VALUE_INTEGER:
        memcpy(&value.integer, p, sizeof value.integer);
        p += sizeof value.integer;
        break;
    case SQLITE_VALUE_REAL:
        memcpy(&value.real, p, sizeof value.real);
        p += sizeof value.real;
        break;
    case SQLITE_VALUE_TEXT:
        memcpy(&len, p, sizeof len);
        value.text = (struct str){ p + sizeof len, len };
        p += sizeof len + len;
        break;
    }
    *at = p;
    return value;
}
