/**
 * The CREATE TABLE statement that a database wants for a table (normalise --ddl): a format without rows for each dialect.
 *
 * They are no rows of TABLE_FORMATS: what they write is no table.
 */
#ifndef SCRAPETOP_TABLE_DDL_FORMAT_H
#define SCRAPETOP_TABLE_DDL_FORMAT_H

#include "table/format.h"

#define DDL_WORDS "postgres duckdb clickhouse"

/** NULL: there is no such dialect. */
const struct table_format *ddl_format_named(struct str dialect);

#endif
