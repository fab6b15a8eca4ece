/**
 * Dataset: a directory of Parquet files, one for each segment of a run and endpoint, and what is known of them.
 *
 *   OUT/_schema.json
 *   OUT/endpoint=items/part-00000001.parquet
 *   OUT/endpoint=items/worker=w1/part-00000001.parquet      of a fleet's workers, and of shards
 *   OUT/endpoint=items/run=monday.run/part-00000001.parquet  of several runs
 *
 * _schema.json says what each part was made of, so that only what has changed is made again, and what all values of
 * a column have been, so that all parts have the same types. When a column's type changes, a new generation of parts
 * begins: those of older ones are to be made again. A part is there whole or not at all (output_file.h), and
 * is known only when it is there: who is killed between the two makes it again.
 *
 * Ownership  dataset_close; tables live until then. Texts that are given are copied.
 * Errors     E-ARG1 for a place that is something else, or another dataset; E-OUT1..3 of files; E-OUT5 when another
 *            process is at work on it; RESULT_LIMIT (E-TAB3) for too many parts.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_TABLE_DATASET_H
#define SCRAPETOP_TABLE_DATASET_H

#include "base/err.h"
#include "base/str.h"
#include "table/known_types.h"
#include "table/table_schema.h"

#include <stdbool.h>
#include <stdint.h>

#define DATASET_PARTS_MAX 65536 /* of an endpoint */

struct dataset;
struct dataset_table;

/* Whose it is. */
struct dataset_identity {
    struct str job;
    struct str level; /* between endpoint and part: "run", "worker", or "" */
    struct str run;   /* without a level: the run's directory */
};

/** Makes the directory, or opens it. */
MUST_CHECK enum result dataset_open(struct dataset **dataset, const char *path,
                                    const struct dataset_identity *identity, struct err *err);

/** NULL is fine. */
void dataset_close(struct dataset *dataset);

/** The endpoint's; `how` stands for the options that its rows are made with: E-ARG1 if those were others. */
MUST_CHECK enum result dataset_find_table(struct dataset *dataset, struct str endpoint,
                                          struct str how, struct dataset_table **table,
                                          struct err *err);

const struct known_types *dataset_known(const struct dataset_table *table);
unsigned dataset_generation(const struct dataset_table *table);

struct dataset_part {
    uint64_t records, bytes, digest; /* of the run's, that it was made of */
    uint64_t rows;
    unsigned generation;
};

/** Whether the part is what would be made of those. `path` is that within the dataset. */
bool dataset_has(const struct dataset_table *table, struct str path,
                 const struct dataset_part *part);

/** The part is about to be made: once that is saved, it is removed when it is not asked for any more, whether or not
 *  dataset_put was reached. */
MUST_CHECK enum result dataset_foresee(struct dataset_table *table, struct str path, bool *is_new,
                                       struct err *err);

/** The part has been made, of the columns that `schema` says; no schema when it has no rows and no file. */
MUST_CHECK enum result dataset_put(struct dataset_table *table, struct str path,
                                   const struct dataset_part *part,
                                   const struct table_schema *schema, struct err *err);

/** Removes the parts below `prefix` that were not asked for by dataset_has or put since it was opened: how many? */
MUST_CHECK enum result dataset_drop_others(struct dataset_table *table, struct str prefix,
                                           uint64_t *dropped, struct err *err);

/** Writes _schema.json. */
MUST_CHECK enum result dataset_save(const struct dataset *dataset, struct err *err);

#endif
