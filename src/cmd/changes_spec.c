#include "cmd/changes_spec.h"

#include <stdlib.h>

/* The endpoint and those whose records it is asked for. */
static void mark_kin(const struct job *job, uint32_t endpoint, bool *kin)
{
    kin[endpoint] = true;
    while (job->endpoints[endpoint].has_parent) {
        endpoint = job->endpoints[endpoint].parent;
        kin[endpoint] = true;
    }
}

enum result changes_spec_init(struct changes_spec *spec, const struct job *job, uint32_t endpoint,
                              const char *records, const struct table_spec *table, struct err *err)
{
    enum result result;

    *spec = (struct changes_spec){ .names = calloc(table->pick_count + 1, sizeof *spec->names),
                                   .kin = calloc(job->endpoint_count, sizeof *spec->kin) };
    result = spec->names && spec->kin ? table_shape_init(&spec->shape, table, false, err)
                                      : err_nomem(err, "comparing rounds");
    if (result != RESULT_OK) {
        changes_spec_release(spec);
        return result;
    }
    mark_kin(job, endpoint, spec->kin);
    for (size_t i = 0; i < table->pick_count; i++) {
        spec->names[i] = table->picks[i].name;
    }
    spec->query = (struct ledger_answers_query){
        .endpoint = endpoint,
        .kin = spec->kin,
        .endpoint_count = job->endpoint_count,
        .has_pages = job->endpoints[endpoint].pages.kind != JOB_PAGES_NONE,
    };
    spec->rows = (struct record_rows_spec){
        .records = records,
        .shape = table->shape,
        .flatten = &spec->shape.flatten,
        .separator = table->separator,
        .unique = table->unique,
        .unique_count = table->unique_count,
        .with = table->with,
        .with_count = table->with_count,
        .columns = spec->names,
        .column_count = table->pick_count,
        .answer_max = (size_t)table_memory(table),
    };
    return RESULT_OK;
}

void changes_spec_release(struct changes_spec *spec)
{
    table_shape_release(&spec->shape);
    free(spec->names);
    free(spec->kin);
    spec->names = NULL;
    spec->kin = NULL;
}
