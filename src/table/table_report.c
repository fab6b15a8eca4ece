#include "table/table_report.h"

#include "base/exit_code.h"
#include "base/json_scan.h"
#include "base/json_text.h"
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

int table_exit_code(enum result result, const char *code)
{
    bool is_output = strncmp(code, "E-OUT", 5) == 0 || strcmp(code, "E-DB1") == 0;

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
                " dropped: not the first with the same --unique values");
    print_count(stream, report->not_present, "row",
                " dropped: no value in the --where-present column");
    print_remarks(report, stream);
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

static enum result json_skips(const struct table_skips *skips, const char *name, struct buf *out)
{
    enum result result = buf_printf(out, "\"%s\":{\"count\":%llu,\"first\":[", name,
                                    (unsigned long long)skips->count);

    for (unsigned n = 0; result == RESULT_OK && n < skips->named; n++) {
        char safe[TABLE_SKIP_TEXT * 4];

        utf8_display(safe, sizeof safe, str_view(skips->first[n]), sizeof safe);
        result = n ? buf_append_char(out, ',') : RESULT_OK;
        result = result == RESULT_OK ? json_text_append(out, str_view(safe)) : result;
    }
    return result == RESULT_OK ? buf_append(out, "]}", 2) : result;
}

/* What keeps the column from a type: how many values, and the first of them. */
static enum result json_odd(const struct schema_odd *odd, struct buf *out)
{
    char safe[sizeof odd->text * 4];
    enum result result =
        buf_printf(out, ",\"odd\":{\"count\":%llu,\"%s\":\"%s\"", (unsigned long long)odd->is.count,
                   odd->is.is_not ? "not" : "are", odd->is.plural);

    if (result == RESULT_OK && odd->is_placed) {
        utf8_display(safe, sizeof safe, str_view(odd->text), sizeof safe);
        result =
            buf_printf(out, ",\"first_record\":%llu,\"value\":", (unsigned long long)odd->record);
        result = result == RESULT_OK ? json_text_append(out, str_view(safe)) : result;
    }
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}

static enum result json_schema(const struct table_report *r, struct buf *out)
{
    enum result result = buf_printf(out, ",\"schema\":[");

    for (uint32_t i = 0; result == RESULT_OK && i < r->schema->count; i++) {
        const struct schema_column *c = &r->schema->columns[i];

        result = buf_printf(out, "%s{\"name\":", i ? "," : "");
        result = result == RESULT_OK ? json_text_append(out, c->name) : result;
        result = result == RESULT_OK
                     ? buf_printf(out, ",\"type\":\"%s\",\"values\":%llu%s%s", type_name(c->type),
                                  (unsigned long long)c->present, c->rare ? ",\"rare\":true" : "",
                                  c->coerced ? ",\"coerced\":true" : "")
                     : result;
        if (result == RESULT_OK && c->conflict) {
            result = buf_printf(out, ",\"conflict\":\"");
            result = result == RESULT_OK ? table_schema_append_kinds(c, out) : result;
            result = result == RESULT_OK ? buf_append_char(out, '"') : result;
            result = result == RESULT_OK ? json_odd(c->odd, out) : result;
        }
        result = result == RESULT_OK ? buf_append_char(out, '}') : result;
    }
    return result == RESULT_OK ? buf_append_char(out, ']') : result;
}

static void list_json_drift(void *context, const struct drift *drift)
{
    struct drift_list *d = context;
    struct list *list = &d->list;

    if (drift->kind != d->kind || list->result != RESULT_OK) {
        return;
    }
    list->result = buf_printf(list->out, "%s{\"name\":", list->count++ ? "," : "");
    list->result =
        list->result == RESULT_OK ? json_text_append(list->out, drift->name) : list->result;
    if (list->result == RESULT_OK && drift->kind != DRIFT_NEW) {
        list->result = buf_printf(list->out, ",\"before\":\"%s\"", type_name(drift->before));
    }
    if (list->result == RESULT_OK && drift->kind != DRIFT_GONE) {
        list->result = buf_printf(list->out, ",\"now\":\"%s\"", type_name(drift->now));
    }
    list->result = list->result == RESULT_OK ? buf_append_char(list->out, '}') : list->result;
}

static enum result json_drift(const struct table_report *r, struct buf *out)
{
    static const char *const names[] = {
        [DRIFT_NEW] = "new", [DRIFT_GONE] = "gone", [DRIFT_TYPE] = "type"
    };
    enum result result = buf_printf(out, ",\"drift\":{");

    for (int kind = DRIFT_NEW; result == RESULT_OK && kind <= DRIFT_TYPE; kind++) {
        struct drift_list drift = { .kind = (enum drift_kind)kind, .list = { .out = out } };

        result = buf_printf(out, "%s\"%s\":[", kind ? "," : "", names[kind]);
        if (result == RESULT_OK) {
            table_schema_compare(r->before, r->schema, list_json_drift, &drift);
            result = drift.list.result;
        }
        result = result == RESULT_OK ? buf_append_char(out, ']') : result;
    }
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}

static enum result json_error(const struct table_report *r, struct buf *out)
{
    enum result result = buf_printf(out, ",\"error\":{\"code\":\"%s\",\"text\":", r->err.code);

    result = result == RESULT_OK ? json_text_append(out, str_view(r->err.text)) : result;
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}

static enum result json_skipped(const struct table_report *r, struct buf *out)
{
    static const char *const names[TABLE_SKIP_COUNT] = { "invalid", "not_json", "no_match",
                                                         "damaged" };
    enum result result = buf_printf(out, ",\"skipped\":{");

    for (int i = 0; result == RESULT_OK && i < TABLE_SKIP_COUNT; i++) {
        result = i ? buf_append_char(out, ',') : RESULT_OK;
        result = result == RESULT_OK ? json_skips(&r->skipped[i], names[i], out) : result;
    }
    result = result == RESULT_OK ? buf_append_str(out, STR("},\"odd_cells\":{")) : result;
    result = result == RESULT_OK ? json_skips(&r->skipped[TABLE_ODD_CELLS], "rows", out) : result;
    result = result == RESULT_OK ? buf_append_str(out, STR("},\"bad_cells\":{")) : result;
    result = result == RESULT_OK ? json_skips(&r->skipped[TABLE_BAD_CELLS], "rows", out) : result;
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}

/* Only what there was. */
static enum result json_read_as(const struct table_report *r, struct buf *out)
{
    enum result result = buf_printf(out, ",\"read_as\":{");
    const char *between = "";

    for (unsigned i = 0; i < BODY_WAS_COUNT && result == RESULT_OK; i++) {
        if (r->read_as[i]) {
            result = buf_printf(out, "%s\"%s\":%llu", between, body_was_name(1U << i),
                                (unsigned long long)r->read_as[i]);
            between = ",";
        }
    }
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}

static enum result json_counts(const struct table_report *r, struct buf *out)
{
    return buf_printf(
        out,
        ",\"records\":%llu,\"rows\":%llu,\"columns\":%u,\"renamed\":%u,"
        "\"not_unique\":%llu,\"not_present\":%llu,"
        "\"duplicate_keys\":%llu,\"lone_surrogates\":%llu,\"empty\":%llu,\"nulls\":%llu,"
        "\"bytes_in\":%llu,\"bytes_out\":%llu,\"wall_s\":%.3f,\"cpu_s\":%.3f",
        (unsigned long long)r->records, (unsigned long long)r->rows, r->columns, r->columns_renamed,
        (unsigned long long)r->not_unique, (unsigned long long)r->not_present,
        (unsigned long long)r->duplicate_keys, (unsigned long long)r->lone_surrogates,
        (unsigned long long)r->empty, (unsigned long long)r->nulls, (unsigned long long)r->bytes_in,
        (unsigned long long)r->bytes_out, (double)r->wall_us / 1e6, (double)r->cpu_us / 1e6);
}

static enum result json_files(const struct table_report *r, struct buf *out)
{
    enum result result = buf_printf(out, ",\"files\":[");

    for (size_t i = 0; i < r->made_count && result == RESULT_OK; i++) {
        const struct table_output *file = &r->outputs[i];

        result = buf_printf(out, "%s{\"path\":", i ? "," : "");
        result = result == RESULT_OK ? json_text_append(out, str_view(file->path)) : result;
        result = result == RESULT_OK
                     ? buf_printf(out, ",\"format\":\"%s\",\"bytes\":%llu}", file->format->name,
                                  (unsigned long long)r->made_bytes[i])
                     : result;
    }
    return result == RESULT_OK ? buf_append_char(out, ']') : result;
}

enum result table_report_json(const struct table_report *r, struct buf *out)
{
    enum result result = buf_append(out, "{\"output\":", 10);

    result = result == RESULT_OK ? json_text_append(out, str_view(r->outputs[0].path)) : result;
    result = result == RESULT_OK ? json_files(r, out) : result;
    result = result == RESULT_OK ? json_counts(r, out) : result;
    result = result == RESULT_OK ? json_read_as(r, out) : result;
    result = result == RESULT_OK ? json_skipped(r, out) : result;
    if (result == RESULT_OK && r->schema) {
        result = json_schema(r, out);
    }
    if (result == RESULT_OK && r->schema && r->before) {
        result = json_drift(r, out);
    }
    if (result == RESULT_OK && r->result != RESULT_OK) {
        result = json_error(r, out);
    }
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}
