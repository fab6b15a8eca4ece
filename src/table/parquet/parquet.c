/*
 * The file's half of table/parquet/parquet.h: "PAR1", row groups, the footer (FileMetaData), its length,
 * "PAR1". A row group's pages are held in memory, column by column, since each column's must lie
 * together; what the footer says of a row group is encoded as soon as that is written.
 */
#include "table/parquet/parquet.h"

#include "base/little.h"
#include "table/parquet/parquet_block.h"
#include "table/parquet/parquet_dictionaries.h"
#include "table/parquet/parquet_extent.h"
#include "table/parquet/parquet_page.h"
#include "table/parquet/parquet_plain.h"
#include "table/parquet/thrift.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "PAR1"
#define FORMAT_VERSION 2

/* Pages of loose values: more of them compress no better. Where there are thousands of columns, what is loose would
 * be all of the row group: pages take a part of the room. The least of them is a little less than what a buf grows to. */
#define PAGE_VALUES_ENOUGH 4096
#define PAGE_BYTES_ENOUGH ((size_t)64 << 10)
#define PAGE_BYTES_LEAST ((size_t)3 << 10)
#define PAGES_PART 4

/* A column's, as far as blocks have brought it; it stays from one row group to the next. */
struct dictionary_page {
    struct buf entries; /* PLAIN */
    uint32_t count;
    struct buf page; /* made of them when last one was written, and still is it ... */
    uint32_t page_count;
    uint64_t plain_bytes; /* ... the same without compression */
};

/* Column chunk: what a row group holds of a column. */
struct chunk {
    struct buf pages;
    struct parquet_values loose; /* after the pages */
    uint32_t loose_rows;
    uint64_t
        rows; /* of the row group, that it has: a block in which it has no value says nothing of it */
    struct dictionary_page dictionary;
    unsigned encodings; /* of the pages' values, a bit each */
    bool plain;         /* there are values without: the dictionary has been closed */
    uint64_t plain_bytes;
    uint64_t nulls;
    struct parquet_extent extent;
};

struct parquet_file {
    const struct parquet_schema *schema;
    uint64_t group_bytes;
    size_t page_bytes; /* of loose values */
    parquet_sink_fn *sink;
    void *context;
    struct chunk *chunks; /* of the row group that is being gathered */
    uint64_t rows;
    uint64_t gathered_bytes; /* before compression, roughly */
    uint64_t offset;         /* in the file */
    uint64_t rows_written, groups_written;
    struct buf groups; /* struct RowGroup, for the footer */
    struct page_maker maker;
    struct buf last; /* page of the column chunk that is being written */
};

static const struct {
    enum parquet_type physical;
    int converted; /* ConvertedType, -1: none */
    int logical;   /* field of LogicalType, 0: none */
} forms[] = {
    [TYPE_TEXT] = { PARQUET_BYTE_ARRAY, 0, 1 }, /* UTF8, STRING */
    [TYPE_INT64] = { PARQUET_INT64, -1, 0 },
    [TYPE_DOUBLE] = { PARQUET_DOUBLE, -1, 0 },
    [TYPE_BOOLEAN] = { PARQUET_BOOLEAN, -1, 0 },
    [TYPE_TIMESTAMP] = { PARQUET_INT64, 10, 8 },       /* TIMESTAMP_MICROS, TIMESTAMP */
    [TYPE_LOCAL_TIMESTAMP] = { PARQUET_INT64, -1, 8 }, /* TIMESTAMP; TIMESTAMP_MICROS is of UTC */
    [TYPE_DATE] = { PARQUET_INT32, 6, 6 },             /* DATE, DATE */
};

static enum result write_bytes(struct parquet_file *f, struct str bytes, struct err *err)
{
    f->offset += bytes.len;
    return bytes.len ? f->sink(f->context, bytes.data, bytes.len, err) : RESULT_OK;
}

static size_t page_bytes(const struct parquet_file *f)
{
    size_t part = (size_t)(f->group_bytes / PAGES_PART / f->schema->count);

    return part < PAGE_BYTES_LEAST    ? PAGE_BYTES_LEAST
           : part > PAGE_BYTES_ENOUGH ? PAGE_BYTES_ENOUGH
                                      : part;
}

enum result parquet_file_new(struct parquet_file **file, const struct parquet_schema *schema,
                             uint64_t group_bytes, parquet_sink_fn *sink, void *context,
                             struct err *err)
{
    struct parquet_file *f = calloc(1, sizeof *f);

    *file = NULL;
    if (!f) {
        return err_nomem(err, "starting a Parquet file");
    }
    *f = (struct parquet_file){
        .schema = schema,
        .group_bytes = group_bytes ? group_bytes : PARQUET_GROUP_BYTES,
        .sink = sink,
        .context = context,
        .chunks = calloc(schema->count, sizeof *f->chunks),
    };
    f->page_bytes = page_bytes(f);
    if (!page_maker_init(&f->maker) || !f->chunks) {
        parquet_file_free(f);
        return err_nomem(err, "starting a Parquet file");
    }
    *file = f;
    return RESULT_OK;
}

static void release_dictionary(struct dictionary_page *d)
{
    buf_release(&d->entries);
    buf_release(&d->page);
    *d = (struct dictionary_page){ 0 };
}

void parquet_file_free(struct parquet_file *f)
{
    if (f) {
        for (uint32_t i = 0; f->chunks && i < f->schema->count; i++) {
            buf_release(&f->chunks[i].pages);
            parquet_values_release(&f->chunks[i].loose);
            release_dictionary(&f->chunks[i].dictionary);
        }
        free(f->chunks);
        buf_release(&f->groups);
        buf_release(&f->last);
        page_maker_release(&f->maker);
        free(f);
    }
}

/* --- gathering ------------------------------------------------------------------------------------ */

static void note_page(struct chunk *c, const struct parquet_made *made)
{
    c->encodings |= 1U << made->encoding;
    c->plain_bytes += made->plain_bytes;
}

static bool has_indices(const struct chunk *c)
{
    return c->encodings >> PARQUET_RLE_DICTIONARY & 1;
}

/* What is loose becomes a page of those in `pages`. */
static enum result end_page(struct parquet_file *f, uint32_t column, struct buf *pages)
{
    struct chunk *c = &f->chunks[column];
    struct parquet_made made = { 0 };
    enum result result;

    if (!c->loose_rows) {
        return RESULT_OK;
    }
    result = parquet_values_page(&c->loose, f->schema->columns[column].type, c->loose_rows,
                                 &f->maker, pages, &made);
    if (result == RESULT_OK) {
        note_page(c, &made);
    }
    c->loose_rows = 0;
    parquet_values_reset(&c->loose);
    return result;
}

/* Blocks since the last that had values here had none. */
static void catch_up(const struct parquet_file *f, struct chunk *c)
{
    uint32_t rows = (uint32_t)(f->rows - c->rows);

    c->nulls += rows;
    c->loose_rows += rows;
    c->rows = f->rows;
}

static enum result take_loose(struct parquet_file *f, uint32_t column,
                              const struct parquet_slice *slice, const char *from)
{
    const struct parquet_loose *loose = &slice->loose;
    struct chunk *c = &f->chunks[column];
    enum result result = RESULT_OK;

    if (loose->count && c->loose.count && slice->indices != c->loose.indices) {
        result = end_page(f, column, &c->pages);
    }
    if (result == RESULT_OK) {
        result = parquet_values_join(&c->loose, c->loose_rows, loose, from);
    }
    c->loose.indices |= slice->indices;
    c->loose_rows += loose->rows;
    f->gathered_bytes += loose->bytes_len + loose->runs_len;
    return result == RESULT_OK &&
                   (c->loose.count >= PAGE_VALUES_ENOUGH || c->loose.bytes.len >= f->page_bytes)
               ? end_page(f, column, &c->pages)
               : result;
}

static enum result take_page(struct parquet_file *f, uint32_t column,
                             const struct parquet_slice *slice, const char *from)
{
    struct chunk *c = &f->chunks[column];
    enum result result = end_page(f, column, &c->pages);

    note_page(c, &slice->made);
    f->gathered_bytes += slice->made.plain_bytes;
    return result == RESULT_OK ? buf_append(&c->pages, from, slice->body_bytes) : result;
}

/* What the dictionary has more, or, once the column's values are PLAIN, that nothing but the row group under
 * way still needs it: it takes memory as that group's pages do. */
static enum result take_entries(struct parquet_file *f, struct chunk *c,
                                const struct parquet_slice *slice, const char *from)
{
    if (slice->bounds.any && !slice->indices && !c->plain) {
        c->plain = true;
        f->gathered_bytes += c->dictionary.entries.len;
    }
    c->dictionary.count += slice->entries;
    return buf_append(&c->dictionary.entries, from, slice->entry_bytes);
}

/* Of a block of `rows` rows. Moves `*blocks` after the slice. */
static enum result take_slice(struct parquet_file *f, uint32_t rows, struct str *blocks)
{
    struct parquet_slice slice;
    struct chunk *c;
    const char *at = blocks->data + sizeof slice;
    enum result result;

    memcpy(&slice, blocks->data, sizeof slice);
    c = &f->chunks[slice.column];
    catch_up(f, c);
    c->rows += rows;
    parquet_extent_add(&c->extent, f->schema->columns[slice.column].type, &slice.bounds, at);
    c->nulls += slice.nulls;
    if (f->schema->columns[slice.column].type == TYPE_TEXT) {
        at += slice.bounds.low_len + slice.bounds.high_len;
    }
    result = take_entries(f, c, &slice, at);
    at += slice.entry_bytes;
    if (result == RESULT_OK) {
        result = slice.loose.rows ? take_loose(f, slice.column, &slice, at)
                                  : take_page(f, slice.column, &slice, at);
    }
    at += slice.body_bytes;
    *blocks = (struct str){ at, blocks->len - (size_t)(at - blocks->data) };
    return result;
}

/* --- row groups ------------------------------------------------------------------------------------ */

static void put_statistics(struct thrift *t, const struct parquet_column *column,
                           const struct chunk *c)
{
    thrift_struct(t, 12);
    thrift_i64(t, 3, (int64_t)c->nulls);
    parquet_extent_put(&c->extent, column->type, t);
    if (column->type == TYPE_DOUBLE) {
        thrift_i64(t, 9, 0); /* nan_count: JSON has none */
    }
    thrift_end(t);
}

/* Of all pages, and of their levels. */
static void put_encodings(struct thrift *t, const struct chunk *c)
{
    unsigned encodings = c->encodings | 1U << PARQUET_RLE;

    if (has_indices(c)) {
        encodings |= 1U << PARQUET_PLAIN; /* the dictionary page */
    }
    thrift_list(t, 2, THRIFT_I32, (uint64_t)__builtin_popcount(encodings));
    for (int i = 0; encodings >> i; i++) {
        if (encodings >> i & 1) {
            thrift_element_i32(t, i);
        }
    }
}

/* struct ColumnChunk; the dictionary page, if there is one, lies first. */
static void put_chunk(struct thrift *t, const struct parquet_file *f, uint32_t column,
                      uint64_t offset, uint64_t dictionary_bytes)
{
    const struct parquet_column *c = &f->schema->columns[column];
    const struct chunk *chunk = &f->chunks[column];

    thrift_element_struct(t);
    thrift_i64(t, 2, 0); /* file_offset: deprecated */
    thrift_struct(t, 3); /* ColumnMetaData */
    thrift_i32(t, 1, (int32_t)forms[c->type].physical);
    put_encodings(t, chunk);
    thrift_list(t, 3, THRIFT_BINARY, 1);
    thrift_element_binary(t, c->name);
    thrift_i32(t, 4, PARQUET_CODEC_ZSTD);
    thrift_i64(t, 5, (int64_t)f->rows);
    thrift_i64(t, 6, (int64_t)chunk->plain_bytes);
    thrift_i64(t, 7, (int64_t)(dictionary_bytes + chunk->pages.len + f->last.len));
    thrift_i64(t, 9, (int64_t)(offset + dictionary_bytes));
    if (has_indices(chunk)) {
        thrift_i64(t, 11, (int64_t)offset);
    }
    put_statistics(t, c, chunk);
    thrift_end(t);
    thrift_end(t);
}

static void reset_chunk(struct chunk *c, size_t *keep)
{
    struct chunk empty = {
        .pages = c->pages, .loose = c->loose, .dictionary = c->dictionary, .plain = c->plain
    };

    buf_reset_within(&empty.pages, keep);
    parquet_values_reset_within(&empty.loose, keep);
    if (empty.plain) {
        release_dictionary(&empty.dictionary);
    }
    *c = empty;
}

/* Few values that hardly repeat are shorter without a dictionary page: such are all columns of a short table,
 * and those of a row group in a very wide one. */
static enum result end_last_page(struct parquet_file *f, uint32_t column)
{
    struct chunk *c = &f->chunks[column];
    const struct parquet_tally tally = { .values = c->loose.count,
                                         .first_values = c->loose.count,
                                         .bytes = UINT64_MAX,
                                         .first_bytes = UINT64_MAX };
    enum type type = f->schema->columns[column].type;
    enum result result = RESULT_OK;

    if (!c->pages.len && c->loose.indices &&
        !parquet_dictionary_pays(type, c->dictionary.count, 0, &tally)) {
        result = parquet_values_to_plain(&c->loose, type, buf_view(&c->dictionary.entries),
                                         c->dictionary.count);
    }
    buf_reset(&f->last);
    return result == RESULT_OK ? end_page(f, column, &f->last) : result;
}

/* Large ones hardly grow any more once a file has some row groups: they are compressed when they did. */
static enum result make_dictionary_page(struct parquet_file *f, enum type type,
                                        struct dictionary_page *d)
{
    struct str entries = buf_view(&d->entries);
    const struct parquet_page page = { .type = PARQUET_DICTIONARY_PAGE,
                                       .encoding = PARQUET_PLAIN,
                                       .value_count = d->count };

    if (d->page_count == d->count) {
        return RESULT_OK;
    }
    buf_reset(&d->page);
    d->page_count = d->count;
    if (parquet_plain_is_narrow(type)) {
        buf_reset(&f->maker.body);
        if (parquet_plain_append_narrow(&f->maker.body, entries) != RESULT_OK) {
            return RESULT_NOMEM;
        }
        entries = buf_view(&f->maker.body);
    }
    return parquet_append_page(&d->page, &page, entries, f->maker.zstd, &d->plain_bytes);
}

/* Writes a column chunk and describes it. */
static enum result write_chunk(struct parquet_file *f, struct thrift *t, uint32_t column,
                               struct err *err)
{
    struct chunk *c = &f->chunks[column];
    uint64_t offset = f->offset, dictionary_bytes = 0;
    enum result result;

    catch_up(f, c);
    result = end_last_page(f, column);
    if (result == RESULT_OK && has_indices(c)) {
        result = make_dictionary_page(f, f->schema->columns[column].type, &c->dictionary);
    }
    if (result != RESULT_OK) {
        return err_nomem(err, "writing a row group");
    }
    if (has_indices(c)) {
        dictionary_bytes = c->dictionary.page.len;
        c->plain_bytes += c->dictionary.plain_bytes;
        result = write_bytes(f, buf_view(&c->dictionary.page), err);
    }
    result = result == RESULT_OK ? write_bytes(f, buf_view(&c->pages), err) : result;
    result = result == RESULT_OK ? write_bytes(f, buf_view(&f->last), err) : result;
    if (result == RESULT_OK) {
        put_chunk(t, f, column, offset, dictionary_bytes);
    }
    return result;
}

static enum result write_magic(struct parquet_file *f, struct err *err)
{
    return f->offset ? RESULT_OK : write_bytes(f, STR(MAGIC), err);
}

static enum result write_group(struct parquet_file *f, struct err *err)
{
    enum result result = write_magic(f, err);
    uint64_t first = f->offset, plain_bytes = 0;
    size_t keep = (size_t)f->group_bytes;
    struct thrift t;

    thrift_begin(&t, &f->groups);
    thrift_list(&t, 1, THRIFT_STRUCT, f->schema->count);
    for (uint32_t i = 0; result == RESULT_OK && i < f->schema->count; i++) {
        result = write_chunk(f, &t, i, err);
        plain_bytes += f->chunks[i].plain_bytes;
    }
    thrift_i64(&t, 2, (int64_t)plain_bytes);
    thrift_i64(&t, 3, (int64_t)f->rows);
    thrift_i64(&t, 5, (int64_t)first);
    thrift_i64(&t, 6, (int64_t)(f->offset - first));
    thrift_end(&t);
    /* One row group may be all of one column, and the next of another. */
    for (uint32_t i = 0; i < f->schema->count; i++) {
        reset_chunk(&f->chunks[i], &keep);
    }
    f->rows_written += f->rows;
    f->groups_written++;
    f->rows = f->gathered_bytes = 0;
    return result == RESULT_OK && t.result != RESULT_OK ? err_nomem(err, "writing a row group")
                                                        : result;
}

enum result parquet_file_take(struct parquet_file *f, struct str blocks, struct err *err)
{
    enum result result = RESULT_OK;

    while (result == RESULT_OK && blocks.len) {
        struct parquet_block_head head;

        memcpy(&head, blocks.data, sizeof head);
        blocks = (struct str){ blocks.data + sizeof head, blocks.len - sizeof head };
        for (uint32_t i = 0; i < head.slices; i++) {
            if (take_slice(f, head.rows, &blocks) != RESULT_OK) {
                return err_nomem(err, "gathering a row group");
            }
        }
        f->rows += head.rows;
        if (f->rows >= PARQUET_GROUP_ROWS || f->gathered_bytes >= f->group_bytes) {
            result = write_group(f, err);
        }
    }
    return result;
}

/* --- footer --------------------------------------------------------------------------------------- */

static void put_schema_element(struct thrift *t, const struct parquet_column *c)
{
    thrift_element_struct(t);
    thrift_i32(t, 1, (int32_t)forms[c->type].physical);
    thrift_i32(t, 3, 1); /* OPTIONAL */
    thrift_binary(t, 4, c->name);
    if (forms[c->type].converted >= 0) {
        thrift_i32(t, 6, forms[c->type].converted);
    }
    if (forms[c->type].logical) {
        thrift_struct(t, 10); /* LogicalType */
        thrift_struct(t, forms[c->type].logical);
        if (c->type == TYPE_TIMESTAMP || c->type == TYPE_LOCAL_TIMESTAMP) {
            thrift_bool(t, 1, c->type == TYPE_TIMESTAMP); /* isAdjustedToUTC */
            thrift_struct(t, 2);
            thrift_struct(t, 2); /* MICROS */
            thrift_end(t);
            thrift_end(t);
        }
        thrift_end(t);
        thrift_end(t);
    }
    thrift_end(t);
}

static void put_footer(struct thrift *t, const struct parquet_file *f)
{
    const struct parquet_schema *schema = f->schema;

    thrift_i32(t, 1, FORMAT_VERSION);
    thrift_list(t, 2, THRIFT_STRUCT, (uint64_t)schema->count + 1);
    thrift_element_struct(t);
    thrift_binary(t, 4, STR("schema"));
    thrift_i32(t, 5, (int32_t)schema->count);
    thrift_end(t);
    for (uint32_t i = 0; i < schema->count; i++) {
        put_schema_element(t, &schema->columns[i]);
    }
    thrift_i64(t, 3, (int64_t)f->rows_written);
    thrift_list(t, 4, THRIFT_STRUCT, f->groups_written);
    if (t->result == RESULT_OK) {
        t->result = buf_append_str(t->out, buf_view(&f->groups));
    }
    thrift_binary(t, 6, STR("scrapetop version " SCRAPETOP_VERSION));
    thrift_list(t, 7, THRIFT_STRUCT, schema->count); /* column_orders: TYPE_ORDER */
    for (uint32_t i = 0; i < schema->count; i++) {
        thrift_element_struct(t);
        thrift_struct(t, 1);
        thrift_end(t);
        thrift_end(t);
    }
    thrift_end(t);
}

enum result parquet_file_finish(struct parquet_file *f, struct err *err)
{
    enum result result = f->rows ? write_group(f, err) : write_magic(f, err);
    struct buf footer = { 0 };
    struct thrift t;
    char len[4];

    if (result != RESULT_OK) {
        return result;
    }
    thrift_begin(&t, &footer);
    put_footer(&t, f);
    little_put_u32(len, (uint32_t)footer.len);
    if (t.result != RESULT_OK || footer.len > INT32_MAX ||
        buf_append(&footer, len, sizeof len) != RESULT_OK ||
        buf_append_str(&footer, STR(MAGIC)) != RESULT_OK) {
        result = footer.len > INT32_MAX ? err_set(err, RESULT_LIMIT, "E-TAB3",
                                                  "the table has too many columns and row groups")
                                        : err_nomem(err, "writing the footer");
    }
    result = result == RESULT_OK ? write_bytes(f, buf_view(&footer), err) : result;
    buf_release(&footer);
    return result;
}
