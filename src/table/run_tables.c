#include "table/run_tables.h"

#include "base/os.h"

#include <string.h>

#define FILE_NAME "tables.json"
#define FILE_MAX ((size_t)64 << 20)

struct str run_tables_name(const char *output)
{
    const char *slash = strrchr(output, '/');
    struct str name = str_view(slash ? slash + 1 : output);
    const char *dot = name.len > 1 ? os_memrchr(name.data + 1, '.', name.len - 1) : NULL;

    name.len = dot ? (size_t)(dot - name.data) : name.len;
    return name;
}

struct table_schema *run_tables_read(const struct run_dir *dir, struct str name)
{
    struct table_schema *schema = NULL;
    struct buf json = { 0 };

    if (run_dir_read(dir, FILE_NAME, FILE_MAX, &json, NULL) != RESULT_OK ||
        table_schema_read(&schema, buf_view(&json), name) != RESULT_OK) {
        schema = NULL;
    }
    buf_release(&json);
    return schema;
}

enum result run_tables_write(const struct run_dir *dir, struct str name,
                             const struct table_schema *schema, struct err *err)
{
    struct buf old = { 0 }, json = { 0 };
    enum result result;

    if (run_dir_read(dir, FILE_NAME, FILE_MAX, &old, NULL) != RESULT_OK) {
        buf_reset(&old);
    }
    result = table_schema_write(schema, name, buf_view(&old), &json);
    result = result == RESULT_OK ? run_dir_replace(dir, FILE_NAME, buf_view(&json), err)
                                 : err_nomem(err, "writing " FILE_NAME);
    buf_release(&old);
    buf_release(&json);
    return result;
}
