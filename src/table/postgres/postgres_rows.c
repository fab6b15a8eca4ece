#include "table/postgres/postgres_rows.h"

#include "base/timestamp.h"
#include "normalise/cell_text.h"
#include "table/typed_text.h"

#include <string.h>

#define US_TO_2000 INT64_C(946684800000000) /* since 1970; PostgreSQL counts from 2000 */
#define DAYS_TO_2000 10957
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

const struct str postgres_rows_head = { "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19 };
const struct str postgres_rows_end = { "\377\377", 2 };

enum postgres_store postgres_rows_store(enum type type)
{
    static const enum postgres_store stores[TYPE_COUNT] = {
        [TYPE_TEXT] = POSTGRES_STORE_TEXT,
        [TYPE_INT64] = POSTGRES_STORE_INT8,
        [TYPE_DOUBLE] = POSTGRES_STORE_FLOAT8,
        [TYPE_BOOLEAN] = POSTGRES_STORE_BOOLEAN,
        [TYPE_TIMESTAMP] = POSTGRES_STORE_TIME,
        [TYPE_DATE] = POSTGRES_STORE_DATE,
        [TYPE_LOCAL_TIMESTAMP] = POSTGRES_STORE_TIME,
    };

    return stores[type];
}

/* --- numbers, the highest byte first ----------------------------------------------------------------- */

static char *put_u32(char *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static char *put_u64(char *to, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static void add_u32(struct buf *block, uint32_t value) /* reserved */
{
    block->len = (size_t)(put_u32(put_u32(block->data + block->len, 4), value) - block->data);
}

static void add_u64(struct buf *block, uint64_t value)
{
    block->len = (size_t)(put_u64(put_u32(block->data + block->len, 8), value) - block->data);
}

/* --- texts ------------------------------------------------------------------------------------------- */

static enum result add_text(struct buf *block, struct str text)
{
    if (buf_reserve(block, 4 + text.len) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    memcpy(put_u32(block->data + block->len, (uint32_t)text.len), text.data, text.len);
    block->len += 4 + text.len;
    return RESULT_OK;
}

static size_t count_nuls(const char *text, size_t len)
{
    size_t count = 0;

    for (const char *at = text; (at = memchr(at, '\0', (size_t)(text + len - at))); at++) {
        count++;
    }
    return count;
}

/* From the end on, so that nothing is written over before it is read. */
static void replace_nuls(char *text, size_t len, size_t count)
{
    char *to = text + len + 2 * count;

    while (len--) {
        if (text[len]) {
            *--to = text[len];
        } else {
            to -= 3;
            memcpy(to, REPLACEMENT, 3);
        }
    }
}

/* As CSV shows it. Only an escape can stand for a NUL. */
static enum result add_cell_text(struct buf *block, const struct row_cell *cell,
                                 const char *readable, uint64_t *replaced)
{
    char *text;
    size_t len = cell->len, nuls = 0, at = block->len;

    if (buf_reserve(block, 4 + (size_t)cell->len + CELL_TEXT_SLACK) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    text = block->data + at + 4;
    if (cell->kind == CELL_STRING || cell->kind == CELL_BARE) {
        cell_text_copy(text, cell->text, cell->len, readable);
    } else {
        len = (size_t)(cell_text_put(text, cell, replaced) - text);
        nuls = cell->kind == CELL_ESCAPED ? count_nuls(text, len) : 0;
    }
    if (nuls) {
        block->len = at + 4 + len; /* else it would not move */
        if (buf_reserve(block, 2 * nuls) != RESULT_OK) {
            return RESULT_NOMEM;
        }
        text = block->data + at + 4;
        replace_nuls(text, len, nuls);
        len += 2 * nuls;
        *replaced += nuls;
    }
    put_u32(block->data + at, (uint32_t)len);
    block->len = at + 4 + len;
    return RESULT_OK;
}

/* --- values ------------------------------------------------------------------------------------------ */

static bool moment_of(const struct type_decision *decision, struct str text, int64_t *us)
{
    if (decision->epoch_unit_us) {
        return types_int64(text, us) && !__builtin_mul_overflow(*us, decision->epoch_unit_us, us);
    }
    return timestamp_parse(text, us);
}

static bool add_fixed(struct buf *block, const struct postgres_row_column *column, struct str text)
{
    bool is_true = str_equal(text, STR("true"));
    double fraction;
    int64_t whole;
    uint64_t bits;

    switch (column->store) {
    case POSTGRES_STORE_INT8:
        if (!types_int64(text, &whole)) {
            return false;
        }
        add_u64(block, (uint64_t)whole);
        return true;
    case POSTGRES_STORE_FLOAT8:
        if (!types_double(text, &fraction)) {
            return false;
        }
        memcpy(&bits, &fraction, sizeof bits);
        add_u64(block, bits);
        return true;
    case POSTGRES_STORE_BOOLEAN:
        if (!is_true && !str_equal(text, STR("false"))) {
            return false;
        }
        put_u32(block->data + block->len, 1)[0] = (char)is_true;
        block->len += 5;
        return true;
    case POSTGRES_STORE_TIME:
        if (!moment_of(&column->from->decision, text, &whole) ||
            __builtin_sub_overflow(whole, US_TO_2000, &whole)) {
            return false;
        }
        add_u64(block, (uint64_t)whole);
        return true;
    case POSTGRES_STORE_DATE:
        if (!types_date(text, &whole)) {
            return false;
        }
        add_u32(block, (uint32_t)(whole - DAYS_TO_2000));
        return true;
    case POSTGRES_STORE_TEXT:
    case POSTGRES_STORE_COUNT:
        break;
    }
    return false;
}

/* A value of a type of ours in a column that gets texts. The year 0 is 1 BC there. */
static enum result add_typed_text(struct buf *block, const struct type_decision *decision,
                                  struct str text, struct err *err)
{
    char shown[MOMENT_TEXT_MAX];
    struct str made;
    enum result result = typed_text_value(decision, text, shown, &made, err);

    return result == RESULT_OK ? add_text(block, made) : result;
}

static enum result add_value(struct buf *block, const struct postgres_row_column *column,
                             const struct row_cell *cell, const char *readable, uint64_t *replaced,
                             struct err *err)
{
    const struct type_decision *decision = &column->from->decision;
    struct str text = { cell->text, cell->len };

    if (column->store == POSTGRES_STORE_TEXT) {
        return typed_text_kind(decision) == TYPED_TEXT_ESCAPED
                   ? add_cell_text(block, cell, readable, replaced)
                   : add_typed_text(block, decision, text, err);
    }
    if (buf_reserve(block, 4 + sizeof(uint64_t)) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    return add_fixed(block, column, text) ? RESULT_OK
                                          : err_set(err, RESULT_CORRUPT, "E-TAB2",
                                                    "the input changed while it was being read");
}

enum result postgres_rows_add(struct buf *block, const struct postgres_row_column *columns,
                              uint32_t count, const struct row *row, uint64_t *replaced,
                              struct err *err)
{
    enum result result = buf_reserve(block, 2);

    if (result == RESULT_OK) {
        block->data[block->len++] = (char)(count >> 8);
        block->data[block->len++] = (char)(count & 0xff);
    }
    for (uint32_t i = 0; i < count && result == RESULT_OK; i++) {
        const struct row_cell *cell = row_cell(row, i);

        if (cell) {
            result = add_value(block, &columns[i], cell, row->readable, replaced, err);
        } else if (columns[i].is_key) {
            return layout_refuse_null_key(columns[i].from, err);
        } else if ((result = buf_reserve(block, 4)) == RESULT_OK) {
            put_u32(block->data + block->len, UINT32_MAX);
            block->len += 4;
        }
    }
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}
