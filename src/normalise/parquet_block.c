/*
 * The worker's half of normalise/parquet.h: cells become values (parquet_values.h), indices as long as their
 * dictionary is open (parquet_indices.h), and those a page, or part of one, once the block is done.
 */
#include "normalise/parquet_block.h"

#include "base/little.h"
#include "normalise/cell_text.h"
#include "normalise/parquet.h"
#include "normalise/parquet_dictionaries.h"
#include "normalise/parquet_indices.h"
#include "normalise/parquet_page.h"
#include "normalise/parquet_values.h"
#include "normalise/timestamp.h"

#include <assert.h>
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

/* What a value takes besides its text: as a number, or as a dictionary's entry. One that is repeated takes little
 * as an index, and may take more as a PLAIN value: so many times as much at most. That it is one or the
 * other may depend on blocks before, and where a block ends must not. */
#define VALUE_BYTES 16
#define REPEATED_BYTES 4
#define REPEATED_PART 4

/* What each row looks at stands first: tables of many columns have many of these. */
struct slice {
    const char *cell;  /* the value that was added last, as the row had it */
    uint64_t record;   /* whose it was */
    uint32_t repeats;  /* of it, which are still to be put behind it */
    uint32_t last_len; /* of it, if it is a text that is an index */
    struct parquet_values values;
    struct parquet_indices indices;
    size_t last_at;               /* of the value that was added last, in `values` */
    struct parquet_bounds bounds; /* of indices, and `any`, only in the end */
    size_t low_at, high_at;       /* in `values`, of text */
    uint64_t low_head, high_head; /* likewise */
    bool given_up;                /* in this block: the file's dictionary is to be closed */
};

/* What becomes of a column's values, once there are no more rows:
 *
 *   GATHERED ---> WAITING --adopted, and the file's dictionary is open--> ADOPTED --> ENCODED
 *     |              +------adopted, and it is closed--> CLOSED, PLAIN from now on -----^
 *     +---> TO_TELL, encoded already: the file's dictionary is to be closed ------------+
 *     +---> nobody else has to do with them --------------------------------------------+   */
enum stage { GATHERED, WAITING, ADOPTED, CLOSED, TO_TELL, ENCODED };

struct parquet_block {
    const struct parquet_schema *schema;
    struct slice *slices;
    unsigned char *stages; /* by column: enum stage */
    uint32_t rows;
    size_t bytes;
    uint64_t record;     /* whose rows come now */
    uint32_t record_row; /* the first of them, ... */
    uint32_t again;      /* ... and those behind it, whose common cells are still to be put */
    size_t common_bytes; /* that these take in each of those */
    bool begun;          /* parquet_block_begin */
    uint32_t waiting;    /* columns that are, and those that are to tell */
    size_t keep;         /* see KEPT_BYTES */
    struct page_maker maker;
    struct buf text;  /* a string's that had escapes */
    struct buf spare; /* see parquet_indices_to_plain */
};

static void begin_bounds(struct slice *s, const struct parquet_column *column)
{
    s->bounds = (struct parquet_bounds){ .low.whole = INT64_MAX, .high.whole = INT64_MIN };
    if (column->type == TYPE_DOUBLE) {
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
    b->stages = calloc(schema->count, sizeof *b->stages);
    if (!page_maker_init(&b->maker) || !b->slices || !b->stages) {
        parquet_block_free(b);
        return NULL;
    }
    for (uint32_t i = 0; i < schema->count; i++) {
        begin_bounds(&b->slices[i], &schema->columns[i]);
        b->slices[i].indices.open = parquet_may_have_dictionary(&schema->columns[i]);
    }
    return b;
}

void parquet_block_free(struct parquet_block *b)
{
    if (b) {
        for (uint32_t i = 0; b->slices && i < b->schema->count; i++) {
            parquet_values_release(&b->slices[i].values);
            parquet_indices_release(&b->slices[i].indices);
        }
        free(b->slices);
        free(b->stages);
        page_maker_release(&b->maker);
        buf_release(&b->text);
        buf_release(&b->spare);
        free(b);
    }
}

size_t parquet_block_bytes(const struct parquet_block *b)
{
    return b->bytes;
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
        little_put_u64(out->data + out->len, value);
        out->len += 8;
    }
    return result;
}

/* PLAIN values of indices: their bounds, and where the last one stands. */
static void bound_all(struct slice *s, enum type type)
{
    const struct buf *bytes = &s->values.bytes;
    size_t len;

    for (size_t at = 0; at < bytes->len; at += len) {
        s->last_at = at;
        if (type == TYPE_TEXT) {
            uint32_t text_len = little_get_u32(bytes->data + at);

            bound_text(s, at + 4, text_len);
            len = 4 + (size_t)text_len;
        } else {
            parquet_bound_bits(&s->bounds, type, little_get_u64(bytes->data + at));
            len = 8;
        }
    }
}

/* The column's values are indices no more. */
static enum result turn_plain(struct parquet_block *b, uint32_t column)
{
    struct slice *s = &b->slices[column];
    enum type type = b->schema->columns[column].type;
    enum result result = parquet_indices_to_plain(&s->indices, &s->values, type, &b->spare);

    if (result == RESULT_OK) {
        bound_all(s, type);
    }
    return result;
}

/* Neither are others' from this block on, as a value was met that no dictionary takes. */
static enum result give_up(struct parquet_block *b, uint32_t column)
{
    b->slices[column].given_up = true;
    return turn_plain(b, column);
}

static enum result add_number(struct parquet_block *b, uint32_t column, uint64_t bits)
{
    struct slice *s = &b->slices[column];
    enum result result;

    if (s->indices.open) {
        result = parquet_indices_add_number(&s->indices, &s->values, bits);
        if (result != RESULT_OK || !s->indices.full) {
            return result;
        }
        result = give_up(b, column);
        if (result != RESULT_OK) {
            return result;
        }
        s->last_at = s->values.bytes.len;
    }
    parquet_bound_bits(&s->bounds, b->schema->columns[column].type, bits);
    return append_u64(&s->values.bytes, bits);
}

static enum result add_whole(struct parquet_block *b, uint32_t column, struct str text,
                             struct err *err)
{
    const struct parquet_column *c = &b->schema->columns[column];
    int64_t value;
    bool good = c->type == TYPE_TIMESTAMP && !c->epoch_unit_us ? timestamp_parse(text, &value)
                                                               : types_int64(text, &value);

    if (good && c->epoch_unit_us) {
        good = !__builtin_mul_overflow(value, c->epoch_unit_us, &value);
    }
    return good ? add_number(b, column, (uint64_t)value) : changed(err);
}

static enum result add_fraction(struct parquet_block *b, uint32_t column, struct str text,
                                struct err *err)
{
    double value;

    return types_double(text, &value) ? add_number(b, column, parquet_double_bits(value))
                                      : changed(err);
}

static enum result add_boolean(struct slice *s, struct str text, struct err *err)
{
    bool value = str_equal(text, STR("true"));

    if (!value && !str_equal(text, STR("false"))) {
        return changed(err);
    }
    parquet_bound_whole(&s->bounds, value);
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
    little_put_u32(s->values.bytes.data + at, len);
    s->values.bytes.len += 4 + (size_t)len;
    bound_text(s, at + 4, len);
    return RESULT_OK;
}

/* The text of a cell, as its column has it. */
static enum result read_text(struct parquet_block *b, const struct row_cell *cell,
                             uint64_t *lone_surrogates, struct str *text)
{
    *text = (struct str){ cell->text, cell->len };
    if (cell->kind != CELL_ESCAPED && cell->kind != CELL_JSON) {
        return RESULT_OK;
    }
    buf_reset(&b->text);
    if (buf_reserve(&b->text, cell->len) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    text->data = b->text.data;
    text->len = (size_t)(cell_text_put(b->text.data, cell, lone_surrogates) - b->text.data);
    return RESULT_OK;
}

/* What an escape means is a sixth of it at least: a longer cell's text fits into no dictionary. */
static bool may_be_entry(const struct row_cell *cell)
{
    return cell->len <= 6 * (size_t)DICTIONARY_TEXT_MAX;
}

static enum result add_index(struct parquet_block *b, uint32_t column, const struct row_cell *cell,
                             uint64_t *lone_surrogates)
{
    struct slice *s = &b->slices[column];
    struct str text;
    enum result result = read_text(b, cell, lone_surrogates, &text);

    if (result != RESULT_OK) {
        return result;
    }
    s->last_len = (uint32_t)text.len;
    result = parquet_indices_add_text(&s->indices, &s->values, text);
    return result == RESULT_OK && s->indices.full ? give_up(b, column) : result;
}

/* What was found out when types were: the same bits that parsing gives. */
static bool is_known(const struct parquet_column *c, const struct row_value *value, uint64_t *bits)
{
    switch (value ? value->kind : KIND_JSON) {
    case KIND_INT:
    case KIND_WIDE:
        *bits = (uint64_t)value->value.whole;
        return c->type == TYPE_INT64;
    case KIND_TIME:
        *bits = (uint64_t)value->value.whole;
        return c->type == TYPE_TIMESTAMP && !c->epoch_unit_us;
    case KIND_DOUBLE:
        *bits = parquet_double_bits(value->value.fraction);
        return c->type == TYPE_DOUBLE;
    default:
        return false;
    }
}

static enum result add_value(struct parquet_block *b, uint32_t column, const struct row_cell *cell,
                             const struct row_value *value, uint64_t *lone_surrogates,
                             struct err *err)
{
    struct str text = { cell->text, cell->len };
    struct slice *s = &b->slices[column];
    uint64_t bits;

    if (is_known(&b->schema->columns[column], value, &bits)) {
        return add_number(b, column, bits);
    }
    switch (b->schema->columns[column].type) {
    case TYPE_INT64:
    case TYPE_TIMESTAMP:
        return add_whole(b, column, text, err);
    case TYPE_DOUBLE:
        return add_fraction(b, column, text, err);
    case TYPE_BOOLEAN:
        return add_boolean(s, text, err);
    case TYPE_TEXT:
        break;
    }
    if (s->indices.open && !may_be_entry(cell)) {
        enum result result = give_up(b, column);

        if (result != RESULT_OK) {
            return result;
        }
        s->last_at = s->values.bytes.len;
    }
    return s->indices.open ? add_index(b, column, cell, lone_surrogates)
                           : add_text(s, cell, lone_surrogates, err);
}

/* All that is sought is found, as far as there is room for it. */
static enum result settle(struct parquet_block *b, uint32_t column)
{
    struct slice *s = &b->slices[column];
    enum result result = RESULT_OK;

    if (s->indices.open) {
        result = parquet_indices_settle(&s->indices, &s->values);
        result = result == RESULT_OK && s->indices.full ? give_up(b, column) : result;
    }
    return result;
}

/* What was added last, as often as it still is to be. */
static enum result put_repeats(struct parquet_block *b, uint32_t column)
{
    struct slice *s = &b->slices[column];
    enum result result = settle(b, column);
    size_t len;
    char *to;

    if (result != RESULT_OK) {
        return result;
    }
    len = s->values.bytes.len - s->last_at;
    s->indices.bytes += (uint64_t)s->repeats * s->last_len;
    result = make_room(&s->values.bytes, s->repeats * len);
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
    const struct row_value *value = row->values ? &row->values[column] : NULL;
    struct slice *s = &b->slices[column];
    enum result result = RESULT_OK;

    if (s->repeats) {
        result = put_repeats(b, column);
    }
    s->last_at = s->values.bytes.len;
    s->record = row->number;
    s->cell = cell->text;
    return result == RESULT_OK ? add_value(b, column, cell, value, lone_surrogates, err) : result;
}

/* The record's rows so far have the common cells of the first. */
static void put_again(struct parquet_block *b)
{
    for (uint32_t i = 0; b->again && i < b->schema->common; i++) {
        struct slice *s = &b->slices[i];

        if (s->values.count && s->values.run_end == b->record_row + 1) {
            s->values.run_end += b->again;
            s->values.count += b->again;
            s->repeats += b->again;
        }
    }
    b->again = 0;
}

/* The columns that the row's record has in common with the row before are dealt with: how many? */
static uint32_t begin_row(struct parquet_block *b, const struct row *row)
{
    if (row->number == b->record && b->schema->common) {
        b->again++;
        b->bytes += b->common_bytes;
        return b->schema->common;
    }
    put_again(b);
    b->record = row->number;
    b->record_row = b->rows;
    b->common_bytes = 0;
    return 0;
}

/* Rows of one exploded record repeat its own cells: what was made of one holds for all of them, and is
 * only counted. Most of these columns are the first ones, and are not even looked at. */
enum result parquet_block_row(struct parquet_block *b, const struct row *row,
                              uint64_t *lone_surrogates, struct err *err)
{
    uint32_t count = row->count < b->schema->count ? (uint32_t)row->count : b->schema->count;

    for (uint32_t i = begin_row(b, row); i < count; i++) {
        const struct row_cell *cell = row_cell(row, i);
        struct slice *s = &b->slices[i];
        enum result result;

        if (!cell) {
            continue;
        }
        result = parquet_values_mark(&s->values, b->rows);
        if (i < b->schema->common) {
            b->common_bytes += REPEATED_BYTES + cell->len / REPEATED_PART;
        }
        if (s->values.count > 1 && s->cell == cell->text && s->record == row->number) {
            b->bytes += REPEATED_BYTES + cell->len / REPEATED_PART;
            s->repeats++;
        } else if (result == RESULT_OK) {
            b->bytes += VALUE_BYTES + cell->len;
            result = add_another(b, i, row, cell, lone_surrogates, err);
        }
        if (result != RESULT_OK) {
            return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
        }
    }
    b->rows++;
    b->bytes += ROW_BYTES;
    return b->rows < ROWS_MAX ? RESULT_OK
                              : err_set(err, RESULT_LIMIT, "E-TAB3", "too many rows in a block");
}

/* --- encoding ------------------------------------------------------------------------------------- */

/* The bounds' texts, which the slice's head announces. */
static enum result append_bounds(struct parquet_bounds *bounds, const struct str texts[2],
                                 struct buf *out)
{
    enum result result;

    bounds->unbounded = texts[0].len > PARQUET_BOUND_MAX || texts[1].len > PARQUET_BOUND_MAX;
    bounds->low_len = bounds->unbounded ? 0 : (uint32_t)texts[0].len;
    bounds->high_len = bounds->unbounded ? 0 : (uint32_t)texts[1].len;
    result = buf_append(out, texts[0].data, bounds->low_len);
    return result == RESULT_OK ? buf_append(out, texts[1].data, bounds->high_len) : result;
}

/* Indices become the file's; bounds, and entries that are new to the file, go in front of the values. */
static enum result append_front(struct slice *s, enum type type, struct parquet_slice *head,
                                struct buf *out)
{
    struct str texts[2] = { text_at(s, s->low_at, s->bounds.low_len),
                            text_at(s, s->high_at, s->bounds.high_len) };
    enum result result = RESULT_OK;
    size_t at;

    head->indices = s->indices.open && s->values.count;
    if (head->indices) {
        parquet_indices_number(&s->indices, &s->values, type, &s->bounds, texts);
    }
    head->bounds = s->bounds;
    head->bounds.any = s->values.count > 0;
    if (type == TYPE_TEXT && head->bounds.any) {
        result = append_bounds(&head->bounds, texts, out);
    }
    at = out->len;
    if (result == RESULT_OK && head->indices) {
        result = parquet_indices_append_fresh(&s->indices, type, out, &head->entries);
    }
    head->entry_bytes = out->len - at;
    return result;
}

static void reset_slice(struct slice *s, const struct parquet_column *column, size_t *keep)
{
    parquet_values_reset_within(&s->values, keep);
    buf_reset_within(&s->indices.texts, keep);
    s->repeats = 0;
    s->last_at = 0;
    s->given_up = false;
    begin_bounds(s, column);
}

static enum result append_slice(struct parquet_block *b, uint32_t column, struct buf *out)
{
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    struct parquet_slice head = { .column = column, .nulls = b->rows - s->values.count };
    size_t head_at = out->len, body_at;
    enum result result = buf_append(out, &head, sizeof head);

    result = result == RESULT_OK ? append_front(s, type, &head, out) : result;
    body_at = out->len;
    if (result == RESULT_OK) {
        result =
            b->rows <= LOOSE_ROWS_MAX && s->values.bytes.len <= LOOSE_BYTES_MAX
                ? parquet_values_loosen(&s->values, b->rows, &head.loose, out)
                : parquet_values_page(&s->values, type, b->rows, &b->maker, out, &head.plain_bytes);
    }
    if (result == RESULT_OK) {
        head.body_bytes = out->len - body_at;
        memcpy(out->data + head_at, &head, sizeof head);
    }
    reset_slice(s, &b->schema->columns[column], &b->keep);
    return result;
}

static enum result begin_slice(struct parquet_block *b, uint32_t column, struct buf *out)
{
    struct slice *s = &b->slices[column];
    enum result result = put_repeats(b, column);

    b->stages[column] = s->given_up                          ? TO_TELL
                        : s->indices.open && s->values.count ? WAITING
                                                             : ENCODED;
    b->waiting += b->stages[column] != ENCODED;
    return result == RESULT_OK && b->stages[column] != WAITING ? append_slice(b, column, out)
                                                               : result;
}

enum result parquet_block_begin(struct parquet_block *b, struct buf *out, struct err *err)
{
    struct parquet_block_head head = { .rows = b->rows };
    enum result result;

    if (!b->rows || b->begun) {
        return RESULT_OK;
    }
    b->begun = true;
    b->keep = KEPT_BYTES;
    put_again(b);
    result = buf_append(out, &head, sizeof head);
    for (uint32_t i = 0; result == RESULT_OK && i < b->schema->count; i++) {
        result = begin_slice(b, i, out);
    }
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}

bool parquet_block_waits(const struct parquet_block *b)
{
    return b->waiting > 0;
}

enum result parquet_block_adopt(struct parquet_block *b, struct parquet_dictionaries *dictionaries,
                                struct err *err)
{
    enum result result = RESULT_OK;

    assert(b->begun);
    for (uint32_t i = 0; result == RESULT_OK && i < b->schema->count; i++) {
        if (b->stages[i] == TO_TELL) {
            parquet_dictionaries_close(dictionaries, i);
            b->stages[i] = ENCODED;
        } else if (b->stages[i] == WAITING) {
            result =
                parquet_indices_adopt(&b->slices[i].indices, &b->slices[i].values, dictionaries, i);
        }
    }
    parquet_dictionaries_end_block(dictionaries);
    for (uint32_t i = 0; i < b->schema->count; i++) {
        if (b->stages[i] == WAITING) {
            b->stages[i] = parquet_dictionaries_is_open(dictionaries, i) ? ADOPTED : CLOSED;
        }
    }
    b->waiting = 0;
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing rows");
}

enum result parquet_block_finish(struct parquet_block *b, struct buf *out, struct err *err)
{
    enum result result = parquet_block_begin(b, out, err);

    assert(result != RESULT_OK || !b->waiting);
    for (uint32_t i = 0; result == RESULT_OK && i < b->schema->count; i++) {
        result = b->stages[i] == CLOSED ? turn_plain(b, i) : RESULT_OK;
        if (result == RESULT_OK && (b->stages[i] == ADOPTED || b->stages[i] == CLOSED)) {
            result = append_slice(b, i, out);
        }
        b->stages[i] = GATHERED;
    }
    buf_reset_within(&b->spare, &b->keep);
    b->begun = false;
    b->waiting = 0;
    b->record = 0; /* which no row has */
    b->rows = 0;
    b->bytes = 0;
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}

void parquet_block_forget(struct parquet_block *b, size_t room)
{
    size_t bytes = 0;

    assert(!b->rows);
    for (uint32_t i = 0; i < b->schema->count; i++) {
        bytes += dictionary_bytes(&b->slices[i].indices.local);
    }
    for (uint32_t i = 0; bytes > room && i < b->schema->count; i++) {
        parquet_indices_forget(&b->slices[i].indices);
    }
}
