/*
 * A table that is not what was expected of it: it is written all the same, under other names, and what was there stays.
 *
 *   items.csv.gz   items.rejected.csv.gz
 *   data.db        data.rejected.db, with the table alone, made anew: a key says nothing there
 *   items.sql      items.rejected.sql, for a table called items_rejected
 *   postgres://... there, a table called items_rejected, made anew
 *   -              nothing: who reads it gets no row
 */
#include "table/packing.h"
#include "table/table_build_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD ".rejected"

/* Bytes of the name's endings: ".csv.gz", those that say the format, or none. */
static size_t endings_of(const struct table_output *output, const char *name)
{
    const char *end = name + strlen(name), *dot = strrchr(name, '.');

    if (!dot || dot == name) {
        return 0;
    }
    if (output->packing) {
        const char *before = dot - 1;

        while (before > name && *before != '.') {
            before--;
        }
        dot = before > name &&
                      table_format_ending((struct str){ before + 1, (size_t)(end - before - 1) })
                  ? before
                  : dot;
    } else if (!table_format_ending(str_view(dot + 1))) {
        dot = end;
    }
    return (size_t)(end - dot);
}

static char *name_aside(const struct table_output *output)
{
    if (output->format->may_be_away) {
        return str_dup(str_view(output->path));
    }
    const char *slash = strrchr(output->path, '/');
    size_t len = strlen(output->path);
    size_t endings = endings_of(output, slash ? slash + 1 : output->path);
    char *path = malloc(len + sizeof WORD);

    if (path) {
        snprintf(path, len + sizeof WORD, "%.*s" WORD "%s", (int)(len - endings), output->path,
                 output->path + (len - endings));
    }
    return path;
}

/* The table's name in a database. */
static enum result name_table(struct table_build *b)
{
    struct str name = b->spec.table;

    for (size_t i = 0; i < b->output_count && !name.data; i++) {
        name = b->outputs[i].format->may_be_away ? STR("items") : name; /* its place stays */
    }
    if (!name.data) {
        return RESULT_OK;
    }
    buf_reset(&b->aside_table);
    if (buf_append_str(&b->aside_table, name) != RESULT_OK ||
        buf_append_str(&b->aside_table, STR("_rejected")) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    b->aside.table = buf_view(&b->aside_table);
    return RESULT_OK;
}

enum result table_aside_begin(struct table_build *b, struct err *err)
{
    size_t count = 0;

    b->aside = b->spec;
    b->aside.key_count = 0;
    if (name_table(b) != RESULT_OK) {
        return err_nomem(err, "putting the table aside");
    }
    table_outputs_text(b->outputs, b->output_count, b->aside_of);
    for (size_t i = 0; i < b->output_count; i++) {
        struct table_output output = b->outputs[i];
        char *was = (char *)(uintptr_t)output.path;
        char *path = strcmp(was, "-") == 0 ? NULL : name_aside(&output);

        if (!path && strcmp(was, "-") != 0) {
            return err_nomem(err, "putting the table aside");
        }
        b->outputs[i].path = NULL;
        if (path) {
            output.path = path;
            b->outputs[count++] = output;
        }
        free(was);
    }
    b->output_count = b->report.output_count = count;
    b->written = !count;
    return RESULT_OK;
}

enum result table_aside_tell(const struct table_build *b, struct err *err)
{
    char names[TABLE_OUTPUTS_TEXT];

    return b->output_count
               ? err_set(err, RESULT_INVALID, "E-EXP1",
                         "the table is not what is expected: %s%s; it is in %s, and nothing was "
                         "written to %s",
                         b->report.verdict.broken[0],
                         b->report.verdict.count > 1 ? " (and more)" : "",
                         table_outputs_text(b->outputs, b->output_count, names), b->aside_of)
               : err_set(err, RESULT_INVALID, "E-EXP1",
                         "the table is not what is expected: %s%s; none is written",
                         b->report.verdict.broken[0],
                         b->report.verdict.count > 1 ? " (and more)" : "");
}
