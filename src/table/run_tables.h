/**
 * tables.json in a run's directory: the columns of the tables that were last made of it.
 *
 * Kept so that the next table can say what is new, gone or of another type. A table that is made as its
 * job says is kept under its endpoint's name, whatever file it goes to: what `n` wrote and what the run
 * ends with are one, and so are CSV and Parquet. One that options have given other columns is not to be
 * compared with it, and is kept under its own file's name.
 *
 * Errors   those of store/run_dir.h, RESULT_NOMEM. A file that is missing or makes no sense is one
 *          without tables: drift is never a reason to fail a table.
 * Threads  loop or main thread; the file is small.
 */
#ifndef SCRAPETOP_TABLE_RUN_TABLES_H
#define SCRAPETOP_TABLE_RUN_TABLES_H

#include "base/err.h"
#include "store/run_dir.h"
#include "table/table_schema.h"

/** "t" of "/x/t.csv": a view into `output`. */
struct str run_tables_name(const char *output);

/** The last table that was kept under `name`, or NULL. The caller's to free. */
struct table_schema *run_tables_read(const struct run_dir *dir, struct str name);

MUST_CHECK enum result run_tables_write(const struct run_dir *dir, struct str name,
                                        const struct table_schema *schema, struct err *err);

#endif
