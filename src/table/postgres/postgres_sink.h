/**
 * PostgreSQL as a place for tables: the format of outputs that are a URL (postgres_place.h).
 *
 * It is no row of TABLE_FORMATS, as no file ends so. A server that is away is waited for five seconds, and then told of
 * (RESULT_BUSY): whoever has more time tries again.
 */
#ifndef SCRAPETOP_TABLE_POSTGRES_POSTGRES_SINK_H
#define SCRAPETOP_TABLE_POSTGRES_POSTGRES_SINK_H

#include "table/format.h"

extern const struct table_format postgres_sink;

#endif
