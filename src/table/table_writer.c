#include "table/table_writer.h"

#include "table/output_file.h"
#include "table/packing.h"

#include <stdlib.h>

struct table_writer {
    const struct table_format *format;
    const struct table_packing *packing; /* NULL: none */
    struct format_target format_target;
    struct packing_target packing_target;
    struct output_file *file; /* NULL: the format has a place of its own */
    void *table;              /* the format's */
    void *stream;             /* the packing's */
    void *packer;      /* for what is no worker's: what stands before, between and after rows */
    struct buf packed; /* what it made */
    bool has_rows;
};

struct row_encoder {
    struct table_writer *writer;
    void *encoder; /* the format's */
    void *packer;  /* the packing's, or NULL */
    struct buf block, packed;
    struct row_cell *cells;
};

static enum result write_file(void *context, struct str bytes, struct err *err)
{
    struct table_writer *w = context;

    return output_write(w->file, bytes.data, bytes.len, err);
}

/* Bytes that no worker has packed. */
static enum result write_packed(void *context, struct str bytes, struct err *err)
{
    struct table_writer *w = context;
    enum result result = RESULT_OK;

    if (!w->packer) {
        return w->packing->take(w->stream, bytes, err);
    }
    buf_reset(&w->packed);
    result = w->packing->pack(w->packer, bytes, &w->packed, err);
    return result == RESULT_OK ? w->packing->take(w->stream, buf_view(&w->packed), err) : result;
}

static enum result take_block(struct table_writer *w, struct str block, struct err *err)
{
    if (w->packing) {
        return w->packing->take(w->stream, block, err);
    }
    return w->format->take ? w->format->take(w->table, block, err) : write_file(w, block, err);
}

static enum result take(void *context, struct str block, struct err *err)
{
    struct table_writer *w = context;
    enum result result = RESULT_OK;

    if (!block.len) {
        return RESULT_OK;
    }
    if (w->has_rows && w->format->between) {
        result = w->format_target.write(w, str_view(w->format->between), err);
    }
    w->has_rows = true;
    return result == RESULT_OK ? take_block(w, block, err) : result;
}

struct row_sink table_writer_sink(struct table_writer *w)
{
    return (struct row_sink){ take, w };
}

static enum result open_packing(struct table_writer *w, unsigned workers, struct err *err)
{
    w->packing_target = (struct packing_target){ write_file, w, workers };
    if (w->packing->packer_new) {
        w->packer = w->packing->packer_new();
        if (!w->packer) {
            return err_nomem(err, "starting a table");
        }
    }
    return w->packing->open(&w->stream, &w->packing_target, err);
}

enum result table_writer_open(struct table_writer **writer, const struct table_output *output,
                              const struct layout *layout, const struct table_spec *spec,
                              unsigned workers, const atomic_bool *stop, struct err *err)
{
    struct table_writer *w = calloc(1, sizeof *w);
    enum result result = RESULT_OK;

    *writer = NULL;
    if (!w) {
        return err_nomem(err, "starting a table");
    }
    w->format = output->format;
    w->packing = output->packing;
    w->format_target = (struct format_target){ .path = output->path,
                                               .layout = layout,
                                               .spec = spec,
                                               .write = output->packing ? write_packed : write_file,
                                               .context = w,
                                               .stop = stop };
    if (!w->format->has_place) {
        result = output_open(&w->file, output->path, err);
        if (result == RESULT_OK) {
            output_stop_by(w->file, stop);
        }
    }
    if (result == RESULT_OK && w->packing) {
        result = open_packing(w, workers, err);
    }
    result = result == RESULT_OK ? w->format->open(&w->table, &w->format_target, err) : result;
    if (result != RESULT_OK) {
        table_writer_abandon(w);
        return result;
    }
    *writer = w;
    return RESULT_OK;
}

enum result table_writer_commit(struct table_writer *w, uint64_t *bytes, struct err *err)
{
    enum result result = w->format->finish ? w->format->finish(w->table, err) : RESULT_OK;
    struct output_file *file = w->file;

    if (result == RESULT_OK && w->packing) {
        result = w->packing->finish(w->stream, err);
    }
    *bytes = file ? output_bytes(file) : 0;
    if (result == RESULT_OK && file) {
        w->file = NULL;
        result = output_commit(file, err);
    }
    table_writer_abandon(w);
    return result;
}

void table_writer_abandon(struct table_writer *w)
{
    if (!w) {
        return;
    }
    output_abandon(w->file);
    w->format->close(w->table);
    if (w->packing) {
        w->packing->close(w->stream);
        if (w->packing->packer_free) {
            w->packing->packer_free(w->packer);
        }
    }
    buf_release(&w->packed);
    free(w);
}

struct row_encoder *row_encoder_new(struct table_writer *writer)
{
    struct row_encoder *e = calloc(1, sizeof *e);
    const struct table_packing *packing = writer->packing;
    bool packs = packing && packing->packer_new;

    if (!e) {
        return NULL;
    }
    e->writer = writer;
    e->encoder = writer->format->encoder_new(writer->table);
    e->packer = packs ? packing->packer_new() : NULL;
    e->cells = calloc(writer->format_target.layout->count + 1U, sizeof *e->cells);
    if (!e->encoder || !e->cells || (packs && !e->packer)) {
        row_encoder_free(e);
        return NULL;
    }
    return e;
}

void row_encoder_free(struct row_encoder *e)
{
    if (!e) {
        return;
    }
    e->writer->format->encoder_free(e->encoder);
    if (e->packer) {
        e->writer->packing->packer_free(e->packer);
    }
    buf_release(&e->block);
    buf_release(&e->packed);
    free(e->cells);
    free(e);
}

enum result row_encoder_add(struct row_encoder *e, const struct row *row, uint64_t *lone_surrogates,
                            struct err *err)
{
    struct row laid = layout_row(e->writer->format_target.layout, row, e->cells);

    return e->writer->format->add(e->encoder, &e->block, &laid, lone_surrogates, err);
}

size_t row_encoder_bytes(const struct row_encoder *e)
{
    return e->block.len + (e->writer->format->held ? e->writer->format->held(e->encoder) : 0);
}

enum result row_encoder_flush(struct row_encoder *e, const struct format_turn *turn,
                              struct buf **bytes, struct err *err)
{
    const struct table_format *format = e->writer->format;
    enum result result =
        format->flush ? format->flush(e->encoder, &e->block, turn, err) : RESULT_OK;

    *bytes = e->packer ? &e->packed : &e->block;
    if (result == RESULT_OK && e->packer) {
        buf_reset(&e->packed);
        if (e->block.len) {
            result = e->writer->packing->pack(e->packer, buf_view(&e->block), &e->packed, err);
        }
        buf_reset(&e->block);
    }
    return result;
}
