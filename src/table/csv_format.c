/* CSV and TSV as formats: a header line when the table is opened, then blocks of lines. */
#include "table/csv.h"
#include "table/format.h"
#include "table/layout.h"
#include "table/table_spec.h"

#include <stdlib.h>

struct csv_table {
    struct csv_style style;
    size_t common; /* see struct layout */
};

struct csv_encoder {
    const struct csv_table *table;
    struct csv_repeat repeat;
};

static enum result write_header(const struct csv_table *t, const struct format_target *target,
                                struct err *err)
{
    const struct layout *layout = target->layout;
    struct buf header = { 0 };
    enum result result;

    if (!layout->count) {
        return RESULT_OK; /* a table without columns is an empty file */
    }
    result = csv_header(&header, &t->style, layout->names, layout->count);
    result = result == RESULT_OK ? target->write(target->context, buf_view(&header), err)
                                 : err_nomem(err, "writing the header");
    buf_release(&header);
    return result;
}

static enum result open_with(char delimiter, void **table, const struct format_target *target,
                             struct err *err)
{
    struct csv_table *t = calloc(1, sizeof *t);

    *table = t;
    if (!t) {
        return err_nomem(err, "starting a table");
    }
    t->style = target->spec->csv;
    t->style.delimiter = t->style.delimiter ? t->style.delimiter : delimiter;
    t->common = target->layout->common;
    return write_header(t, target, err);
}

static enum result open_csv(void **table, const struct format_target *target, struct err *err)
{
    return open_with(',', table, target, err);
}

static enum result open_tsv(void **table, const struct format_target *target, struct err *err)
{
    return open_with('\t', table, target, err);
}

static void *encoder_new(void *table)
{
    struct csv_encoder *e = calloc(1, sizeof *e);

    if (e) {
        e->table = table;
        e->repeat.columns = e->table->common;
    }
    return e;
}

static enum result add(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err)
{
    struct csv_encoder *e = encoder;

    return csv_row(block, &e->table->style, row, &e->repeat, lone_surrogates) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "writing rows");
}

static enum result flush(void *encoder, struct buf *block, const struct format_turn *turn,
                         struct err *err)
{
    struct csv_encoder *e = encoder;

    (void)block;
    (void)turn;
    (void)err;
    e->repeat = (struct csv_repeat){ .columns = e->table->common };
    return RESULT_OK;
}

const struct table_format csv_format = {
    .name = "csv",
    .endings = "csv",
    .about = "RFC 4180 in UTF-8; a missing or null value is an empty cell, the empty string is "
             "\\(dq\\(dq.",
    .packable = true,
    .open = open_csv,
    .close = free,
    .encoder_new = encoder_new,
    .encoder_free = free,
    .add = add,
    .flush = flush,
};

const struct table_format tsv_format = {
    .name = "tsv",
    .endings = "tsv",
    .about = "The same with tabs between the cells.",
    .packable = true,
    .open = open_tsv,
    .close = free,
    .encoder_new = encoder_new,
    .encoder_free = free,
    .add = add,
    .flush = flush,
};
