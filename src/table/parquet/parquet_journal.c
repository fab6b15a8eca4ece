#include "table/parquet/parquet_journal.h"

#include "base/grow.h"
#include "table/parquet/parquet_plain.h"
#include "table/parquet/text_head.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD 8 /* values whose memory is asked for before they are looked at */
#define KEPT_BYTES ((size_t)16 << 20) /* more goes back to the system after a block */

void parquet_journal_release(struct parquet_journal *j)
{
    buf_release(&j->values);
    free(j->entries);
    free(j->sorted);
    free(j->ends);
    *j = (struct parquet_journal){ .count = 0 };
}

enum result parquet_journal_note(struct parquet_journal *j, uint32_t column, uint32_t row)
{
    if (j->count == j->cap) {
        struct journal_entry *entries = grow_by_one(j->entries, j->count, &j->cap, sizeof *entries);

        if (!entries) {
            return RESULT_NOMEM;
        }
        j->entries = entries;
    }
    j->entries[j->count++] = (struct journal_entry){ column, row, j->values.len };
    return RESULT_OK;
}

static bool make_room(struct parquet_journal *j, uint32_t columns)
{
    if (j->columns != columns) {
        free(j->ends);
        j->ends = calloc((size_t)columns + 1, sizeof *j->ends);
        j->columns = j->ends ? columns : 0;
    }
    if (j->sorted_cap < j->count) {
        free(j->sorted);
        j->sorted = calloc(j->cap, sizeof *j->sorted);
        j->sorted_cap = j->sorted ? j->cap : 0;
    }
    return j->ends && (j->sorted || !j->count);
}

/* By counting: entries of one column stay in their order. While they are placed, an end is where the next goes. */
enum result parquet_journal_sort(struct parquet_journal *j, uint32_t columns, uint32_t *met)
{
    size_t at = 0;

    *met = 0;
    if (!make_room(j, columns)) {
        return RESULT_NOMEM;
    }
    memset(j->ends, 0, columns * sizeof *j->ends);
    for (size_t i = 0; i < j->count; i++) {
        j->ends[j->entries[i].column]++;
    }
    for (uint32_t i = 0; i < columns; i++) {
        size_t has = j->ends[i];

        *met += has > 0;
        j->ends[i] = at;
        at += has;
    }
    for (size_t i = 0; i < j->count; i++) {
        j->sorted[j->ends[j->entries[i].column]++] = j->entries[i];
    }
    return RESULT_OK;
}

static size_t first_of(const struct parquet_journal *j, uint32_t column)
{
    return column ? j->ends[column - 1] : 0;
}

size_t parquet_journal_has(const struct parquet_journal *j, uint32_t column)
{
    return j->ends[column] - first_of(j, column);
}

enum result parquet_journal_put(const struct parquet_journal *j, uint32_t column, enum type type,
                                struct parquet_values *values)
{
    const size_t size = parquet_plain_size(type);
    enum result result = RESULT_OK;

    for (size_t i = first_of(j, column); result == RESULT_OK && i < j->ends[column]; i++) {
        const char *from = j->values.data + j->sorted[i].at;
        size_t len;

        if (i + AHEAD < j->count) {
            __builtin_prefetch(j->values.data + j->sorted[i + AHEAD].at);
        }
        len = size ? size : parquet_text_bytes(parquet_text_at(from));
        result = parquet_values_mark(values, j->sorted[i].row);
        if (result == RESULT_OK && values->bytes.cap - values->bytes.len < len + TEXT_HEAD_BYTES) {
            result = buf_reserve(&values->bytes, len + TEXT_HEAD_BYTES);
        }
        if (result == RESULT_OK) {
            memcpy(values->bytes.data + values->bytes.len, from, len);
            values->bytes.len += len;
        }
    }
    return result;
}

void parquet_journal_reset(struct parquet_journal *j)
{
    if (j->values.cap + (j->cap + j->sorted_cap) * sizeof *j->entries > KEPT_BYTES) {
        parquet_journal_release(j);
    }
    buf_reset(&j->values);
    j->count = 0;
}
