#include "table/endpoint_table.h"

#include "table/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "a" or "b=/x/y". A name may hold "=" if no "/" follows it. */
static struct table_pick pick_of(const char *text)
{
    const char *equals = strstr(text, "=/");

    if (!equals || equals == text) {
        return (struct table_pick){ .name = str_view(text) };
    }
    return (struct table_pick){ .name = { text, (size_t)(equals - text) },
                                .pointer = str_view(equals + 1) };
}

/* What is expected was checked when the job was read. */
static void expect(struct endpoint_table *t, const struct job_expect *from)
{
    struct table_expect *e = &t->spec.expect;
    struct err err;

    if (from->rows) {
        (void)!table_expect_rows(e, str_view(from->rows), &err);
    }
    if (from->fresh) {
        (void)!table_expect_fresh(e, str_view(from->fresh), &err);
    }
    e->types_frozen = from->types;
    for (size_t i = 0; i < from->unique_count; i++) {
        t->expect_unique[i] = str_view(from->unique[i]);
    }
    for (size_t i = 0; i < from->not_null_count; i++) {
        t->expect_not_null[i] = str_view(from->not_null[i]);
    }
    e->unique = t->expect_unique;
    e->unique_count = from->unique_count;
    e->not_null = t->expect_not_null;
    e->not_null_count = from->not_null_count;
}

static enum result fill_lists(struct endpoint_table *t, const struct job *job,
                              const struct job_endpoint *endpoint)
{
    const struct job_table *table = &endpoint->table;
    bool polled = job->poll.every_us > 0;

    t->picks = calloc(table->column_count + 1, sizeof *t->picks);
    t->unique = calloc(table->unique_count + 1, sizeof *t->unique);
    t->with = calloc(endpoint->with_count + 1, sizeof *t->with);
    t->expect_unique = calloc(table->expect.unique_count + 1, sizeof *t->expect_unique);
    t->expect_not_null = calloc(table->expect.not_null_count + 1, sizeof *t->expect_not_null);
    if (!t->picks || !t->unique || !t->with || !t->expect_unique || !t->expect_not_null) {
        return RESULT_NOMEM;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        t->picks[i] = pick_of(table->columns[i]);
        t->picks[i].wish =
            table->wishes ? table->wishes[i] : (struct column_wish){ .type = COLUMN_ANY };
    }
    for (size_t i = 0; i < table->unique_count; i++) {
        t->unique[i] = str_view(table->unique[i]);
    }
    expect(t, &table->expect);
    if (polled && !table->meta) { /* each round is a record of its own: of which time? */
        t->with[t->spec.with_count++] = STR("_fetched_at");
    }
    for (size_t i = 0; i < endpoint->with_count; i++) {
        t->with[t->spec.with_count++] = str_view(endpoint->with[i]);
    }
    return RESULT_OK;
}

enum result endpoint_table_init(struct endpoint_table *t, const struct job *job, uint32_t endpoint,
                                struct err *err)
{
    const struct job_endpoint *from = &job->endpoints[endpoint];
    const struct job_table *table = &from->table;

    *t = (struct endpoint_table){
        .records = from->records,
        .spec = { .shape = from->shape,
                  .explode = table->explode,
                  .where_present = table->where_present ? str_view(table->where_present) : STR_NONE,
                  .coerce = table->types,
                  .assume_utc = table->assume_utc,
                  .meta = table->meta,
                  .types = true,
                  .pick_count = table->column_count,
                  .table = str_view(from->name),
                  .key_count = table->unique_count,
                  .unique_count = table->unique_count,
                  .keep = table->keep },
    };
    if (fill_lists(t, job, from) != RESULT_OK) {
        endpoint_table_release(t);
        return err_nomem(err, "starting a table");
    }
    t->spec.picks = t->picks;
    t->spec.unique = t->spec.key = t->unique;
    t->spec.with = t->with;
    if (t->spec.with_count > TABLE_WITH_MAX) {
        endpoint_table_release(t);
        return err_set(err, RESULT_LIMIT, "E-TAB5", "%s: more than %d columns in \"with\"",
                       from->name, TABLE_WITH_MAX);
    }
    return RESULT_OK;
}

void endpoint_table_release(struct endpoint_table *t)
{
    free(t->picks);
    free(t->unique);
    free(t->with);
    free(t->expect_unique);
    free(t->expect_not_null);
    *t = (struct endpoint_table){ .records = NULL };
}

char *endpoint_table_path(const struct job *job, uint32_t endpoint, const char *dir,
                          const char *ending)
{
    const struct table_format *format = table_format_ending(str_view(ending));
    const char *name = format && format->has_place ? job->name : job->endpoints[endpoint].name;
    size_t size = strlen(dir) + strlen(name) + strlen(ending) + 3;
    char *path = malloc(size);

    if (path) {
        snprintf(path, size, "%s/%s.%s", dir, name, ending);
    }
    return path;
}
