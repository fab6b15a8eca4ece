/*
 * Rows become a block's values. Where a table has thousands of columns and a row few of them, they are gathered as they
 * come (parquet_journal.h); else each goes to its column at once.
 */
#include "table/parquet/parquet_block_state.h"

#include "table/parquet/parquet_plain.h"

#define ROWS_MAX ((uint32_t)1 << 20)
#define ROW_BYTES 8 /* of a row without values: its levels, so that a block of such ends, too */

/* What a value takes besides its text: as a number, or as a dictionary's entry. One that is repeated takes little
 * as an index, and may take more as a PLAIN value: so many times as much at most. That it is one or the
 * other may depend on blocks before, and where a block ends must not. */
#define VALUE_BYTES 16
#define REPEATED_BYTES 4
#define REPEATED_PART 4

void parquet_block_put_again(struct parquet_block *b)
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
    parquet_block_put_again(b);
    b->record_row = b->rows;
    b->common_bytes = 0;
    return 0;
}

enum result parquet_block_end_repeats(struct slice *s)
{
    uint32_t repeats = s->repeats;

    s->repeats = 0;
    s->repeated += repeats;
    return parquet_runs_add(&s->runs, s->values.count - s->repeated, repeats);
}

/* The column's first value in this block comes. */
static inline void meet(struct parquet_block *b, uint32_t column)
{
    b->met[b->met_count++] = column;
    b->keep += b->slices[column].kept;
    b->slices[column].kept = 0;
}

/* The row's value in that column, behind others. */
static inline enum result add_plain(const struct parquet_block *b, struct buf *plain,
                                    uint32_t column, const struct row *row,
                                    uint64_t *lone_surrogates, struct err *err)
{
    if (row->values && b->slices[column].kinds >> row->values[column].kind & 1) {
        return parquet_plain_add_known(plain, &row->values[column]);
    }
    return parquet_plain_add(plain, &b->schema->columns[column], row, column, lone_surrogates, err);
}

/* A value that is not the last one's repetition. */
static inline enum result add_another(struct parquet_block *b, uint32_t column,
                                      const struct row *row, uint64_t *lone_surrogates,
                                      struct err *err)
{
    struct slice *s = &b->slices[column];
    enum result result = s->repeats ? parquet_block_end_repeats(s) : RESULT_OK;

    if (!s->values.count) {
        meet(b, column);
    }
    if (result == RESULT_OK) {
        result = parquet_values_mark(&s->values, b->rows);
    }
    s->cell = row->cells[column].text;
    if (result != RESULT_OK) {
        return result;
    }
    return add_plain(b, &s->values.bytes, column, row, lone_surrogates, err);
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

/* --- rows that have few of many columns ------------------------------------------------------------- */

static enum result gather_cells(struct parquet_block *b, const struct row *row,
                                uint64_t *lone_surrogates, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < row->filled_count && result == RESULT_OK; i++) {
        uint32_t column = row->filled[i];
        const struct row_cell *cell = column < b->schema->count ? row_cell(row, column) : NULL;

        if (cell) {
            b->bytes += VALUE_BYTES + cell->len;
            result = parquet_journal_note(&b->journal, column, b->rows);
            result = result == RESULT_OK
                         ? add_plain(b, &b->journal.values, column, row, lone_surrogates, err)
                         : result;
        }
    }
    return result;
}

/* What was gathered goes where the values of a row that has many columns go, which comes now. */
static enum result stop_gathering(struct parquet_block *b)
{
    uint32_t met;
    enum result result = parquet_journal_sort(&b->journal, b->schema->count, &met);

    for (uint32_t i = 0; result == RESULT_OK && i < b->schema->count; i++) {
        if (parquet_journal_has(&b->journal, i)) {
            meet(b, i);
            result = parquet_journal_put(&b->journal, i, b->schema->columns[i].type,
                                         &b->slices[i].values);
        }
    }
    parquet_journal_reset(&b->journal);
    b->gathers = false;
    return result;
}

static enum result add_row(struct parquet_block *b, const struct row *row,
                           uint64_t *lone_surrogates, struct err *err)
{
    enum result result = RESULT_OK;

    if (b->gathers && row->filled) {
        return gather_cells(b, row, lone_surrogates, err);
    }
    if (b->gathers) {
        result = stop_gathering(b);
    }
    return result == RESULT_OK ? add_cells(b, begin_row(b, row), row, lone_surrogates, err)
                               : result;
}

enum result parquet_block_row(struct parquet_block *b, const struct row *row,
                              uint64_t *lone_surrogates, struct err *err)
{
    enum result result = add_row(b, row, lone_surrogates, err);

    if (result != RESULT_OK) {
        return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
    }
    b->record = row->number;
    b->bytes += ROW_BYTES;
    b->rows++;
    return b->rows < ROWS_MAX ? RESULT_OK
                              : err_set(err, RESULT_LIMIT, "E-TAB3", "too many rows in a block");
}
