#include "cmd/column_names.h"

#include <stdlib.h>

enum result column_names_missing(struct err *err)
{
    return err_set(err, RESULT_INVALID, "E-ARG1", "a column's name is missing");
}

size_t column_names_count(const char *list)
{
    size_t count = 1;

    for (; *list; list++) {
        count += *list == ',';
    }
    return count;
}

enum result column_names_read(const char *list, struct str **names, size_t *count, struct err *err)
{
    struct str rest = str_view(list);

    free(*names);
    *count = 0;
    *names = calloc(column_names_count(list), sizeof **names);
    if (!*names) {
        return err_nomem(err, "reading the command line");
    }
    while (rest.data) {
        struct str name = str_cut(&rest, ',');

        if (!name.len) {
            return column_names_missing(err);
        }
        (*names)[(*count)++] = name;
    }
    return RESULT_OK;
}
