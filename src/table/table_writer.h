/**
 * Table writer: rows in, one table's file out, in its format (format.h) and packing (packing.h).
 *
 * Each worker has an encoder for each file. Its blocks go through table/sequencer.h to the writer's sink, in
 * the plan's order.
 *
 * Ownership  output, layout and spec are borrowed until the end; table_writer_commit and
 *            table_writer_abandon free the writer, encoders go before it.
 * Errors     those of table/output_file.h and of the format.
 * Threads    an encoder belongs to one worker; the sink's calls come one at a time.
 */
#ifndef SCRAPETOP_TABLE_TABLE_WRITER_H
#define SCRAPETOP_TABLE_TABLE_WRITER_H

#include "base/buf.h"
#include "base/err.h"
#include "normalise/rows.h"
#include "table/format.h"
#include "table/layout.h"
#include "table/sequencer.h"
#include "table/table_spec.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct table_writer;

/** Creates the file beside its path (table/output_file.h) with what stands before the rows. `stop` is the format's. */
MUST_CHECK enum result table_writer_open(struct table_writer **writer,
                                         const struct table_output *output,
                                         const struct layout *layout, const struct table_spec *spec,
                                         unsigned workers, const atomic_bool *stop,
                                         struct err *err);

struct row_sink table_writer_sink(struct table_writer *writer);

/** `*bytes` gets the file's size; 0 if the format has a place of its own. */
MUST_CHECK enum result table_writer_commit(struct table_writer *writer, uint64_t *bytes,
                                           struct err *err);

/** NULL is fine. */
void table_writer_abandon(struct table_writer *writer);

struct row_encoder;

/** NULL when out of memory. All are made before the first row is added. */
struct row_encoder *row_encoder_new(struct table_writer *writer);
void row_encoder_free(struct row_encoder *encoder);

/** The row is the tree's: the layout is applied here. */
MUST_CHECK enum result row_encoder_add(struct row_encoder *encoder, const struct row *row,
                                       uint64_t *lone_surrogates, struct err *err);

/** Memory that rows take which were not flushed. */
size_t row_encoder_bytes(const struct row_encoder *encoder);

/** Ends the block, after its last row. What depends on the rows of all chunks before is settled first; for
 *  that it may have to wait (sequencer_await). `*bytes` is the encoder's, for the sequencer to empty or
 *  exchange. */
MUST_CHECK enum result row_encoder_flush(struct row_encoder *encoder,
                                         const struct format_turn *turn, struct buf **bytes,
                                         struct err *err);

#endif
