#include "table/parquet/parquet_levels.h"

#include "table/parquet/parquet_page.h"
#include "table/parquet/thrift.h"

#include <string.h>

/* Rows whose runs take less than such a part of their bits would are gone through by their runs. */
#define FEW_RUNS_PART 64

/* One of our own: it is whole. */
static uint32_t take_varint(struct str *runs)
{
    uint32_t value = 0;
    unsigned shift = 0, byte;

    do {
        byte = (unsigned char)*runs->data;
        *runs = (struct str){ runs->data + 1, runs->len - 1 };
        value |= (byte & 0x7F) << shift;
        shift += 7;
    } while (byte & 0x80);
    return value;
}

void parquet_next_run(struct str *runs, uint32_t *first, uint32_t *end)
{
    *first = *end + take_varint(runs);
    *end = *first + take_varint(runs);
}

/* Whole bytes at once, as runs may be long. */
static void set_bits(char *bits, uint32_t first, uint32_t end)
{
    for (; first < end && first % 8; first++) {
        bits[first / 8] = (char)(bits[first / 8] | 1 << first % 8);
    }
    if (end - first >= 8) {
        memset(bits + first / 8, 0xFF, (end - first) / 8);
        first += (end - first) / 8 * 8;
    }
    for (; first < end; first++) {
        bits[first / 8] = (char)(bits[first / 8] | 1 << first % 8);
    }
}

/* The rows as bits; after the last, the byte's are 0. */
static enum result expand(struct str runs, uint32_t rows, struct buf *levels)
{
    size_t bytes = (rows + 7U) / 8;
    uint32_t first, end = 0;
    enum result result;

    buf_reset(levels);
    result = buf_reserve(levels, bytes);
    if (result != RESULT_OK) {
        return result;
    }
    memset(levels->data, 0, bytes);
    levels->len = bytes;
    while (runs.len) {
        parquet_next_run(&runs, &first, &end);
        set_bits(levels->data, first, end);
    }
    return RESULT_OK;
}

/* A place in a list of runs: the one that is there, or the next. */
struct run_place {
    struct str rest;
    uint32_t first, end;
};

/* To the run that the row is in, or the next one; after the last it stays. */
static void skip_to(struct run_place *place, uint32_t row)
{
    while (place->end <= row && place->rest.len) {
        parquet_next_run(&place->rest, &place->first, &place->end);
    }
}

/* The rows from `from` to `end` as whole groups of bits, which the last row may cut short. */
static enum result append_packed_rows(struct buf *out, struct run_place *place, uint32_t from,
                                      uint32_t end)
{
    const uint32_t groups = (end - from + PARQUET_GROUP - 1) / PARQUET_GROUP;
    enum result result = thrift_append_varint(out, (uint64_t)groups << 1 | 1);

    result = result == RESULT_OK ? buf_reserve(out, groups) : result;
    if (result != RESULT_OK) {
        return result;
    }
    memset(out->data + out->len, 0, groups);
    for (uint32_t row = from; row < end;) {
        uint32_t first;

        skip_to(place, row);
        if (place->end <= row || place->first >= end) {
            break;
        }
        first = place->first > from ? place->first : from;
        row = place->end < end ? place->end : end; /* it may go on behind these */
        set_bits(out->data + out->len, first - from, row - from);
    }
    out->len += groups;
    return RESULT_OK;
}

/* What parquet_append_bits makes of the rows, without a bit for each: few have a value. */
static enum result append_few(struct buf *out, struct str runs, uint32_t rows)
{
    struct run_place here = { runs, 0, 0 }, behind = here;
    uint32_t first = 0, at = 0; /* rows from `first` to `at` wait to be packed, in whole groups */
    enum result result = RESULT_OK;

    while (result == RESULT_OK && at < rows) {
        uint32_t end;

        skip_to(&here, at);
        end = at < here.first ? here.first : at < here.end ? here.end : rows;
        if (end - at < PARQUET_GROUP) {
            at += rows - at < PARQUET_GROUP ? rows - at : PARQUET_GROUP;
            continue;
        }
        if (at > first) {
            result = append_packed_rows(out, &behind, first, at);
        }
        if (result == RESULT_OK) {
            result = parquet_append_run(out, at >= here.first && at < here.end, end - at, 1);
        }
        first = at = end;
    }
    return result == RESULT_OK && at > first ? append_packed_rows(out, &behind, first, at) : result;
}

enum result parquet_append_levels(struct buf *out, struct str runs, uint32_t rows,
                                  struct buf *spare)
{
    enum result result;

    if (runs.len < rows / FEW_RUNS_PART) {
        return append_few(out, runs, rows);
    }
    result = expand(runs, rows, spare);
    return result == RESULT_OK ? parquet_append_bits(out, spare->data, rows) : result;
}
