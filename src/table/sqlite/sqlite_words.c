#include "table/sqlite/sqlite_words.h"

#include "table/table_spec.h"

enum result sqlite_table_fail(const struct sqlite_table *t, struct err *err)
{
    const char *path = t->target->path;

    switch (sqlite3_errcode(t->db)) {
    case SQLITE_NOMEM:
        return err_nomem(err, "writing to SQLite");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, RESULT_BUSY, "E-DB1",
                       "%s is locked: another program writes to it; try again when it has ended",
                       path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_set(err, RESULT_IO, "E-DB1", "%s may not be written to", path);
    case SQLITE_CANTOPEN:
        return err_set(err, RESULT_IO, "E-DB1", "%s cannot be opened or made", path);
    case SQLITE_NOTADB:
        return err_set(err, RESULT_IO, "E-DB1", "%s is no SQLite database", path);
    case SQLITE_FULL:
        return err_set(err, RESULT_FULL, "E-DB3", "no space is left for %s; it is as it was", path);
    default:
        return err_set(err, RESULT_IO, "E-DB3", "%s: SQLite says: %s", path, sqlite3_errmsg(t->db));
    }
}

enum result sqlite_words_name(struct buf *sql, struct str name)
{
    enum result result = buf_append_char(sql, '"');

    for (size_t i = 0; i < name.len && result == RESULT_OK; i++) {
        result =
            name.data[i] == '"' ? buf_append(sql, "\"\"", 2) : buf_append_char(sql, name.data[i]);
    }
    return result == RESULT_OK ? buf_append_char(sql, '"') : result;
}

enum result sqlite_words_keys(const struct sqlite_table *t, struct buf *sql)
{
    const struct table_spec *spec = t->target->spec;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < spec->key_count && result == RESULT_OK; i++) {
        result = buf_append_char(sql, i ? ',' : '(');
        result = result == RESULT_OK ? sqlite_words_name(sql, spec->key[i]) : result;
    }
    return result == RESULT_OK ? buf_append_char(sql, ')') : result;
}
