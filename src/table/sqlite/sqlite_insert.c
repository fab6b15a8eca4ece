#include "table/sqlite/sqlite_insert.h"

#include "table/table_spec.h"

/* Of one statement. 16 rows of seven columns take three quarters of the instructions that 16 statements take; 64 rows
 * would save one in a hundred more. Wide rows gain nothing: what is bound outweighs all else. */
#define ROWS_AT_ONCE_MAX 16
#define VALUES_AT_ONCE_MAX 1024

/* ("a" COLLATE BINARY,"b" COLLATE BINARY), or (excluded."a",excluded."b"): all but the key's */
static enum result add_others(const struct sqlite_table *t, struct str before, struct str after,
                              struct buf *sql)
{
    enum result result = RESULT_OK;
    bool any = false;

    for (uint32_t i = 0; i < t->count && result == RESULT_OK; i++) {
        if (t->columns[i].is_key) {
            continue;
        }
        result = buf_append_char(sql, any ? ',' : '(');
        result = result == RESULT_OK ? buf_append_str(sql, before) : result;
        result = result == RESULT_OK ? sqlite_words_name(sql, t->columns[i].name) : result;
        result = result == RESULT_OK ? buf_append_str(sql, after) : result;
        any = true;
    }
    return result == RESULT_OK ? buf_append_char(sql, ')') : result;
}

static bool has_others(const struct sqlite_table *t)
{
    uint32_t i = 0;

    while (i < t->count && t->columns[i].is_key) {
        i++;
    }
    return i < t->count;
}

/* What happens to the other columns where the key is there already. A row that is the same is left alone, so that
 * triggers see changes only; its pages would stay as they are anyway. One comparison of lists, as the depth of expressions
 * is bounded; a column's own collation does not make one text of two. */
static enum result add_update(const struct sqlite_table *t, struct buf *sql)
{
    enum result result = buf_append_str(sql, STR(" ON CONFLICT "));
    bool any = false;

    result = result == RESULT_OK ? sqlite_words_keys(t, sql) : result;
    if (result == RESULT_OK && !has_others(t)) {
        return buf_append_str(sql, STR(" DO NOTHING"));
    }
    for (uint32_t i = 0; i < t->count && result == RESULT_OK; i++) {
        if (t->columns[i].is_key) {
            continue;
        }
        result = buf_append_str(sql, any ? STR(",") : STR(" DO UPDATE SET "));
        result = result == RESULT_OK ? sqlite_words_name(sql, t->columns[i].name) : result;
        result = result == RESULT_OK ? buf_append_str(sql, STR("=excluded.")) : result;
        result = result == RESULT_OK ? sqlite_words_name(sql, t->columns[i].name) : result;
        any = true;
    }
    result = result == RESULT_OK ? buf_append_str(sql, STR(" WHERE ")) : result;
    result = result == RESULT_OK ? add_others(t, STR(""), STR(" COLLATE BINARY"), sql) : result;
    result = result == RESULT_OK ? buf_append_str(sql, STR(" IS NOT ")) : result;
    return result == RESULT_OK ? add_others(t, STR("excluded."), STR(""), sql) : result;
}

/* (?,?),(?,?) */
static enum result add_values(const struct sqlite_table *t, uint32_t rows, struct buf *sql)
{
    enum result result = RESULT_OK;

    for (uint32_t row = 0; row < rows && result == RESULT_OK; row++) {
        result = row ? buf_append_char(sql, ',') : RESULT_OK;
        for (uint32_t i = 0; i < t->count && result == RESULT_OK; i++) {
            result = buf_append(sql, i ? ",?" : "(?", 2);
        }
        result = result == RESULT_OK ? buf_append_char(sql, ')') : result;
    }
    return result;
}

uint32_t sqlite_table_rows_at_once(const struct sqlite_table *t)
{
    uint32_t rows = t->count < VALUES_AT_ONCE_MAX ? VALUES_AT_ONCE_MAX / t->count : 1;

    return rows < ROWS_AT_ONCE_MAX ? rows : ROWS_AT_ONCE_MAX;
}

enum result sqlite_table_insert(const struct sqlite_table *t, uint32_t rows, sqlite3_stmt **insert,
                                struct err *err)
{
    struct buf sql = { 0 };
    enum result result = buf_append_str(&sql, STR("INSERT INTO "));

    result = result == RESULT_OK ? sqlite_words_name(&sql, t->name) : result;
    for (uint32_t i = 0; i < t->count && result == RESULT_OK; i++) {
        result = buf_append_char(&sql, i ? ',' : '(');
        result = result == RESULT_OK ? sqlite_words_name(&sql, t->columns[i].name) : result;
    }
    result = result == RESULT_OK ? buf_append_str(&sql, STR(") VALUES ")) : result;
    result = result == RESULT_OK ? add_values(t, rows, &sql) : result;
    if (result == RESULT_OK && t->target->spec->key_count) {
        result = add_update(t, &sql);
    }
    if (result != RESULT_OK || !buf_cstr(&sql)) {
        result = err_nomem(err, "writing to SQLite");
    } else if (sqlite3_prepare_v3(t->db, buf_cstr(&sql), -1, SQLITE_PREPARE_PERSISTENT, insert,
                                  NULL) != SQLITE_OK) {
        result = sqlite_table_fail(t, err);
    }
    buf_release(&sql);
    return result;
}
