/*
 * The worker's half of normalise/parquet.h: cells become values (parquet_values.h), and those a page, or
 * part of one, once the block is done.
 *
 * A dictionary does not fit into the nearer caches. Texts are therefore looked up some at a time: by when
 * they are compared, memory has been asked for all of them.
 */
#include "normalise/parquet_block.h"

#include "normalise/cell_text.h"
#include "normalise/parquet.h"
#include "normalise/parquet_page.h"
#include "normalise/parquet_values.h"
#include "normalise/timestamp.h"

#include <math.h>
#include <stdlib.h>

#define TEXT_BYTES_MAX ((uint32_t)1 << 30) /* of a value: a page counts in 31 bits */
#define ROWS_MAX ((uint32_t)1 << 20)
#define ROW_BYTES 8 /* of a row without values: its levels, so that a block of such ends, too */

/* A chunk of a table with many columns has few rows, whose values are too few for pages of their own. */
#define LOOSE_ROWS_MAX 256
#define LOOSE_BYTES_MAX 4096

/* What all columns together keep from one block to the next: values that follow each other may all be of one
 * column, and later of another. */
#define KEPT_BYTES ((size_t)8 << 20)

#define SOUGHT_MAX 16     /* texts that are looked up together */
#define FAR_ENTRIES 1024u /* a smaller dictionary stays in the nearest cache */

/* A text on its way to being an index of the dictionary. */
struct sought {
    struct keyed_hash hash;
    uint32_t at, len; /* in `texts` */
};

struct slice {
    struct parquet_values values;
    uint32_t repeats; /* of the last value, which are still to be put behind it */
    uint64_t record;  /* whose value was added last, and that as the row had it */
    const char *cell;
    size_t last_at;               /* where it stands in `values` */
    struct parquet_bounds bounds; /* `any` only in the end */
    size_t low_at, high_at;       /* in `values`, of text */
    uint64_t low_head, high_head; /* likewise */
    /* Where the dictionary lies in no near cache, else NULL: SOUGHT_MAX of them. Their indices stand in
     * `values`, as the last ones, still 0. */
    struct sought *sought;
    uint32_t sought_count;
    struct buf texts; /* of these */
};

struct parquet_block {
    const struct parquet_schema *schema;
    struct slice *slices;
    uint32_t rows;
    size_t bytes;
    struct page_maker maker;
    struct buf text; /* a string's that had escapes */
};

static void begin_bounds(struct slice *s, const struct parquet_column *column)
{
    s->bounds = (struct parquet_bounds){ .low.whole = INT64_MAX, .high.whole = INT64_MIN };
    if (column->type == TYPE_DOUBLE && !column->numbers) {
        s->bounds.low.fraction = INFINITY;
        s->bounds.high.fraction = -INFINITY;
    }
}

struct parquet_block *parquet_block_new(const struct parquet_schema *schema)
{
    struct parquet_block *b = calloc(1, sizeof *b);

    if (!b) {
        return NULL;
    }
    b->schema = schema;
    b->slices = calloc(schema->count, sizeof *b->slices);
    if (!page_maker_init(&b->maker) || !b->slices) {
        parquet_block_free(b);
        return NULL;
    }
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct parquet_column *c = &schema->columns[i];

        begin_bounds(&b->slices[i], c);
        if (c->dictionary && dictionary_count(c->dictionary) >= FAR_ENTRIES) {
            b->slices[i].sought = calloc(SOUGHT_MAX, sizeof *b->slices[i].sought);
            if (!b->slices[i].sought) {
                parquet_block_free(b);
                return NULL;
            }
        }
    }
    return b;
}

void parquet_block_free(struct parquet_block *b)
{
    if (b) {
        for (uint32_t i = 0; b->slices && i < b->schema->count; i++) {
            parquet_values_release(&b->slices[i].values);
            buf_release(&b->slices[i].texts);
            free(b->slices[i].sought);
        }
        free(b->slices);
        page_maker_release(&b->maker);
        buf_release(&b->text);
        free(b);
    }
}

size_t parquet_block_bytes(const struct parquet_block *b)
{
    return b->bytes;
}

static inline void bound_whole(struct parquet_bounds *bounds, int64_t value)
{
    bounds->low.whole = value < bounds->low.whole ? value : bounds->low.whole;
    bounds->high.whole = value > bounds->high.whole ? value : bounds->high.whole;
}

static inline void bound_fraction(struct parquet_bounds *bounds, double value)
{
    bounds->low.fraction = value < bounds->low.fraction ? value : bounds->low.fraction;
    bounds->high.fraction = value > bounds->high.fraction ? value : bounds->high.fraction;
}

static inline struct str text_at(const struct slice *s, size_t at, uint32_t len)
{
    return (struct str){ s->values.bytes.data + at, len };
}

/* The text stands in `values` at `at`. */
static inline void bound_text(struct slice *s, size_t at, uint32_t len)
{
    struct parquet_bounds *bounds = &s->bounds;
    struct str text = text_at(s, at, len);
    uint64_t head = str_head(text);
    bool first = at == 4;

    if (first || head < s->low_head ||
        (head == s->low_head && str_compare(text, text_at(s, s->low_at, bounds->low_len)) < 0)) {
        s->low_at = at;
        s->low_head = head;
        bounds->low_len = len;
    }
    if (first || head > s->high_head ||
        (head == s->high_head && str_compare(text, text_at(s, s->high_at, bounds->high_len)) > 0)) {
        s->high_at = at;
        s->high_head = head;
        bounds->high_len = len;
    }
}

static enum result changed(struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-TAB2", "the input changed while it was being read");
}

static inline enum result make_room(struct buf *out, size_t room)
{
    return out->cap - out->len >= room ? RESULT_OK : buf_reserve(out, room);
}

static inline enum result append_u64(struct buf *out, uint64_t value)
{
    enum result result = make_room(out, 8);

    if (result == RESULT_OK) {
        parquet_put_u64(out->data + out->len, value);
        out->len += 8;
    }
    return result;
}

static inline enum result append_entry(struct slice *s, uint32_t entry)
{
    enum result result = make_room(&s->values.bytes, sizeof entry);

    if (result == RESULT_OK) {
        memcpy(s->values.bytes.data + s->values.bytes.len, &entry, sizeof entry);
        s->values.bytes.len += sizeof entry;
    }
    return result;
}

static enum result add_number(struct slice *s, const struct number_dictionary *dictionary,
                              uint64_t bits, struct err *err)
{
    uint32_t entry = number_dictionary_find(dictionary, bits);

    if (entry == number_dictionary_count(dictionary)) {
        return changed(err);
    }
    bound_whole(&s->bounds, entry); /* entries are sorted as their values are */
    return append_entry(s, entry);
}

static enum result add_whole(struct slice *s, const struct parquet_column *column, struct str text,
                             struct err *err)
{
    int64_t value;
    bool good = column->type == TYPE_TIMESTAMP && !column->epoch_unit_us
                    ? timestamp_parse(text, &value)
                    : types_int64(text, &value);

    if (good && column->epoch_unit_us) {
        good = !__builtin_mul_overflow(value, column->epoch_unit_us, &value);
    }
    if (!good) {
        return changed(err);
    }
    if (column->numbers) {
        return add_number(s, column->numbers, (uint64_t)value, err);
    }
    bound_whole(&s->bounds, value);
    return append_u64(&s->values.bytes, (uint64_t)value);
}

static enum result add_fraction(struct slice *s, const struct parquet_column *column,
                                struct str text, struct err *err)
{
    double value;

    if (!types_double(text, &value)) {
        return changed(err);
    }
    if (column->numbers) {
        return add_number(s, column->numbers, parquet_double_bits(value), err);
    }
    bound_fraction(&s->bounds, value);
    return append_u64(&s->values.bytes, parquet_double_bits(value));
}

static enum result add_boolean(struct slice *s, struct str text, struct err *err)
{
    bool value = str_equal(text, STR("true"));

    if (!value && !str_equal(text, STR("false"))) {
        return changed(err);
    }
    bound_whole(&s->bounds, value);
    return buf_append_char(&s->values.bytes, value);
}

static enum result add_text(struct slice *s, const struct row_cell *cell, uint64_t *lone_surrogates,
                            struct err *err)
{
    size_t at = s->values.bytes.len;
    uint32_t len;
    enum result result;

    if (cell->len > TEXT_BYTES_MAX) {
        return err_set(err, RESULT_LIMIT, "E-TAB3", "a value is over 1 GiB, too long for Parquet");
    }
    result = make_room(&s->values.bytes, 4 + (size_t)cell->len);
    if (result != RESULT_OK) {
        return result;
    }
    len = (uint32_t)(cell_text_put(s->values.bytes.data + at + 4, cell, lone_surrogates) -
                     (s->values.bytes.data + at + 4));
    parquet_put_u32(s->values.bytes.data + at, len);
    s->values.bytes.len += 4 + (size_t)len;
    bound_text(s, at + 4, len);
    return RESULT_OK;
}

/* All that are sought become indices. */
static enum result find_sought(struct slice *s, const struct dictionary *dictionary,
                               struct err *err)
{
    size_t at = s->values.bytes.len - s->sought_count * sizeof(uint32_t);

    for (uint32_t i = 0; i < s->sought_count; i++) {
        dictionary_approach_text(dictionary, s->sought[i].hash);
    }
    for (uint32_t i = 0; i < s->sought_count; i++, at += sizeof(uint32_t)) {
        const struct sought *one = &s->sought[i];
        struct str text = { s->texts.data + one->at, one->len };
        uint32_t entry = dictionary_find(dictionary, text, one->hash);

        if (entry == dictionary_count(dictionary)) {
            return changed(err);
        }
        bound_whole(&s->bounds, entry); /* entries are sorted as their texts are */
        memcpy(s->values.bytes.data + at, &entry, sizeof entry);
    }
    s->sought_count = 0;
    buf_reset(&s->texts);
    return RESULT_OK;
}

static enum result seek(struct slice *s, const struct dictionary *dictionary, struct str text,
                        struct err *err)
{
    struct sought *one = &s->sought[s->sought_count];
    enum result result = append_entry(s, 0);

    *one = (struct sought){ keyed_hash_text(text), (uint32_t)s->texts.len, (uint32_t)text.len };
    dictionary_approach(dictionary, one->hash);
    result = result == RESULT_OK ? buf_append_str(&s->texts, text) : result;
    if (result != RESULT_OK || ++s->sought_count < SOUGHT_MAX) {
        return result;
    }
    return find_sought(s, dictionary, err);
}

static enum result add_entry(struct parquet_block *b, struct slice *s,
                             const struct dictionary *dictionary, const struct row_cell *cell,
                             uint64_t *lone_surrogates, struct err *err)
{
    struct str text = { cell->text, cell->len };
    uint32_t entry;

    if (cell->kind == CELL_ESCAPED) {
        buf_reset(&b->text);
        if (buf_reserve(&b->text, cell->len) != RESULT_OK) {
            return RESULT_NOMEM;
        }
        text.data = b->text.data;
        text.len = (size_t)(cell_text_put(b->text.data, cell, lone_surrogates) - b->text.data);
    }
    if (text.len > DISTINCT_TEXT_MAX) {
        return changed(err);
    }
    if (s->sought) {
        return seek(s, dictionary, text, err);
    }
    entry = dictionary_find(dictionary, text, keyed_hash_text(text));
    if (entry == dictionary_count(dictionary)) {
        return changed(err);
    }
    bound_whole(&s->bounds, entry);
    return append_entry(s, entry);
}

static enum result add_value(struct parquet_block *b, uint32_t column, const struct row_cell *cell,
                             uint64_t *lone_surrogates, struct err *err)
{
    const struct parquet_column *c = &b->schema->columns[column];
    struct str text = { cell->text, cell->len };
    struct slice *s = &b->slices[column];

    switch (c->type) {
    case TYPE_INT64:
    case TYPE_TIMESTAMP:
        return add_whole(s, c, text, err);
    case TYPE_DOUBLE:
        return add_fraction(s, c, text, err);
    case TYPE_BOOLEAN:
        return add_boolean(s, text, err);
    case TYPE_TEXT:
        break;
    }
    return c->dictionary ? add_entry(b, s, c->dictionary, cell, lone_surrogates, err)
                         : add_text(s, cell, lone_surrogates, err);
}

/* What was added last, as often as it still is to be. */
static enum result put_repeats(struct slice *s, const struct dictionary *dictionary,
                               struct err *err)
{
    size_t len = s->values.bytes.len - s->last_at;
    enum result result = find_sought(s, dictionary, err);
    char *to;

    if (result == RESULT_OK) {
        result = make_room(&s->values.bytes, s->repeats * len);
    }
    if (result != RESULT_OK) {
        return result;
    }
    to = s->values.bytes.data + s->values.bytes.len;
    for (; s->repeats; s->repeats--, to += len) {
        if (len == 8) { /* numbers are most of them */
            memcpy(to, to - 8, 8);
        } else {
            memcpy(to, to - len, len);
        }
    }
    s->values.bytes.len = (size_t)(to - s->values.bytes.data);
    return RESULT_OK;
}

/* A value that is not the last one's repetition. */
static enum result add_another(struct parquet_block *b, uint32_t column, const struct row *row,
                               const struct row_cell *cell, uint64_t *lone_surrogates,
                               struct err *err)
{
    struct slice *s = &b->slices[column];
    enum result result = RESULT_OK;

    if (s->repeats) {
        result = put_repeats(s, b->schema->columns[column].dictionary, err);
    }
    s->last_at = s->values.bytes.len;
    s->record = row->number;
    s->cell = cell->text;
    return result == RESULT_OK ? add_value(b, column, cell, lone_surrogates, err) : result;
}

/* Rows of one exploded record repeat its own cells: what was made of one holds for all of them, and is
 * only counted. */
enum result parquet_block_row(struct parquet_block *b, const struct row *row,
                              uint64_t *lone_surrogates, struct err *err)
{
    uint32_t count = row->count < b->schema->count ? (uint32_t)row->count : b->schema->count;

    for (uint32_t i = 0; i < count; i++) {
        const struct row_cell *cell = row_cell(row, i);
        struct slice *s = &b->slices[i];
        enum result result;

        if (!cell) {
            continue;
        }
        result = parquet_values_mark(&s->values, b->rows);
        if (s->values.count > 1 && s->cell == cell->text && s->record == row->number) {
            s->repeats++;
        } else if (result == RESULT_OK) {
            result = add_another(b, i, row, cell, lone_surrogates, err);
        }
        if (result != RESULT_OK) {
            return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
        }
        b->bytes += s->values.bytes.len - s->last_at;
    }
    b->rows++;
    b->bytes += ROW_BYTES;
    return b->rows < ROWS_MAX ? RESULT_OK
                              : err_set(err, RESULT_LIMIT, "E-TAB3", "too many rows in a block");
}

/* --- encoding ------------------------------------------------------------------------------------- */

/* Of indices: what they stand for. */
static void bound_entries(const struct number_dictionary *dictionary, enum type type,
                          struct parquet_bounds *bounds)
{
    uint64_t low = number_dictionary_bits(dictionary, (uint32_t)bounds->low.whole);
    uint64_t high = number_dictionary_bits(dictionary, (uint32_t)bounds->high.whole);

    if (type == TYPE_DOUBLE) {
        memcpy(&bounds->low.fraction, &low, sizeof low);
        memcpy(&bounds->high.fraction, &high, sizeof high);
    } else {
        bounds->low.whole = (int64_t)low;
        bounds->high.whole = (int64_t)high;
    }
}

/* The bounds' texts, which the slice's head announces; those of a dictionary are looked up now. */
static enum result append_bounds(struct buf *out, const struct parquet_column *column,
                                 const struct slice *s, struct parquet_bounds *bounds)
{
    struct str low = { s->values.bytes.data + s->low_at, bounds->low_len };
    struct str high = { s->values.bytes.data + s->high_at, bounds->high_len };
    enum result result;

    if (column->numbers && bounds->any) {
        bound_entries(column->numbers, column->type, bounds);
    }
    if (column->type != TYPE_TEXT || !bounds->any) {
        return RESULT_OK;
    }
    if (column->dictionary) {
        low = dictionary_text(column->dictionary, (uint32_t)bounds->low.whole);
        high = dictionary_text(column->dictionary, (uint32_t)bounds->high.whole);
    }
    bounds->unbounded = low.len > PARQUET_BOUND_MAX || high.len > PARQUET_BOUND_MAX;
    bounds->low_len = bounds->unbounded ? 0 : (uint32_t)low.len;
    bounds->high_len = bounds->unbounded ? 0 : (uint32_t)high.len;
    result = buf_append(out, low.data, bounds->low_len);
    return result == RESULT_OK ? buf_append(out, high.data, bounds->high_len) : result;
}

static void reset_slice(struct slice *s, const struct parquet_column *column, size_t *keep)
{
    parquet_values_reset_within(&s->values, keep);
    buf_reset_within(&s->texts, keep);
    s->sought_count = s->repeats = 0;
    s->last_at = 0;
    begin_bounds(s, column);
}

static enum result append_slice(struct parquet_block *b, uint32_t column, size_t *keep,
                                struct buf *out, struct err *err)
{
    const struct parquet_column *c = &b->schema->columns[column];
    struct slice *s = &b->slices[column];
    enum result result = put_repeats(s, c->dictionary, err);
    struct parquet_slice head = { .nulls = b->rows - s->values.count, .bounds = s->bounds };
    size_t head_at = out->len, body_at;

    head.bounds.any = s->values.count > 0;
    result = result == RESULT_OK ? buf_append(out, &head, sizeof head) : result;
    result = result == RESULT_OK ? append_bounds(out, c, s, &head.bounds) : result;
    body_at = out->len;
    if (result == RESULT_OK) {
        result =
            b->rows <= LOOSE_ROWS_MAX && s->values.bytes.len <= LOOSE_BYTES_MAX
                ? parquet_values_loosen(&s->values, b->rows, &head.loose, out)
                : parquet_values_page(&s->values, c, b->rows, &b->maker, out, &head.plain_bytes);
    }
    if (result == RESULT_OK) {
        head.body_bytes = out->len - body_at;
        memcpy(out->data + head_at, &head, sizeof head);
    }
    reset_slice(s, c, keep);
    return result;
}

enum result parquet_block_dictionary(struct parquet_block *b, uint32_t column,
                                     struct parquet_dictionary_page *page, struct err *err)
{
    *page = (struct parquet_dictionary_page){ 0 };
    if (parquet_append_dictionary(&page->bytes, &b->schema->columns[column], b->maker.zstd,
                                  &page->plain_bytes) != RESULT_OK) {
        buf_release(&page->bytes);
        return err_nomem(err, "writing a dictionary");
    }
    return RESULT_OK;
}

enum result parquet_block_finish(struct parquet_block *b, struct buf *out, struct err *err)
{
    struct parquet_block_head head = { .rows = b->rows };
    size_t keep = KEPT_BYTES;
    enum result result;

    if (!b->rows) {
        return RESULT_OK;
    }
    result = buf_append(out, &head, sizeof head);
    for (uint32_t i = 0; result == RESULT_OK && i < b->schema->count; i++) {
        result = append_slice(b, i, &keep, out, err);
    }
    b->rows = 0;
    b->bytes = 0;
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}
