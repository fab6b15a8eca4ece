#include "table/contract.h"

#include "base/moment.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "table/table_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_MS_MIN 100000000000 /* a number as large is milliseconds since 1970 */

struct contract {
    const struct table_spec *spec;
    const struct table_expect *expect;
    uint32_t *unique, *not_null; /* columns of the tree, or COLUMNS_NONE */
    uint32_t fresh;
};

/* "/a/b" is the column of that path, if it is called so, as well as the one of that name. */
static uint32_t find(const struct table_spec *spec, const struct columns *columns, struct str name)
{
    uint32_t column = layout_find_column(spec, columns, name);
    struct str separator = str_view(spec->separator ? spec->separator : ".");
    struct buf path = { 0 };
    enum result result = RESULT_OK;

    if (column != COLUMNS_NONE || !name.len || name.data[0] != '/') {
        return column;
    }
    for (size_t i = 1; i < name.len && result == RESULT_OK; i++) {
        result = name.data[i] == '/' ? buf_append_str(&path, separator)
                                     : buf_append_char(&path, name.data[i]);
    }
    column =
        result == RESULT_OK ? layout_find_column(spec, columns, buf_view(&path)) : COLUMNS_NONE;
    buf_release(&path);
    return column;
}

static uint32_t *find_all(const struct table_spec *spec, const struct columns *columns,
                          const struct str *names, size_t count)
{
    uint32_t *list = calloc(count + 1, sizeof *list);

    for (size_t i = 0; list && i < count; i++) {
        list[i] = find(spec, columns, names[i]);
    }
    return list;
}

enum result contract_new(struct contract **contract, const struct table_spec *spec,
                         const struct columns *columns, struct err *err)
{
    const struct table_expect *e = &spec->expect;
    struct contract *c;

    *contract = NULL;
    if (!table_expect_any(e)) {
        return RESULT_OK;
    }
    c = calloc(1, sizeof *c);
    if (!c) {
        return err_nomem(err, "judging the table");
    }
    c->spec = spec;
    c->expect = e;
    c->unique = find_all(spec, columns, e->unique, e->unique_count);
    c->not_null = find_all(spec, columns, e->not_null, e->not_null_count);
    c->fresh = e->fresh.data ? find(spec, columns, e->fresh) : COLUMNS_NONE;
    if (!c->unique || !c->not_null) {
        contract_free(c);
        return err_nomem(err, "judging the table");
    }
    *contract = c;
    return RESULT_OK;
}

void contract_free(struct contract *c)
{
    if (c) {
        free(c->unique);
        free(c->not_null);
        free(c);
    }
}

/* --- rows ---------------------------------------------------------------------------------------------- */

static const struct row_cell *cell_of(const struct row *row, uint32_t column)
{
    return column < row->count ? row_cell(row, column) : NULL;
}

/* A text as RFC 3339 has it, or a whole number of seconds or milliseconds since 1970. */
static bool time_of(const struct row_cell *cell, int64_t *us)
{
    struct str text = { cell->text, cell->len };
    uint64_t number;

    if (timestamp_parse(text, us)) {
        return true;
    }
    if (!str_to_u64(text, &number) || number > INT64_MAX / 1000000) {
        return false;
    }
    *us = (int64_t)number * (number >= EPOCH_MS_MIN ? 1000 : 1000000);
    return true;
}

enum result contract_look(const struct contract *c, struct contract_tally *tally,
                          const struct row *row, struct str *missing, struct err *err)
{
    const struct row_cell *time = cell_of(row, c->fresh);
    int64_t us;

    *missing = STR_NONE;
    if (!tally->nulls) {
        tally->nulls = calloc(c->expect->not_null_count + 1, sizeof *tally->nulls);
        if (!tally->nulls) {
            return err_nomem(err, "judging the table");
        }
    }
    tally->rows++;
    for (size_t i = 0; i < c->expect->not_null_count; i++) {
        if (!cell_of(row, c->not_null[i])) {
            tally->nulls[i]++;
            *missing = missing->data ? *missing : c->expect->not_null[i];
        }
    }
    if (time && time_of(time, &us) && (!tally->has_time || us > tally->latest_us)) {
        tally->latest_us = us;
        tally->has_time = true;
    }
    return RESULT_OK;
}

void contract_tally_release(struct contract_tally *tally)
{
    free(tally->nulls);
    *tally = (struct contract_tally){ .rows = 0 };
}

bool contract_has_keys(const struct contract *c)
{
    return c->expect->unique_count > 0;
}

enum result contract_add_key(const struct contract *c, struct buf *keys, const struct row *row,
                             bool is_wanted)
{
    const struct dedup_by by = { c->unique, c->expect->unique_count, 0 };

    for (size_t i = 0; i < by.count; i++) {
        is_wanted &= c->unique[i] < row->count;
    }
    return dedup_add_key(keys, row, &by, is_wanted);
}

/* --- judging ------------------------------------------------------------------------------------------- */

static uint64_t rows_of(const struct contract_facts *facts)
{
    uint64_t rows = 0;

    for (size_t i = 0; i < facts->tally_count; i++) {
        rows += facts->tallies[i].rows;
    }
    return rows;
}

static void judge_rows(const struct contract *c, const struct contract_facts *facts,
                       struct buf *out)
{
    uint64_t rows = rows_of(facts);

    if (!table_expect_holds(c->expect, rows)) {
        (void)!buf_printf(out, "rows %s %llu: there %s %llu", c->expect->order,
                          (unsigned long long)c->expect->rows, rows == 1 ? "is" : "are",
                          (unsigned long long)rows);
    }
}

static void append_names(struct buf *out, const struct str *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)!buf_printf(out, "%s%.*s", i ? "," : "", STR_ARG(names[i]));
    }
}

static void judge_unique(const struct contract *c, const struct contract_facts *facts,
                         struct buf *out)
{
    const struct table_expect *e = c->expect;
    uint64_t more = facts->keys ? dedup_dropped(facts->keys) : 0;

    for (size_t i = 0; i < e->unique_count; i++) {
        if (c->unique[i] == COLUMNS_NONE && rows_of(facts)) {
            (void)!buf_printf(out, "unique: no record has the column %.*s", STR_ARG(e->unique[i]));
            return;
        }
    }
    if (!more) {
        return;
    }
    (void)!buf_printf(out, "unique ");
    append_names(out, e->unique, e->unique_count);
    (void)!buf_printf(out,
                      ": %llu row%s %s values that another has, first: ", (unsigned long long)more,
                      units_plural(more), more == 1 ? "has" : "have");
    for (unsigned i = 0; i < dedup_example_count(facts->keys); i++) {
        (void)!buf_printf(out, "%s%s", i ? "; " : "", dedup_example(facts->keys, i));
    }
}

static void judge_nulls(const struct contract *c, const struct contract_facts *facts,
                        struct buf *out)
{
    const struct table_expect *e = c->expect;

    for (size_t i = 0; i < e->not_null_count; i++) {
        uint64_t nulls = 0;

        for (size_t n = 0; n < facts->tally_count; n++) {
            nulls += facts->tallies[n].nulls ? facts->tallies[n].nulls[i] : 0;
        }
        if (nulls) {
            (void)!buf_printf(out, "%s%.*s: %llu row%s without a value",
                              out->len ? ", " : "not_null ", STR_ARG(e->not_null[i]),
                              (unsigned long long)nulls, units_plural(nulls));
        }
    }
    if (out->len && facts->first_null) {
        (void)!buf_printf(out, ", first: %s", facts->first_null);
    }
}

static void list_drift(void *context, const struct drift *drift)
{
    struct buf *out = context;

    (void)!buf_printf(out, "%s%.*s ", out->len ? ", " : "types frozen: ", STR_ARG(drift->name));
    switch (drift->kind) {
    case DRIFT_NEW:
        (void)!buf_printf(out, "is new");
        break;
    case DRIFT_GONE:
        (void)!buf_printf(out, "is gone");
        break;
    case DRIFT_TYPE:
        (void)!buf_printf(out, "is %s, was %s", type_name(drift->now), type_name(drift->before));
        break;
    }
}

static void judge_types(const struct contract *c, const struct contract_facts *facts,
                        struct buf *out)
{
    if (c->expect->types_frozen && facts->before && facts->now) {
        table_schema_compare(facts->before, facts->now, list_drift, out);
    }
}

static void judge_fresh(const struct contract *c, const struct contract_facts *facts,
                        struct buf *out)
{
    const struct table_expect *e = c->expect;
    char allowed[UNITS_TEXT_MAX], age[UNITS_TEXT_MAX];
    int64_t latest_us = INT64_MIN;

    for (size_t i = 0; i < facts->tally_count; i++) {
        const struct contract_tally *t = &facts->tallies[i];

        latest_us = t->has_time && t->latest_us > latest_us ? t->latest_us : latest_us;
    }
    if (!e->fresh.data ||
        (latest_us != INT64_MIN &&
         (latest_us > facts->wall_us || (uint64_t)(facts->wall_us - latest_us) < e->fresh_us))) {
        return;
    }
    units_format_time(e->fresh_us, allowed);
    if (latest_us == INT64_MIN) {
        (void)!buf_printf(out, "fresh %.*s < %s: %s", STR_ARG(e->fresh), allowed,
                          c->fresh == COLUMNS_NONE ? "no record has that column"
                                                   : "no value there is a time");
        return;
    }
    units_format_time((uint64_t)(facts->wall_us - latest_us), age);
    (void)!buf_printf(out, "fresh %.*s < %s: the latest is %s old", STR_ARG(e->fresh), allowed,
                      age);
}

/* A row for each kind of promise. */
static void (*const judges[CONTRACT_BROKEN_MAX])(const struct contract *,
                                                 const struct contract_facts *, struct buf *) = {
    judge_rows, judge_unique, judge_nulls, judge_types, judge_fresh,
};

void contract_judge(const struct contract *c, const struct contract_facts *facts,
                    struct contract_verdict *verdict)
{
    *verdict = (struct contract_verdict){ .count = 0 };
    for (size_t i = 0; i < CONTRACT_BROKEN_MAX; i++) {
        struct buf words = { 0 };

        judges[i](c, facts, &words);
        if (words.len) {
            snprintf(verdict->broken[verdict->count++], CONTRACT_TEXT, "%.*s",
                     STR_ARG(buf_view(&words)));
        }
        buf_release(&words);
    }
}
