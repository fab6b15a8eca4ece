#include "engine/table_writer.h"

#include "normalise/csv.h"
#include "normalise/parquet.h"
#include "output/output_file.h"

#include <pthread.h>
#include <stdlib.h>

/* A row group is gathered in memory, while blocks wait for their turn: an eighth leaves room. */
#define GROUP_SHARE 8

struct table_writer {
    const struct layout *layout;
    const struct table_spec *spec;
    struct output_file *file;
    struct parquet_file *parquet; /* NULL: CSV */
    /* Dictionaries are made by whichever worker comes first, a column each, before the first rows are taken. */
    pthread_mutex_t lock;
    pthread_cond_t made;
    uint32_t next_dictionary; /* column that nobody has looked at yet */
    unsigned dictionaries_begun;
};

struct row_encoder {
    struct table_writer *writer;
    struct buf bytes;
    struct parquet_block *block; /* NULL: CSV */
    struct row_cell *cells;
};

static enum result write_file(void *context, const void *bytes, size_t len, struct err *err)
{
    struct table_writer *w = context;

    return output_write(w->file, bytes, len, err);
}

static enum result take_lines(void *context, struct str bytes, struct err *err)
{
    return write_file(context, bytes.data, bytes.len, err);
}

/* With the lock held: the next column whose dictionary nobody has begun, or the count of all. */
static uint32_t claim_dictionary(struct table_writer *w)
{
    uint32_t column = w->next_dictionary;

    while (column < w->layout->count && !parquet_has_dictionary(&w->layout->typed[column])) {
        column++;
    }
    w->next_dictionary = column < w->layout->count ? column + 1 : column;
    w->dictionaries_begun += column < w->layout->count;
    return column;
}

/* No dictionary is begun any more, and none is under way. */
static void end_dictionaries(struct table_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->next_dictionary = w->layout->count;
    while (w->dictionaries_begun) {
        pthread_cond_wait(&w->made, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
}

static enum result take_blocks(void *context, struct str bytes, struct err *err)
{
    struct table_writer *w = context;

    end_dictionaries(w);
    return parquet_file_take(w->parquet, bytes, err);
}

struct row_sink table_writer_sink(struct table_writer *w)
{
    return (struct row_sink){ w->parquet ? take_blocks : take_lines, w };
}

static enum result write_header(struct table_writer *w, struct err *err)
{
    struct buf header = { 0 };
    enum result result;

    if (!w->layout->count) {
        return RESULT_OK; /* a table without columns is an empty file */
    }
    result = csv_header(&header, &w->spec->csv, w->layout->names, w->layout->count);
    result = result == RESULT_OK ? output_write(w->file, header.data, header.len, err)
                                 : err_nomem(err, "writing the header");
    buf_release(&header);
    return result;
}

enum result table_writer_open(struct table_writer **writer, const char *path,
                              const struct layout *layout, const struct table_spec *spec,
                              struct err *err)
{
    struct table_writer *w = calloc(1, sizeof *w);
    enum result result;

    *writer = NULL;
    if (!w) {
        return err_nomem(err, "starting a table");
    }
    w->layout = layout;
    w->spec = spec;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->made, NULL);
    result = output_open(&w->file, path, err);
    if (result == RESULT_OK && spec->parquet) {
        uint64_t group = table_memory(spec) / GROUP_SHARE;

        result = parquet_file_new(&w->parquet, &layout->schema,
                                  group < PARQUET_GROUP_BYTES ? group : PARQUET_GROUP_BYTES,
                                  write_file, w, err);
    } else if (result == RESULT_OK) {
        result = write_header(w, err);
    }
    if (result != RESULT_OK) {
        table_writer_abandon(w);
        return result;
    }
    *writer = w;
    return RESULT_OK;
}

enum result table_writer_commit(struct table_writer *w, uint64_t *bytes, struct err *err)
{
    enum result result = w->parquet ? parquet_file_finish(w->parquet, err) : RESULT_OK;
    struct output_file *file = w->file;

    *bytes = output_bytes(file);
    if (result == RESULT_OK) {
        w->file = NULL;
        result = output_commit(file, err);
    }
    table_writer_abandon(w);
    return result;
}

void table_writer_abandon(struct table_writer *w)
{
    if (w) {
        output_abandon(w->file);
        parquet_file_free(w->parquet);
        pthread_cond_destroy(&w->made);
        pthread_mutex_destroy(&w->lock);
        free(w);
    }
}

struct row_encoder *row_encoder_new(struct table_writer *writer)
{
    struct row_encoder *e = calloc(1, sizeof *e);

    if (!e) {
        return NULL;
    }
    e->writer = writer;
    e->block = writer->parquet ? parquet_block_new(&writer->layout->schema) : NULL;
    e->cells = calloc(writer->layout->count + 1U, sizeof *e->cells);
    if (!e->cells || (writer->parquet && !e->block)) {
        row_encoder_free(e);
        return NULL;
    }
    return e;
}

void row_encoder_free(struct row_encoder *e)
{
    if (e) {
        parquet_block_free(e->block);
        buf_release(&e->bytes);
        free(e->cells);
        free(e);
    }
}

enum result row_encoder_prepare(struct row_encoder *e, struct err *err)
{
    struct table_writer *w = e->writer;
    enum result result = RESULT_OK;

    pthread_mutex_lock(&w->lock);
    while (e->block && result == RESULT_OK) {
        uint32_t column = claim_dictionary(w);
        struct parquet_dictionary_page page;

        if (column == w->layout->count) {
            break;
        }
        pthread_mutex_unlock(&w->lock);
        result = parquet_block_dictionary(e->block, column, &page, err);
        pthread_mutex_lock(&w->lock);
        if (result == RESULT_OK) {
            parquet_file_dictionary(w->parquet, column, &page);
        }
        w->dictionaries_begun--;
        pthread_cond_broadcast(&w->made);
    }
    pthread_mutex_unlock(&w->lock);
    return result;
}

enum result row_encoder_add(struct row_encoder *e, const struct row *row, uint64_t *lone_surrogates,
                            struct err *err)
{
    struct row laid = layout_row(e->writer->layout, row, e->cells);

    if (e->block) {
        return parquet_block_row(e->block, &laid, lone_surrogates, err);
    }
    return csv_row(&e->bytes, &e->writer->spec->csv, &laid, lone_surrogates) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "writing rows");
}

size_t row_encoder_bytes(const struct row_encoder *e)
{
    return e->block ? parquet_block_bytes(e->block) : e->bytes.len;
}

enum result row_encoder_flush(struct row_encoder *e, struct buf **bytes, struct err *err)
{
    *bytes = &e->bytes;
    return e->block ? parquet_block_finish(e->block, &e->bytes, err) : RESULT_OK;
}
