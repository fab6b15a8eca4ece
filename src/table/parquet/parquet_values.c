#include "table/parquet/parquet_values.h"

#include "base/little.h"
#include "table/parquet/parquet_delta.h"
#include "table/parquet/parquet_levels.h"
#include "table/parquet/parquet_page.h"
#include "table/parquet/parquet_plain.h"
#include "table/parquet/parquet_text.h"
#include "table/parquet/thrift.h"

#include <stdlib.h>
#include <string.h>

void parquet_values_release(struct parquet_values *v)
{
    buf_release(&v->bytes);
    buf_release(&v->runs);
}

void parquet_values_reset(struct parquet_values *v)
{
    buf_reset(&v->bytes);
    buf_reset(&v->runs);
    v->count = v->run_first = v->run_end = v->runs_end = 0;
    v->indices = false;
}

void parquet_values_reset_within(struct parquet_values *v, size_t *keep)
{
    parquet_values_reset(v);
    buf_reset_within(&v->bytes, keep);
    buf_reset_within(&v->runs, keep);
}

enum result parquet_values_begin_run(struct parquet_values *v, uint32_t next)
{
    const size_t room = (size_t)2 * THRIFT_VARINT_MAX;

    if (v->run_first < v->run_end) {
        char *to;

        if (v->runs.cap - v->runs.len < room && buf_reserve(&v->runs, room) != RESULT_OK) {
            return RESULT_NOMEM;
        }
        to = thrift_put_varint(v->runs.data + v->runs.len, v->run_first - v->runs_end);
        to = thrift_put_varint(to, v->run_end - v->run_first);
        v->runs.len = (size_t)(to - v->runs.data);
        v->runs_end = v->run_end;
    }
    v->run_first = v->run_end = next;
    return RESULT_OK;
}

/* --- pages ---------------------------------------------------------------------------------------- */

bool page_maker_init(struct page_maker *maker)
{
    *maker = (struct page_maker){ .zstd = parquet_zstd_new() };
    return maker->zstd != NULL;
}

void page_maker_release(struct page_maker *maker)
{
    ZSTD_freeCCtx(maker->zstd);
    buf_release(&maker->body);
    buf_release(&maker->levels);
}

/* Definition levels, their length in front. */
static enum result append_levels(struct page_maker *maker, struct parquet_values *v, uint32_t rows)
{
    struct buf *body = &maker->body;
    size_t at = body->len;
    enum result result = buf_append(body, "\0\0\0\0", 4);

    if (result == RESULT_OK && (v->count == rows || v->count == 0)) {
        result = parquet_append_run(body, v->count > 0, rows, 1);
    } else if (result == RESULT_OK) {
        result = parquet_values_begin_run(v, rows);
        result = result == RESULT_OK
                     ? parquet_append_levels(body, buf_view(&v->runs), rows, &maker->levels)
                     : result;
    }
    if (result == RESULT_OK) {
        little_put_u32(body->data + at, (uint32_t)(body->len - at - 4));
    }
    return result;
}

/* Eight at once: the product has each byte's lowest bit in its uppermost byte, the first's lowest. */
static enum result append_booleans(struct buf *out, const struct parquet_values *v)
{
    size_t bytes = (v->count + 7U) / 8;
    enum result result = buf_reserve(out, bytes);

    for (size_t i = 0; result == RESULT_OK && i < bytes; i++) {
        char eight[8] = { 0 };

        memcpy(eight, v->bytes.data + 8 * i, v->count - 8 * i < 8 ? v->count - 8 * i : 8);
        out->data[out->len++] = (char)(little_get_u64(eight) * UINT64_C(0x0102040810204080) >> 56);
    }
    return result;
}

/* As wide as the greatest of them needs. */
static enum result append_indices(struct buf *body, const struct parquet_values *v)
{
    const uint32_t *indices = (const void *)v->bytes.data;
    uint32_t any = 0;
    unsigned width;
    enum result result;

    for (uint32_t i = 0; i < v->count; i++) {
        any |= indices[i];
    }
    width = parquet_index_width(any);
    result = buf_append_char(body, (char)width);
    return result == RESULT_OK ? parquet_append_hybrid(body, indices, v->count, width) : result;
}

/* Of INT32 and INT64, or of those whose PLAIN form nothing else is as good as. */
static enum result append_values(struct buf *out, const struct parquet_values *v, enum type type,
                                 enum parquet_encoding *encoding)
{
    bool pays = false, narrow = parquet_plain_is_narrow(type);
    enum result result =
        type == TYPE_INT64 || type == TYPE_TIMESTAMP || type == TYPE_LOCAL_TIMESTAMP || narrow
            ? parquet_append_delta(out, buf_view(&v->bytes), &pays)
            : RESULT_OK;

    *encoding = pays ? PARQUET_DELTA_BINARY_PACKED : PARQUET_PLAIN;
    if (result != RESULT_OK || pays) {
        return result;
    }
    return narrow ? parquet_plain_append_narrow(out, buf_view(&v->bytes))
                  : buf_append_str(out, buf_view(&v->bytes));
}

enum result parquet_values_page(struct parquet_values *v, enum type type, uint32_t rows,
                                struct page_maker *maker, struct buf *out,
                                struct parquet_made *made)
{
    struct parquet_page page = { .type = PARQUET_DATA_PAGE,
                                 .encoding = v->indices ? PARQUET_RLE_DICTIONARY : PARQUET_PLAIN,
                                 .value_count = rows };
    enum result result;

    buf_reset(&maker->body);
    result = append_levels(maker, v, rows);
    if (result == RESULT_OK) {
        result = v->indices             ? append_indices(&maker->body, v)
                 : type == TYPE_BOOLEAN ? append_booleans(&maker->body, v)
                                        : append_values(&maker->body, v, type, &page.encoding);
    }
    page.packed = page.encoding != PARQUET_PLAIN || type == TYPE_BOOLEAN;
    made->encoding = page.encoding;
    return result == RESULT_OK ? parquet_append_page(out, &page, buf_view(&maker->body),
                                                     maker->zstd, &made->plain_bytes)
                               : result;
}

/* --- indices -------------------------------------------------------------------------------------- */

/* Where each entry begins, and after them the end. */
static size_t *find_entries(enum type type, struct str entries, uint32_t count)
{
    size_t *starts = calloc((size_t)count + 1, sizeof *starts), at = 0;

    for (uint32_t i = 0; starts && i <= count; i++) {
        starts[i] = at;
        if (i < count) {
            at += type == TYPE_TEXT ? parquet_text_bytes(parquet_text_at(entries.data + at)) : 8;
        }
    }
    return starts;
}

enum result parquet_values_to_plain(struct parquet_values *v, enum type type, struct str entries,
                                    uint32_t count)
{
    size_t *starts = find_entries(type, entries, count);
    enum result result = starts ? RESULT_OK : RESULT_NOMEM;
    struct buf plain = { 0 };

    for (uint32_t i = 0; result == RESULT_OK && i < v->count; i++) {
        uint32_t index;

        memcpy(&index, v->bytes.data + i * sizeof index, sizeof index);
        result =
            buf_append(&plain, entries.data + starts[index], starts[index + 1] - starts[index]);
    }
    free(starts);
    buf_release(&v->bytes);
    v->bytes = plain;
    v->indices = false;
    return result;
}

/* --- loose values --------------------------------------------------------------------------------- */

enum result parquet_values_loosen(struct parquet_values *v, uint32_t rows,
                                  struct parquet_loose *loose, struct buf *out)
{
    enum result result = RESULT_OK;

    *loose = (struct parquet_loose){ .rows = rows,
                                     .count = v->count,
                                     .bytes_len = (uint32_t)v->bytes.len };
    if (v->count && v->count < rows) {
        result = parquet_values_begin_run(v, rows);
        loose->runs_len = (uint32_t)v->runs.len;
    }
    result = result == RESULT_OK ? buf_append_str(out, buf_view(&v->bytes)) : result;
    return result == RESULT_OK && loose->runs_len ? buf_append_str(out, buf_view(&v->runs))
                                                  : result;
}

enum result parquet_values_join(struct parquet_values *v, uint32_t rows_before,
                                const struct parquet_loose *loose, const char *from)
{
    struct str runs = { from + loose->bytes_len, loose->runs_len };
    uint32_t first, end = 0;
    enum result result = buf_append(&v->bytes, from, loose->bytes_len);

    if (result == RESULT_OK && loose->count == loose->rows) {
        return parquet_values_mark_run(v, rows_before, loose->rows);
    }
    while (result == RESULT_OK && runs.len) {
        parquet_next_run(&runs, &first, &end);
        result = parquet_values_mark_run(v, rows_before + first, end - first);
    }
    return result;
}
