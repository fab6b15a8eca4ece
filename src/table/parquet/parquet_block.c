/*
 * The worker's half of table/parquet/parquet.h: cells become PLAIN values (parquet_plain.h). Once the block is
 * done those become indices, if the column's dictionary is open (parquet_indices.h), and then a page, or part
 * of one (parquet_values.h).
 */
#include "table/parquet/parquet_block.h"

#include "base/little.h"
#include "table/parquet/parquet.h"
#include "table/parquet/parquet_dictionaries.h"
#include "table/parquet/parquet_indices.h"
#include "table/parquet/parquet_plain.h"
#include "table/parquet/parquet_values.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX ((uint32_t)1 << 20)
#define ROW_BYTES 8 /* of a row without values: its levels, so that a block of such ends, too */

/* A chunk of a table with many columns has few values of each, too few for pages of their own. */
#define LOOSE_VALUES_MAX 256
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
    const char *cell; /* of the last row that had a value here */
    uint32_t repeats; /* of it, which `runs` does not have yet */
    uint32_t kinds;   /* parquet_plain_kinds */
    /* `bytes` has the others alone, until they are encoded: PLAIN, or once they have been looked up, entries. */
    struct parquet_values values;
    struct buf runs;   /* of these */
    uint32_t repeated; /* values that are repetitions, so far as `runs` has them */
    struct parquet_indices indices;
    struct parquet_tally tally;
    struct parquet_bounds bounds;
    size_t low, high; /* of text: where in `bytes`, or which entries */
    size_t kept;      /* see KEPT_BYTES; 0 while it is in use */
    bool given_up;    /* in this block: the file's dictionary is to be closed */
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
    uint32_t *met;         /* columns that have values in this block, as they came */
    uint32_t met_count;
    uint32_t rows;
    size_t bytes;
    uint64_t record;     /* whose rows come now */
    uint32_t record_row; /* the first of them, ... */
    uint32_t again;      /* ... and those after it, whose common cells are still to be put */
    size_t common_bytes; /* that these take in each of those */
    bool begun;          /* parquet_block_begin */
    uint32_t waiting;    /* columns that are, and those that are to tell */
    size_t keep;         /* see KEPT_BYTES: what is left of it */
    size_t spare_kept;
    struct page_maker maker;
    struct buf spare; /* what a column's values become before they take their place */
};

struct parquet_block *parquet_block_new(const struct parquet_schema *schema)
{
    struct parquet_block *b = calloc(1, sizeof *b);

    if (!b) {
        return NULL;
    }
    b->schema = schema;
    b->slices = calloc(schema->count, sizeof *b->slices);
    b->stages = calloc(schema->count, sizeof *b->stages);
    b->met = calloc(schema->count, sizeof *b->met);
    if (!page_maker_init(&b->maker) || !b->slices || !b->stages || !b->met) {
        parquet_block_free(b);
        return NULL;
    }
    b->keep = KEPT_BYTES;
    for (uint32_t i = 0; i < schema->count; i++) {
        b->slices[i].kinds = parquet_plain_kinds(&schema->columns[i]);
        b->slices[i].indices.open = parquet_may_have_dictionary(schema, i);
    }
    return b;
}

void parquet_block_free(struct parquet_block *b)
{
    if (b) {
        for (uint32_t i = 0; b->slices && i < b->schema->count; i++) {
            parquet_values_release(&b->slices[i].values);
            buf_release(&b->slices[i].runs);
            parquet_indices_release(&b->slices[i].indices);
        }
        free(b->slices);
        free(b->stages);
        free(b->met);
        page_maker_release(&b->maker);
        buf_release(&b->spare);
        free(b);
    }
}

size_t parquet_block_bytes(const struct parquet_block *b)
{
    return b->bytes;
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
    b->record_row = b->rows;
    b->common_bytes = 0;
    return 0;
}

/* The last value stands as often as it was repeated. */
static enum result end_repeats(struct slice *s)
{
    uint32_t repeats = s->repeats;

    s->repeats = 0;
    s->repeated += repeats;
    return parquet_runs_add(&s->runs, s->values.count - s->repeated, repeats);
}

/* A value that is not the last one's repetition. */
static inline enum result add_another(struct parquet_block *b, uint32_t column,
                                      const struct row *row, uint64_t *lone_surrogates,
                                      struct err *err)
{
    struct slice *s = &b->slices[column];
    enum result result = s->repeats ? end_repeats(s) : RESULT_OK;

    if (!s->values.count) {
        b->met[b->met_count++] = column;
        b->keep += s->kept;
        s->kept = 0;
    }
    if (result == RESULT_OK) {
        result = parquet_values_mark(&s->values, b->rows);
    }
    s->cell = row->cells[column].text;
    if (result != RESULT_OK) {
        return result;
    }
    if (row->values && s->kinds >> row->values[column].kind & 1) {
        return parquet_plain_add_known(&s->values.bytes, &row->values[column]);
    }
    return parquet_plain_add(&s->values.bytes, &b->schema->columns[column], row, column,
                             lone_surrogates, err);
}

/* Rows of one exploded record repeat its own cells: what was made of one holds for all of them, and is
 * only counted. Most of these columns are the first ones, and are not even looked at. */
static inline enum result add_cell(struct parquet_block *b, uint32_t column, const struct row *row,
                                   const struct row_cell *cell, uint64_t *lone_surrogates,
                                   struct err *err)
{
    struct slice *s = &b->slices[column];

    if (column < b->schema->common) {
        b->common_bytes += REPEATED_BYTES + cell->len / REPEATED_PART;
    }
    if (row->number == b->record && s->cell == cell->text && s->values.run_end == b->rows) {
        s->values.run_end++;
        s->values.count++;
        s->repeats++;
        b->bytes += REPEATED_BYTES + cell->len / REPEATED_PART;
        return RESULT_OK;
    }
    b->bytes += VALUE_BYTES + cell->len;
    return add_another(b, column, row, lone_surrogates, err);
}

/* From column `first` on. */
static inline enum result add_cells(struct parquet_block *b, uint32_t first, const struct row *row,
                                    uint64_t *lone_surrogates, struct err *err)
{
    size_t count = row->count < b->schema->count ? row->count : b->schema->count;
    size_t looks = row->filled ? row->filled_count : count;
    enum result result = RESULT_OK;

    for (size_t i = row->filled ? 0 : first; i < looks && result == RESULT_OK; i++) {
        size_t column = row->filled ? row->filled[i] : i;
        const struct row_cell *cell =
            column >= first && column < count ? row_cell(row, column) : NULL;

        if (cell) {
            result = add_cell(b, (uint32_t)column, row, cell, lone_surrogates, err);
        }
    }
    return result;
}

enum result parquet_block_row(struct parquet_block *b, const struct row *row,
                              uint64_t *lone_surrogates, struct err *err)
{
    uint32_t first = begin_row(b, row);
    enum result result = add_cells(b, first, row, lone_surrogates, err);

    if (result != RESULT_OK) {
        return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
    }
    b->record = row->number;
    b->bytes += ROW_BYTES;
    b->rows++;
    return b->rows < ROWS_MAX ? RESULT_OK
                              : err_set(err, RESULT_LIMIT, "E-TAB3", "too many rows in a block");
}

/* --- encoding ------------------------------------------------------------------------------------- */

/* What stands in `spare` are the values now. */
static void take_spare(struct parquet_block *b, struct slice *s)
{
    struct buf values = s->values.bytes;

    s->values.bytes = b->spare;
    b->spare = values;
}

static void find_bounds(struct slice *s, enum type type)
{
    const struct str plain = buf_view(&s->values.bytes);

    if (type == TYPE_TEXT) {
        parquet_plain_bound_texts(plain, &s->low, &s->high);
    } else {
        parquet_plain_bound(plain, type, &s->bounds);
    }
}

/* The PLAIN values become entries, or else no dictionary takes one of them. */
static enum result look_up(struct parquet_block *b, uint32_t column)
{
    struct parquet_entry_bounds texts;
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    const struct str plain = buf_view(&s->values.bytes);
    const uint32_t firsts = s->values.count - s->repeated;
    enum result result;

    s->tally = (struct parquet_tally){ .values = s->values.count, .first_values = firsts };
    if (type == TYPE_TEXT) {
        s->tally.first_bytes = plain.len - (size_t)firsts * PARQUET_LEN_BYTES;
        s->tally.bytes = parquet_runs_bytes(&s->runs, 0, s->values.count, plain) -
                         (size_t)s->values.count * PARQUET_LEN_BYTES;
    }
    buf_reset(&b->spare);
    result =
        parquet_indices_look_up(&s->indices, type, plain, firsts, &b->spare, &texts, &s->given_up);
    if (result != RESULT_OK || s->given_up) {
        parquet_indices_release(&s->indices);
        return result;
    }
    if (type == TYPE_TEXT) {
        s->low = texts.low;
        s->high = texts.high;
    } else {
        find_bounds(s, type);
    }
    take_spare(b, s);
    return RESULT_OK;
}

/* The block's values are complete. */
static enum result gather(struct parquet_block *b, uint32_t column)
{
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    enum result result = s->repeats ? end_repeats(s) : RESULT_OK;

    s->bounds = (struct parquet_bounds){ .any = s->values.count > 0 };
    if (result == RESULT_OK && s->indices.open && s->bounds.any) {
        result = look_up(b, column);
    }
    if (!s->indices.open) {
        find_bounds(s, type);
    }
    return result;
}

/* Entries do, as the file's dictionary has been closed. */
static enum result turn_plain(struct parquet_block *b, uint32_t column)
{
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    enum result result;

    buf_reset(&b->spare);
    result = parquet_indices_to_plain(&s->indices, type, &s->values.bytes, &b->spare);
    if (result == RESULT_OK) {
        take_spare(b, s);
        parquet_indices_release(&s->indices);
        find_bounds(s, type);
    }
    return result;
}

/* The bounds' texts, which the slice's head announces. */
static enum result append_bounds(const struct slice *s, bool indices, struct parquet_bounds *bounds,
                                 struct buf *out)
{
    const struct str plain = buf_view(&s->values.bytes);
    const struct dictionary *local = &s->indices.local;
    struct str low = indices ? dictionary_entry_text(local, (uint32_t)s->low)
                             : parquet_text_at(plain.data + s->low);
    struct str high = indices ? dictionary_entry_text(local, (uint32_t)s->high)
                              : parquet_text_at(plain.data + s->high);
    enum result result;

    bounds->unbounded = low.len > PARQUET_BOUND_MAX || high.len > PARQUET_BOUND_MAX;
    bounds->low_len = bounds->unbounded ? 0 : (uint32_t)low.len;
    bounds->high_len = bounds->unbounded ? 0 : (uint32_t)high.len;
    result = buf_append(out, low.data, bounds->low_len);
    return result == RESULT_OK ? buf_append(out, high.data, bounds->high_len) : result;
}

/* Bounds, and entries that are new to the file, go in front of the values. */
static enum result append_front(struct slice *s, enum type type, struct parquet_slice *head,
                                struct buf *out)
{
    enum result result = RESULT_OK;
    size_t at;

    head->indices = s->indices.open && s->values.count;
    head->bounds = s->bounds;
    if (type == TYPE_TEXT && head->bounds.any) {
        result = append_bounds(s, head->indices, &head->bounds, out);
    }
    at = out->len;
    if (result == RESULT_OK && head->indices) {
        result = parquet_indices_append_fresh(&s->indices, type, out, &head->entries);
    }
    head->entry_bytes = out->len - at;
    return result;
}

/* All values, the repeated ones as well, as a page or part of one has them. */
static enum result complete(struct parquet_block *b, struct slice *s, enum type type, bool indices)
{
    if (indices) {
        parquet_indices_number(&s->indices, &s->values.bytes);
        s->values.indices = true;
    }
    return parquet_runs_expand(&s->runs, indices ? PARQUET_INDEX_BYTES : parquet_plain_size(type),
                               s->values.count, &s->values.bytes, &b->spare);
}

static void reset_slice(struct slice *s, size_t *keep)
{
    size_t before = *keep;

    parquet_values_reset_within(&s->values, keep);
    buf_reset_within(&s->runs, keep);
    s->kept = before - *keep;
    s->repeats = s->repeated = 0;
    s->given_up = false;
}

/* Columns that have no values in this block keep nothing any more. */
static void drop_idle(struct parquet_block *b)
{
    for (uint32_t i = 0; i < b->schema->count; i++) {
        struct slice *s = &b->slices[i];

        if (s->kept) {
            b->keep += s->kept;
            s->kept = 0;
            parquet_values_release(&s->values);
            buf_release(&s->runs);
        }
    }
}

static enum result append_slice(struct parquet_block *b, uint32_t column, struct buf *out)
{
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    struct parquet_slice head = { .column = column, .nulls = b->rows - s->values.count };
    size_t head_at = out->len, body_at;
    enum result result = buf_append(out, &head, sizeof head);

    result = result == RESULT_OK ? append_front(s, type, &head, out) : result;
    result = result == RESULT_OK ? complete(b, s, type, head.indices) : result;
    body_at = out->len;
    if (result == RESULT_OK) {
        result = s->values.count <= LOOSE_VALUES_MAX && s->values.bytes.len <= LOOSE_BYTES_MAX
                     ? parquet_values_loosen(&s->values, b->rows, &head.loose, out)
                     : parquet_values_page(&s->values, type, b->rows, &b->maker, out, &head.made);
    }
    if (result == RESULT_OK) {
        head.body_bytes = out->len - body_at;
        memcpy(out->data + head_at, &head, sizeof head);
    }
    reset_slice(s, &b->keep);
    return result;
}

static enum result begin_slice(struct parquet_block *b, uint32_t column, struct buf *out)
{
    struct slice *s = &b->slices[column];
    enum result result = gather(b, column);

    b->stages[column] = s->given_up                          ? TO_TELL
                        : s->indices.open && s->values.count ? WAITING
                                                             : ENCODED;
    b->waiting += b->stages[column] != ENCODED;
    return result == RESULT_OK && b->stages[column] != WAITING ? append_slice(b, column, out)
                                                               : result;
}

enum result parquet_block_begin(struct parquet_block *b, struct buf *out, struct err *err)
{
    struct parquet_block_head head = { .rows = b->rows, .slices = b->met_count };
    enum result result;

    if (!b->rows || b->begun) {
        return RESULT_OK;
    }
    b->begun = true;
    b->keep += b->spare_kept;
    b->spare_kept = 0;
    if (b->keep < KEPT_BYTES / 2) {
        drop_idle(b);
    }
    put_again(b);
    result = buf_append(out, &head, sizeof head);
    for (uint32_t i = 0; result == RESULT_OK && i < b->met_count; i++) {
        result = begin_slice(b, b->met[i], out);
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
    for (uint32_t i = 0; result == RESULT_OK && i < b->met_count; i++) {
        uint32_t column = b->met[i];

        if (b->stages[column] == TO_TELL) {
            parquet_dictionaries_close(dictionaries, column);
            b->stages[column] = ENCODED;
        } else if (b->stages[column] == WAITING) {
            result = parquet_indices_adopt(&b->slices[column].indices, &b->slices[column].tally,
                                           dictionaries, column);
        }
    }
    parquet_dictionaries_end_block(dictionaries);
    for (uint32_t i = 0; i < b->met_count; i++) {
        if (b->stages[b->met[i]] == WAITING) {
            b->stages[b->met[i]] =
                parquet_dictionaries_is_open(dictionaries, b->met[i]) ? ADOPTED : CLOSED;
        }
    }
    b->waiting = 0;
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing rows");
}

enum result parquet_block_finish(struct parquet_block *b, struct buf *out, struct err *err)
{
    enum result result = parquet_block_begin(b, out, err);

    assert(result != RESULT_OK || !b->waiting);
    for (uint32_t i = 0; result == RESULT_OK && i < b->met_count; i++) {
        uint32_t column = b->met[i];
        enum stage stage = b->stages[column];

        result = stage == CLOSED ? turn_plain(b, column) : RESULT_OK;
        if (result == RESULT_OK && (stage == ADOPTED || stage == CLOSED)) {
            result = append_slice(b, column, out);
        }
        b->stages[column] = GATHERED;
    }
    b->met_count = 0;
    b->spare_kept = b->keep;
    buf_reset_within(&b->spare, &b->keep);
    b->spare_kept -= b->keep;
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
