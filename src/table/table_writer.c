#include "table/table_writer.h"

#include "table/csv.h"
#include "table/output_file.h"
#include "table/parquet/parquet.h"

#include <stdlib.h>

/* A row group is gathered in memory, while blocks wait for their turn: an eighth leaves room. */
#define GROUP_SHARE 8

/* How large the dictionaries may become does not depend on the machine: a part of the memory, and as much again
 * for what the file holds of them. The workers know them, too, as far as all of these have room in half of the
 * memory; if they have less, each forgets now and then. */
#define DICTIONARY_PART 12
#define WORKERS_PART 2

struct table_writer {
    const struct layout *layout;
    const struct table_spec *spec;
    struct output_file *file;
    struct parquet_file *parquet; /* NULL: CSV */
    struct parquet_dictionaries *dictionaries;
    unsigned encoders;
};

struct row_encoder {
    struct table_writer *writer;
    struct buf bytes;
    struct csv_repeat repeat;
    struct parquet_block *block; /* NULL: CSV */
    struct row_cell *cells;
};

static size_t dictionary_room(const struct table_writer *w)
{
    return (size_t)(table_memory(w->spec) / DICTIONARY_PART);
}

static enum result write_file(void *context, const void *bytes, size_t len, struct err *err)
{
    struct table_writer *w = context;

    return output_write(w->file, bytes, len, err);
}

static enum result take_lines(void *context, struct str bytes, struct err *err)
{
    return write_file(context, bytes.data, bytes.len, err);
}

static enum result take_blocks(void *context, struct str bytes, struct err *err)
{
    struct table_writer *w = context;

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
    result = output_open(&w->file, path, err);
    if (result == RESULT_OK && spec->parquet) {
        uint64_t group = table_memory(spec) / GROUP_SHARE;

        result = parquet_file_new(&w->parquet, &layout->schema,
                                  group < PARQUET_GROUP_BYTES ? group : PARQUET_GROUP_BYTES,
                                  write_file, w, err);
        w->dictionaries = parquet_dictionaries_new(&layout->schema, dictionary_room(w));
        if (result == RESULT_OK && !w->dictionaries) {
            result = err_nomem(err, "starting a table");
        }
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
        parquet_dictionaries_free(w->dictionaries);
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
    e->repeat.columns = writer->layout->common;
    if (!e->cells || (writer->parquet && !e->block)) {
        row_encoder_free(e);
        return NULL;
    }
    writer->encoders++;
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

enum result row_encoder_add(struct row_encoder *e, const struct row *row, uint64_t *lone_surrogates,
                            struct err *err)
{
    struct row laid = layout_row(e->writer->layout, row, e->cells);

    if (e->block) {
        return parquet_block_row(e->block, &laid, lone_surrogates, err);
    }
    return csv_row(&e->bytes, &e->writer->spec->csv, &laid, &e->repeat, lone_surrogates) ==
                   RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "writing rows");
}

size_t row_encoder_bytes(const struct row_encoder *e)
{
    return e->block ? parquet_block_bytes(e->block) : e->bytes.len;
}

/* What can be encoded before is, so that few wait idly. */
static enum result adopt(struct row_encoder *e, struct sequencer *sequencer, uint64_t chunk,
                         bool more, struct err *err)
{
    enum result result = parquet_block_begin(e->block, &e->bytes, err);

    if (result == RESULT_OK && parquet_block_waits(e->block)) {
        result = sequencer_await(sequencer, chunk);
        result = result == RESULT_OK ? parquet_block_adopt(e->block, e->writer->dictionaries, err)
                                     : result;
    }
    if (result == RESULT_OK && !more) {
        sequencer_pass(sequencer, chunk);
    }
    return result;
}

/* Most workers have as much room as the file, and know no more than that. */
static void forget(struct row_encoder *e)
{
    size_t room = (size_t)(table_memory(e->writer->spec) / WORKERS_PART) / e->writer->encoders;

    if (room < dictionary_room(e->writer)) {
        parquet_block_forget(e->block, room);
    }
}

enum result row_encoder_flush(struct row_encoder *e, struct sequencer *sequencer, uint64_t chunk,
                              bool more, struct buf **bytes, struct err *err)
{
    enum result result;

    *bytes = &e->bytes;
    e->repeat = (struct csv_repeat){ .columns = e->writer->layout->common };
    if (!e->block) {
        return RESULT_OK;
    }
    result = adopt(e, sequencer, chunk, more, err);
    if (result == RESULT_OK) {
        result = parquet_block_finish(e->block, &e->bytes, err);
        forget(e);
    }
    return result;
}
