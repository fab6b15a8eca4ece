#include "table/table_report.h"

#include "base/exit_code.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/say.h"
#include "base/units.h"
#include "base/utf8.h"

#include <string.h>

#define LIST_COLUMNS 600
#define LIST_NAMED 10 /* names in a list for people; the rest are counted */

uint64_t table_report_skipped(const struct table_report *report)
{
    uint64_t count = 0;

    for (int i = 0; i < TABLE_SKIP_COUNT; i++) {
        count += report->skipped[i].count;
    }
    return count;
}

bool table_reader_is_gone(const struct err *err)
{
    return strcmp(err->code, "E-OUT4") == 0;
}

bool table_is_to_send_again(const struct err *err)
{
    return strcmp(err->code, "E-DB4") == 0;
}

int table_exit_code(enum result result, const char *code)
{
    bool is_output =
        strncmp(code, "E-OUT", 5) == 0 || strcmp(code, "E-DB1") == 0 || strcmp(code, "E-DB4") == 0;

    if (strcmp(code, "E-EXP1") == 0) {
        return EXIT_UNEXPECTED;
    }

    switch (result) {
    case RESULT_OK:
        return EXIT_WELL;
    case RESULT_CANCELLED:
        return EXIT_INTERRUPTED;
    case RESULT_NOT_FOUND: /* not where it was looked for, or more than there is room for */
    case RESULT_LIMIT:
        return is_output ? EXIT_STORAGE : EXIT_INCOMPLETE;
    case RESULT_INVALID: /* a pointer, or an input that may not be read, is the user's */
    case RESULT_DENIED:
    case RESULT_BUSY:
        return is_output ? EXIT_STORAGE : EXIT_USAGE;
    case RESULT_FULL:
    case RESULT_IO:
    case RESULT_CORRUPT:
        return EXIT_STORAGE;
    case RESULT_NOMEM:
        break;
    }
    return EXIT_INTERNAL;
}

static void print_skips(const struct table_report *report, FILE *stream)
{
    for (int i = 0; i < TABLE_NAMED_COUNT; i++) {
        const struct table_skips *skips = &report->skipped[i];

        if (skips->count && i == TABLE_ODD_CELLS) {
            say(stream,
                "scrapetop: %llu row%s with more or fewer cells than the header: what is "
                "too many stands in \"_more\"",
                (unsigned long long)skips->count, units_plural(skips->count));
        } else if (skips->count && i == TABLE_BAD_CELLS) {
            say(stream, "scrapetop: in %llu row%s a value is not of the type that is declared:",
                (unsigned long long)skips->count, units_plural(skips->count));
        } else if (skips->count) {
            say(stream, "scrapetop: %llu skipped: %s", (unsigned long long)skips->count,
                table_skip_name((enum table_skip)i));
        }
        for (unsigned n = 0; n < skips->named; n++) {
            say(stream, "scrapetop:   %s", skips->first[n]);
        }
    }
}

/* A line of what may come from outside, cut where a terminal ends to be a place for it. */
static void print_cut(FILE *stream, struct str text)
{
    char safe[LIST_COLUMNS * 4];

    utf8_display(safe, sizeof safe, text, LIST_COLUMNS);
    say(stream, "scrapetop: %s", safe);
}

/* --- remarks on columns ------------------------------------------------------------------------------ */

/* A list of names, of which the first are told. */
struct list {
    struct buf *out;
    const char *between;
    uint64_t count;
    enum result result;
};

static bool list_begins(struct list *list)
{
    if (list->count++ >= LIST_NAMED || list->result != RESULT_OK) {
        return false;
    }
    if (list->count > 1) {
        list->result = buf_append_str(list->out, str_view(list->between ? list->between : ", "));
    }
    return list->result == RESULT_OK;
}

static enum result list_end(struct list *list)
{
    return list->result == RESULT_OK && list->count > LIST_NAMED
               ? buf_printf(list->out, " and %llu more",
                            (unsigned long long)(list->count - LIST_NAMED))
               : list->result;
}

struct drift_list {
    enum drift_kind kind;
    struct list list;
};

static void list_drift(void *context, const struct drift *drift)
{
    struct drift_list *d = context;

    if (drift->kind != d->kind || !list_begins(&d->list)) {
        return;
    }
    d->list.result = buf_append_str(d->list.out, drift->name);
    if (d->list.result == RESULT_OK && drift->kind == DRIFT_NEW) {
        d->list.result = buf_printf(d->list.out, " %s", type_name(drift->now));
    } else if (d->list.result == RESULT_OK && drift->kind == DRIFT_TYPE) {
        d->list.result =
            buf_printf(d->list.out, " %s, was %s", type_name(drift->now), type_name(drift->before));
    }
}

static enum result append_drift(const struct table_report *report, enum drift_kind kind,
                                struct buf *out)
{
    struct drift_list drift = { .kind = kind, .list = { .out = out } };

    if (report->before && report->schema) {
        table_schema_compare(report->before, report->schema, list_drift, &drift);
    }
    return list_end(&drift.list);
}

static enum result append_new(const struct table_report *report, struct buf *out)
{
    return append_drift(report, DRIFT_NEW, out);
}

static enum result append_gone(const struct table_report *report, struct buf *out)
{
    return append_drift(report, DRIFT_GONE, out);
}

static enum result append_retyped(const struct table_report *report, struct buf *out)
{
    return append_drift(report, DRIFT_TYPE, out);
}

/* "column price is text: 3 of 1,000 values are not numbers, first: record 17, "n/a"" */
static enum result append_conflicts(const struct table_report *report, struct buf *out)
{
    struct list list = { .out = out, .between = "; " };

    for (uint32_t i = 0; report->schema && i < report->schema->count; i++) {
        const struct schema_column *c = &report->schema->columns[i];

        if (!c->conflict || !list_begins(&list)) {
            continue;
        }
        list.result = buf_printf(out, "column %.*s is text: ", STR_ARG(c->name));
        list.result = list.result == RESULT_OK ? table_schema_append_odd(c, out) : list.result;
    }
    return list_end(&list);
}

static enum result append_rare(const struct table_report *report, struct buf *out)
{
    struct list list = { .out = out };

    for (uint32_t i = 0; report->schema && i < report->schema->count; i++) {
        const struct schema_column *c = &report->schema->columns[i];

        if (c->rare && list_begins(&list)) {
            list.result = buf_append_str(out, c->name);
        }
    }
    return list_end(&list);
}

enum result table_report_remark(const struct table_report *report, enum table_remark remark,
                                struct buf *out)
{
    static const struct {
        const char *words;
        enum result (*append)(const struct table_report *, struct buf *);
    } remarks[TABLE_REMARK_COUNT] = {
        [TABLE_REMARK_CONFLICT] = { "", append_conflicts },
        [TABLE_REMARK_RARE] = { "a value in under 1 % of the rows: ", append_rare },
        [TABLE_REMARK_NEW] = { "new since the last table: ", append_new },
        [TABLE_REMARK_GONE] = { "gone since the last table: ", append_gone },
        [TABLE_REMARK_TYPE] = { "changed since the last table: ", append_retyped },
    };
    struct buf names = { 0 };
    enum result result = remarks[remark].append(report, &names);

    if (result == RESULT_OK && names.len) {
        result = buf_append_str(out, str_view(remarks[remark].words));
        result = result == RESULT_OK ? buf_append_str(out, buf_view(&names)) : result;
    }
    buf_release(&names);
    return result;
}

static void print_remarks(const struct table_report *report, FILE *stream)
{
    for (int i = 0; i < TABLE_REMARK_COUNT; i++) {
        struct buf text = { 0 };

        if (table_report_remark(report, (enum table_remark)i, &text) == RESULT_OK && text.len) {
            print_cut(stream, buf_view(&text));
        }
        buf_release(&text);
    }
}

/* --- lines ---------------------------------------------------------------------------------------- */

static void print_count(FILE *stream, uint64_t count, const char *what, const char *then)
{
    if (count) {
        say(stream, "scrapetop: %llu %s%s%s", (unsigned long long)count, what, units_plural(count),
            then);
    }
}

void table_report_print(const struct table_report *report, FILE *stream)
{
    char names[TABLE_OUTPUTS_TEXT];
    char wall[UNITS_TEXT_MAX], bytes[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX];
    uint64_t wall_us = report->wall_us ? report->wall_us : 1;

    print_skips(report, stream);
    print_count(stream, report->duplicate_keys, "key",
                " stood twice in one object: the last was kept");
    print_count(stream, report->lone_surrogates, "escape", " of half a character became U+FFFD");
    print_count(stream, report->nulls, "null", " where a record should be: no row");
    for (unsigned i = 0; i < BODY_WAS_COUNT; i++) {
        if (report->read_as[i]) {
            say(stream, "scrapetop: of %llu document%s the text %s",
                (unsigned long long)report->read_as[i], units_plural(report->read_as[i]),
                body_was_words(1U << i));
        }
    }
    print_count(stream, report->columns_renamed, "column", " got a suffix, as the name was taken");
    print_count(stream, report->not_unique, "row",
                report->keep == ROW_KEEP_LAST
                    ? " dropped: not the last with the same --unique values"
                    : " dropped: not the first with the same --unique values");
    print_count(stream, report->not_present, "row",
                " dropped: no value in the --where-present column");
    print_count(stream, report->later, "record", " left out: came after --as-of");
    print_remarks(report, stream);
    for (unsigned i = 0; i < report->verdict.count; i++) {
        say(stream, "scrapetop: expected: %s", report->verdict.broken[i]);
    }
    if (report->result != RESULT_OK) {
        return;
    }
    units_format_time(report->wall_us, wall);
    units_format_bytes(report->bytes_in, bytes);
    units_format_bytes((uint64_t)((double)report->bytes_in * 1e6 / (double)wall_us), rate);
    say(stream, "scrapetop: %llu row%s, %u column%s from %llu record%s (%s) in %s (%s/s): %s",
        (unsigned long long)report->rows, units_plural(report->rows), report->columns,
        units_plural(report->columns), (unsigned long long)report->records,
        units_plural(report->records), bytes, wall, rate,
        table_outputs_text(report->outputs, report->output_count, names));
}

static void write_skips(struct json_writer *w, const char *key, const struct table_skips *skips)
{
    char safe[TABLE_SKIP_TEXT * 4];

    json_write_object(w, key);
    json_write_uint(w, "count", skips->count);
    json_write_array(w, "first");
    for (unsigned n = 0; n < skips->named; n++) {
        utf8_display(safe, sizeof safe, str_view(skips->first[n]), sizeof safe);
        json_write_text(w, NULL, str_view(safe));
    }
    json_write_array_end(w);
    json_write_object_end(w);
}

/* What keeps the column from a type: how many values, and the first of them. */
static void write_odd(struct json_writer *w, const struct schema_odd *odd)
{
    char safe[sizeof odd->text * 4];

    json_write_object(w, "odd");
    json_write_uint(w, "count", odd->is.count);
    json_write_text(w, odd->is.is_not ? "not" : "are", str_view(odd->is.plural));
    if (odd->is_placed) {
        utf8_display(safe, sizeof safe, str_view(odd->text), sizeof safe);
        json_write_uint(w, "first_record", odd->record);
        json_write_text(w, "value", str_view(safe));
    }
    json_write_object_end(w);
}

static void write_column(struct json_writer *w, const struct schema_column *c)
{
    struct buf kinds = { 0 };

    json_write_object(w, NULL);
    json_write_text(w, "name", c->name);
    json_write_text(w, "type", str_view(type_name(c->type)));
    json_write_uint(w, "values", c->present);
    if (c->rare) {
        json_write_bool(w, "rare", true);
    }
    if (c->coerced) {
        json_write_bool(w, "coerced", true);
    }
    if (c->conflict) {
        w->result = w->result == RESULT_OK ? table_schema_append_kinds(c, &kinds) : w->result;
        json_write_text(w, "conflict", buf_view(&kinds));
        write_odd(w, c->odd);
    }
    json_write_object_end(w);
    buf_release(&kinds);
}

static void write_schema(struct json_writer *w, const struct table_schema *schema)
{
    json_write_array(w, "schema");
    for (uint32_t i = 0; i < schema->count; i++) {
        write_column(w, &schema->columns[i]);
    }
    json_write_array_end(w);
}

struct drift_writer {
    struct json_writer *w;
    enum drift_kind kind;
};

static void write_one_drift(void *context, const struct drift *drift)
{
    struct drift_writer *d = context;

    if (drift->kind != d->kind) {
        return;
    }
    json_write_object(d->w, NULL);
    json_write_text(d->w, "name", drift->name);
    if (drift->kind != DRIFT_NEW) {
        json_write_text(d->w, "before", str_view(type_name(drift->before)));
    }
    if (drift->kind != DRIFT_GONE) {
        json_write_text(d->w, "now", str_view(type_name(drift->now)));
    }
    json_write_object_end(d->w);
}

static void write_drift(struct json_writer *w, const struct table_report *r)
{
    static const char *const names[] = {
        [DRIFT_NEW] = "new", [DRIFT_GONE] = "gone", [DRIFT_TYPE] = "type"
    };

    json_write_object(w, "drift");
    for (int kind = DRIFT_NEW; kind <= DRIFT_TYPE; kind++) {
        struct drift_writer drift = { w, (enum drift_kind)kind };

        json_write_array(w, names[kind]);
        table_schema_compare(r->before, r->schema, write_one_drift, &drift);
        json_write_array_end(w);
    }
    json_write_object_end(w);
}

static void write_error(struct json_writer *w, const struct err *err)
{
    json_write_object(w, "error");
    json_write_text(w, "code", str_view(err->code));
    json_write_text(w, "text", str_view(err->text));
    json_write_object_end(w);
}

static void write_skipped(struct json_writer *w, const struct table_report *r)
{
    static const char *const names[TABLE_SKIP_COUNT] = {
        [TABLE_SKIP_INVALID] = "invalid",
        [TABLE_SKIP_OTHER] = "not_json",
        [TABLE_SKIP_NO_MATCH] = "no_match",
        [TABLE_SKIP_DAMAGED] = "damaged",
    };

    json_write_object(w, "skipped");
    for (int i = 0; i < TABLE_SKIP_COUNT; i++) {
        write_skips(w, names[i], &r->skipped[i]);
    }
    json_write_object_end(w);
    json_write_object(w, "odd_cells");
    write_skips(w, "rows", &r->skipped[TABLE_ODD_CELLS]);
    json_write_object_end(w);
    json_write_object(w, "bad_cells");
    write_skips(w, "rows", &r->skipped[TABLE_BAD_CELLS]);
    json_write_object_end(w);
}

/* Only what there was. */
static void write_read_as(struct json_writer *w, const struct table_report *r)
{
    json_write_object(w, "read_as");
    for (unsigned i = 0; i < BODY_WAS_COUNT; i++) {
        if (r->read_as[i]) {
            json_write_uint(w, body_was_name(1U << i), r->read_as[i]);
        }
    }
    json_write_object_end(w);
}

/* Seconds, rounded to milliseconds. */
static void write_seconds(struct json_writer *w, const char *key, uint64_t us)
{
    json_write_fixed(w, key, (int64_t)((us + 500) / 1000), 3);
}

static void write_counts(struct json_writer *w, const struct table_report *r)
{
    json_write_uint(w, "records", r->records);
    json_write_uint(w, "rows", r->rows);
    json_write_uint(w, "columns", r->columns);
    json_write_uint(w, "renamed", r->columns_renamed);
    json_write_uint(w, "not_unique", r->not_unique);
    json_write_uint(w, "not_present", r->not_present);
    json_write_uint(w, "later", r->later);
    json_write_uint(w, "duplicate_keys", r->duplicate_keys);
    json_write_uint(w, "lone_surrogates", r->lone_surrogates);
    json_write_uint(w, "empty", r->empty);
    json_write_uint(w, "nulls", r->nulls);
    json_write_uint(w, "bytes_in", r->bytes_in);
    json_write_uint(w, "bytes_out", r->bytes_out);
    write_seconds(w, "wall_s", r->wall_us);
    write_seconds(w, "cpu_s", r->cpu_us);
}

/* Promises that the table does not keep. */
static void write_unexpected(struct json_writer *w, const struct table_report *r)
{
    json_write_array(w, "unexpected");
    for (unsigned i = 0; i < r->verdict.count; i++) {
        json_write_text(w, NULL, str_view(r->verdict.broken[i]));
    }
    json_write_array_end(w);
}

static void write_files(struct json_writer *w, const struct table_report *r)
{
    json_write_array(w, "files");
    for (size_t i = 0; i < r->made_count; i++) {
        json_write_object(w, NULL);
        json_write_text(w, "path", str_view(r->outputs[i].path));
        json_write_text(w, "format", str_view(r->outputs[i].format->name));
        json_write_uint(w, "bytes", r->made_bytes[i]);
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

enum result table_report_json(const struct table_report *r, struct buf *out)
{
    struct json_writer w = json_write_begin(out);

    json_write_object(&w, NULL);
    if (r->verdict.count) {
        write_unexpected(&w, r);
    } else {
        json_write_text(&w, "output", str_view(r->outputs[0].path));
        write_files(&w, r);
    }
    write_counts(&w, r);
    write_read_as(&w, r);
    write_skipped(&w, r);
    if (r->schema) {
        write_schema(&w, r->schema);
    }
    if (r->schema && r->before) {
        write_drift(&w, r);
    }
    if (r->result != RESULT_OK) {
        write_error(&w, &r->err);
    }
    json_write_object_end(&w);
    return w.result;
}
