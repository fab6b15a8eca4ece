/**
 * tables.json in a run's directory: the columns of the tables that were last made of it.
 *
 * Kept so that the next table can say what is new, gone or of another type. A table is called by its
 * file's name without the ending, so CSV and Parquet of the same name are one.
 *
 * Errors   those of store/run_dir.h, RESULT_NOMEM. A file that is missing or makes no sense is one
 *          without tables: drift is never a reason to fail a table.
 * Threads  loop or main thread; the file is small.
 */
#ifndef SCRAPETOP_ENGINE_RUN_TABLES_H
#define SCRAPETOP_ENGINE_RUN_TABLES_H

#include "base/err.h"
#include "normalise/table_schema.h"
#include "store/run_dir.h"

/** The table that was last written to `output`, or NULL. The caller's to free. */
struct table_schema *run_tables_read(const struct run_dir *dir, const char *output);

MUST_CHECK enum result run_tables_write(const struct run_dir *dir, const char *output,
                                        const struct table_schema *schema, struct err *err);

#endif
