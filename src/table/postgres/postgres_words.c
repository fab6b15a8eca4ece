#include "table/postgres/postgres_words.h"

#include <string.h>

#define STAGE "scrapetop_new"
#define OTHER_STAGE "scrapetop_new_rows"

const char *postgres_stage_name(struct str table)
{
    return str_equal(table, STR(STAGE)) ? OTHER_STAGE : STAGE;
}

enum result postgres_check_name(struct str name, struct err *err)
{
    if (!name.len || name.len > POSTGRES_NAME_MAX || memchr(name.data, '\0', name.len)) {
        return err_set(
            err, RESULT_DENIED, "E-DB2",
            "\"%.*s\": PostgreSQL's names have 1 to %d bytes and no NUL; choose and name "
            "columns with --columns, the table with --table",
            (int)(name.len < 80 ? name.len : 80), name.data, POSTGRES_NAME_MAX);
    }
    return RESULT_OK;
}

enum result postgres_check_columns(const struct layout *layout, struct err *err)
{
    enum result result = RESULT_OK;

    if (layout->count > POSTGRES_COLUMNS_MAX) {
        return err_set(
            err, RESULT_DENIED, "E-DB2",
            "%u columns; PostgreSQL's tables have %d at most: choose some with --columns",
            (unsigned)layout->count, POSTGRES_COLUMNS_MAX);
    }
    for (uint32_t i = 0; i < layout->count && result == RESULT_OK; i++) {
        result = postgres_check_name(layout->columns[i].name, err);
    }
    return result;
}

/* Between two of `quote`, which is doubled within. */
static void put_quoted(struct buf *sql, struct str text, char quote, enum result *result)
{
    *result = *result == RESULT_OK ? buf_append_char(sql, quote) : *result;
    for (size_t i = 0; i < text.len && *result == RESULT_OK; i++) {
        if (text.data[i] == quote) {
            *result = buf_append_char(sql, quote);
        }
        *result = *result == RESULT_OK ? buf_append_char(sql, text.data[i]) : *result;
    }
    *result = *result == RESULT_OK ? buf_append_char(sql, quote) : *result;
}

void postgres_put(struct buf *sql, const char *text, enum result *result)
{
    *result = *result == RESULT_OK ? buf_append_str(sql, str_view(text)) : *result;
}

void postgres_put_name(struct buf *sql, struct str name, enum result *result)
{
    put_quoted(sql, name, '"', result);
}

void postgres_put_text(struct buf *sql, struct str text, enum result *result)
{
    put_quoted(sql, text, '\'', result);
}

const char *postgres_type(const struct layout_column *column)
{
    static const char *const types[TYPE_COUNT] = {
        [TYPE_TEXT] = "text",
        [TYPE_INT64] = "bigint",
        [TYPE_DOUBLE] = "double precision",
        [TYPE_BOOLEAN] = "boolean",
        [TYPE_TIMESTAMP] = "timestamp with time zone",
        [TYPE_LOCAL_TIMESTAMP] = "timestamp without time zone",
        [TYPE_DATE] = "date",
    };

    return types[column->decision.type];
}

bool postgres_has_values(const struct layout_column *column)
{
    return column->source != COLUMNS_NONE && (!column->facts || types_present(column->facts));
}
