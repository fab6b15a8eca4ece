#include "table/parquet/parquet_plain.h"

#include "base/timestamp.h"
#include "normalise/cell_text.h"
#include "table/parquet/parquet_page.h"

#include <math.h>
#include <string.h>

#define TEXT_BYTES_MAX ((uint32_t)1 << 30) /* of a value: a page counts in 31 bits */
#define TEXT_MARGIN (CELL_TEXT_SLACK > TEXT_HEAD_BYTES ? CELL_TEXT_SLACK : TEXT_HEAD_BYTES)

static inline enum result make_room(struct buf *out, size_t room)
{
    return out->cap - out->len >= room ? RESULT_OK : buf_reserve(out, room);
}

/* --- values --------------------------------------------------------------------------------------- */

static enum result changed(struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-TAB2", "the input changed while it was being read");
}

static inline enum result add_bits(struct buf *plain, uint64_t bits)
{
    enum result result = make_room(plain, sizeof bits);

    if (result == RESULT_OK) {
        little_put_u64(plain->data + plain->len, bits);
        plain->len += sizeof bits;
    }
    return result;
}

static enum result add_whole(struct buf *plain, const struct parquet_column *c, struct str text,
                             struct err *err)
{
    int64_t value;
    bool good = c->type == TYPE_DATE                             ? types_date(text, &value)
                : c->type == TYPE_LOCAL_TIMESTAMP                ? timestamp_parse(text, &value)
                : c->type == TYPE_TIMESTAMP && !c->epoch_unit_us ? timestamp_parse(text, &value)
                                                                 : types_int64(text, &value);

    if (good && c->epoch_unit_us) {
        good = !__builtin_mul_overflow(value, c->epoch_unit_us, &value);
    }
    return good ? add_bits(plain, (uint64_t)value) : changed(err);
}

static enum result add_fraction(struct buf *plain, struct str text, struct err *err)
{
    double value;

    return types_double(text, &value) ? add_bits(plain, parquet_double_bits(value)) : changed(err);
}

static enum result add_boolean(struct buf *plain, struct str text, struct err *err)
{
    bool value = str_equal(text, STR("true"));

    return value || str_equal(text, STR("false")) ? buf_append_char(plain, value) : changed(err);
}

static inline enum result add_text(struct buf *plain, const struct row_cell *cell,
                                   const char *readable, uint64_t *lone_surrogates, struct err *err)
{
    enum result result;
    char *text, *end;

    if (cell->len > TEXT_BYTES_MAX) {
        return err_set(err, RESULT_LIMIT, "E-TAB3", "a value is over 1 GiB, too long for Parquet");
    }
    result = make_room(plain, PARQUET_LEN_BYTES + (size_t)cell->len + TEXT_MARGIN);
    if (result != RESULT_OK) {
        return result;
    }
    text = plain->data + plain->len + PARQUET_LEN_BYTES;
    if (cell->kind == CELL_STRING || cell->kind == CELL_BARE) {
        cell_text_copy(text, cell->text, cell->len, readable);
        end = text + cell->len;
    } else {
        end = cell_text_put(text, cell, lone_surrogates);
    }
    little_put_u32(text - PARQUET_LEN_BYTES, (uint32_t)(end - text));
    plain->len = (size_t)(end - plain->data);
    return RESULT_OK;
}

uint32_t parquet_plain_kinds(const struct parquet_column *c)
{
    static const uint32_t kinds[] = {
        [TYPE_TEXT] = 0,
        [TYPE_INT64] = 1U << KIND_INT | 1U << KIND_WIDE,
        [TYPE_DOUBLE] = 1U << KIND_DOUBLE,
        [TYPE_BOOLEAN] = 0,
        [TYPE_TIMESTAMP] = 1U << KIND_TIME | 1U << KIND_LOCAL,
        [TYPE_LOCAL_TIMESTAMP] = 1U << KIND_LOCAL,
        [TYPE_DATE] = 1U << KIND_DATE,
    };

    return c->epoch_unit_us ? 0 : kinds[c->type];
}

enum result parquet_plain_add(struct buf *plain, const struct parquet_column *column,
                              const struct row *row, uint32_t at, uint64_t *lone_surrogates,
                              struct err *err)
{
    const struct row_cell *cell = &row->cells[at];
    const struct str text = { cell->text, cell->len };

    switch (column->type) {
    case TYPE_TEXT:
        return add_text(plain, cell, row->readable, lone_surrogates, err);
    case TYPE_DOUBLE:
        return row->values && row->values[at].kind == KIND_INT
                   ? add_bits(plain, parquet_double_bits((double)row->values[at].value.whole))
                   : add_fraction(plain, text, err);
    case TYPE_BOOLEAN:
        return add_boolean(plain, text, err);
    default:
        return add_whole(plain, column, text, err);
    }
}

enum result parquet_plain_append_narrow(struct buf *out, struct str plain)
{
    enum result result = make_room(out, plain.len / 2);

    for (size_t at = 0; result == RESULT_OK && at < plain.len; at += sizeof(uint64_t)) {
        little_put_u32(out->data + out->len, (uint32_t)little_get_u64(plain.data + at));
        out->len += sizeof(uint32_t);
    }
    return result;
}

/* --- bounds --------------------------------------------------------------------------------------- */

void parquet_plain_bound_texts(struct str plain, size_t *low, size_t *high)
{
    uint64_t low_head = UINT64_MAX, high_head = 0;
    struct str text;

    *low = *high = 0;
    for (size_t at = 0; at < plain.len; at += parquet_text_bytes(text)) {
        uint64_t head;

        text = parquet_text_at(plain.data + at);
        head = parquet_text_head(text);
        if (head < low_head ||
            (head == low_head && str_compare(text, parquet_text_at(plain.data + *low)) < 0)) {
            *low = at;
            low_head = head;
        }
        if (head > high_head ||
            (head == high_head && str_compare(text, parquet_text_at(plain.data + *high)) > 0)) {
            *high = at;
            high_head = head;
        }
    }
}

static void bound_wholes(struct str plain, struct parquet_bounds *bounds)
{
    int64_t low = INT64_MAX, high = INT64_MIN;

    for (size_t at = 0; at < plain.len; at += sizeof low) {
        int64_t value = (int64_t)little_get_u64(plain.data + at);

        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    bounds->low.whole = low;
    bounds->high.whole = high;
}

static void bound_fractions(struct str plain, struct parquet_bounds *bounds)
{
    double low = INFINITY, high = -INFINITY;

    for (size_t at = 0; at < plain.len; at += sizeof low) {
        double value = parquet_double(little_get_u64(plain.data + at));

        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    bounds->low.fraction = low;
    bounds->high.fraction = high;
}

void parquet_plain_bound(struct str plain, enum type type, struct parquet_bounds *bounds)
{
    if (type == TYPE_BOOLEAN) {
        bounds->low.whole = plain.len && !memchr(plain.data, 0, plain.len);
        bounds->high.whole = plain.len && memchr(plain.data, 1, plain.len);
    } else if (type == TYPE_DOUBLE) {
        bound_fractions(plain, bounds);
    } else {
        bound_wholes(plain, bounds);
    }
}

/* --- runs ----------------------------------------------------------------------------------------- */

#define RUN_BYTES sizeof(uint32_t)

static inline uint32_t run_at(const struct buf *runs, size_t i)
{
    uint32_t times;

    memcpy(&times, runs->data + i * RUN_BYTES, sizeof times);
    return times;
}

enum result parquet_runs_add(struct buf *runs, uint32_t values, uint32_t more)
{
    const uint32_t once = 1, times = 1 + more;
    size_t end = values * RUN_BYTES;
    enum result result = make_room(runs, end - runs->len);

    if (result != RESULT_OK) {
        return result;
    }
    for (; runs->len + RUN_BYTES < end; runs->len += RUN_BYTES) {
        memcpy(runs->data + runs->len, &once, sizeof once);
    }
    memcpy(runs->data + runs->len, &times, sizeof times);
    runs->len = end;
    return RESULT_OK;
}

/* Each of the values that the runs are of goes to `to`; what stands after them is in `*rest` then. */
__attribute__((always_inline)) static inline char *repeat(char *to, struct str *rest, size_t size,
                                                          const struct buf *runs)
{
    const char *from = rest->data;

    for (size_t i = 0; i < runs->len / RUN_BYTES; i++) {
        size_t len = size ? size : parquet_text_bytes(parquet_text_at(from));

        for (uint32_t times = run_at(runs, i); times; times--, to += len) {
            memcpy(to, from, len);
        }
        from += len;
    }
    *rest = (struct str){ from, (size_t)(rest->data + rest->len - from) };
    return to;
}

size_t parquet_runs_bytes(const struct buf *runs, size_t size, uint32_t count, struct str values)
{
    size_t bytes = size ? count * size : values.len, at = 0;

    for (size_t i = 0; !size && i < runs->len / RUN_BYTES; i++) {
        size_t len = parquet_text_bytes(parquet_text_at(values.data + at));

        bytes += (run_at(runs, i) - 1) * len;
        at += len;
    }
    return bytes;
}

enum result parquet_runs_expand(const struct buf *runs, size_t size, uint32_t count,
                                struct buf *values, struct buf *spare)
{
    struct str rest = buf_view(values);
    struct buf expanded = *spare;
    enum result result;
    char *to;

    if (!runs->len) {
        return RESULT_OK;
    }
    buf_reset(&expanded);
    result = buf_reserve(&expanded, parquet_runs_bytes(runs, size, count, rest));
    if (result != RESULT_OK) {
        return result;
    }
    to = size == 8   ? repeat(expanded.data, &rest, 8, runs)
         : size == 4 ? repeat(expanded.data, &rest, 4, runs)
         : size == 1 ? repeat(expanded.data, &rest, 1, runs)
                     : repeat(expanded.data, &rest, 0, runs);
    memcpy(to, rest.data, rest.len);
    expanded.len = (size_t)(to - expanded.data) + rest.len;
    *spare = *values;
    *values = expanded;
    return RESULT_OK;
}
