/* Parquet as a format: blocks that the file's dictionaries adopt in the plan's order (parquet.h). */
#include "table/format.h"
#include "table/layout.h"
#include "table/parquet/parquet.h"
#include "table/sequencer.h"
#include "table/table_spec.h"

#include <stdlib.h>

/* A row group is gathered in memory, while blocks wait for their turn: an eighth leaves room. */
#define GROUP_SHARE 8

/* How large the dictionaries may become does not depend on the machine: a part of the memory, and as much again
 * for what the file holds of them. The workers know them, too, as far as all of these have room in half of the
 * memory; if they have less, each forgets now and then. */
#define DICTIONARY_PART 12
#define WORKERS_PART 2

struct parquet_table {
    const struct format_target *target;
    struct parquet_column *columns;
    struct parquet_schema schema;
    /* the layout has no columns, and readers refuse a file without any: there is one */
    bool is_empty;
    struct parquet_file *file;
    struct parquet_dictionaries *dictionaries;
    unsigned encoders;
};

struct parquet_encoder {
    struct parquet_table *table;
    struct parquet_block *block;
};

static size_t dictionary_room(const struct parquet_table *t)
{
    return (size_t)(table_memory(t->target->spec) / DICTIONARY_PART);
}

static enum result make_schema(struct parquet_table *t, struct err *err)
{
    const struct layout *layout = t->target->layout;

    t->columns = calloc(layout->count + 1U, sizeof *t->columns);
    if (!t->columns) {
        return err_nomem(err, "starting a table");
    }
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct layout_column *c = &layout->columns[i];

        t->columns[i] = (struct parquet_column){ .name = c->name,
                                                 .type = c->decision.type,
                                                 .epoch_unit_us = c->decision.epoch_unit_us };
    }
    t->schema = (struct parquet_schema){ .columns = t->columns,
                                         .count = layout->count,
                                         .common = layout->common,
                                         .explodes = t->target->spec->explode != NULL };
    t->is_empty = !layout->count;
    if (t->is_empty) {
        t->columns[t->schema.count++] = (struct parquet_column){ .name = STR("value") };
    }
    return RESULT_OK;
}

static enum result write_bytes(void *context, const void *bytes, size_t len, struct err *err)
{
    const struct parquet_table *t = context;

    return t->target->write(t->target->context, (struct str){ bytes, len }, err);
}

static enum result open_file(struct parquet_table *t, const struct format_target *target,
                             struct err *err)
{
    uint64_t group = table_memory(target->spec) / GROUP_SHARE;
    enum result result = parquet_file_new(&t->file, &t->schema,
                                          group < PARQUET_GROUP_BYTES ? group : PARQUET_GROUP_BYTES,
                                          write_bytes, t, err);

    if (result != RESULT_OK) {
        return result;
    }
    t->dictionaries = parquet_dictionaries_new(&t->schema, dictionary_room(t));
    return t->dictionaries ? RESULT_OK : err_nomem(err, "starting a table");
}

static enum result open_parquet(void **table, const struct format_target *target, struct err *err)
{
    struct parquet_table *t = calloc(1, sizeof *t);
    enum result result;

    *table = t;
    if (!t) {
        return err_nomem(err, "starting a table");
    }
    t->target = target;
    result = make_schema(t, err);
    return result == RESULT_OK ? open_file(t, target, err) : result;
}

static enum result take(void *table, struct str block, struct err *err)
{
    struct parquet_table *t = table;

    return parquet_file_take(t->file, block, err);
}

static enum result finish(void *table, struct err *err)
{
    struct parquet_table *t = table;

    return parquet_file_finish(t->file, err);
}

static void close_parquet(void *table)
{
    struct parquet_table *t = table;

    if (t) {
        parquet_file_free(t->file);
        parquet_dictionaries_free(t->dictionaries);
        free(t->columns);
        free(t);
    }
}

static void encoder_free(void *encoder)
{
    struct parquet_encoder *e = encoder;

    if (e) {
        parquet_block_free(e->block);
        free(e);
    }
}

static void *encoder_new(void *table)
{
    struct parquet_encoder *e = calloc(1, sizeof *e);

    if (!e) {
        return NULL;
    }
    e->table = table;
    e->block = parquet_block_new(&e->table->schema);
    if (!e->block) {
        encoder_free(e);
        return NULL;
    }
    e->table->encoders++;
    return e;
}

static enum result add(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err)
{
    static const struct row_cell missing = { .row = 0 };
    struct parquet_encoder *e = encoder;
    const struct row empty = { .cells = &missing, .count = 1, .number = row->number };

    (void)block;
    return parquet_block_row(e->block, e->table->is_empty ? &empty : row, lone_surrogates, err);
}

static size_t held(const void *encoder)
{
    const struct parquet_encoder *e = encoder;

    return parquet_block_bytes(e->block);
}

/* What can be encoded before is, so that few wait idly. */
static enum result adopt(struct parquet_encoder *e, struct buf *block,
                         const struct format_turn *turn, struct err *err)
{
    enum result result = parquet_block_begin(e->block, block, err);

    if (result == RESULT_OK && parquet_block_waits(e->block)) {
        result = sequencer_await(turn->sequencer, turn->chunk);
        result = result == RESULT_OK ? parquet_block_adopt(e->block, e->table->dictionaries, err)
                                     : result;
    }
    if (result == RESULT_OK && !turn->more) {
        sequencer_pass(turn->sequencer, turn->chunk);
    }
    return result;
}

/* Most workers have as much room as the file, and know no more than that. */
static void forget(struct parquet_encoder *e)
{
    const struct parquet_table *t = e->table;
    size_t room = (size_t)(table_memory(t->target->spec) / WORKERS_PART) / t->encoders;

    if (room < dictionary_room(t)) {
        parquet_block_forget(e->block, room);
    }
}

static enum result flush(void *encoder, struct buf *block, const struct format_turn *turn,
                         struct err *err)
{
    struct parquet_encoder *e = encoder;
    enum result result = adopt(e, block, turn, err);

    if (result == RESULT_OK) {
        result = parquet_block_finish(e->block, block, err);
        forget(e);
    }
    return result;
}

const struct table_format parquet_format = {
    .name = "parquet",
    .endings = "parquet",
    .about = "Typed columns, as below.",
    .typed = true,
    .open = open_parquet,
    .take = take,
    .finish = finish,
    .close = close_parquet,
    .encoder_new = encoder_new,
    .encoder_free = encoder_free,
    .add = add,
    .held = held,
    .flush = flush,
};
