#include "cmd/partition.h"

#include "base/digest.h"
#include "base/exit_code.h"
#include "base/message.h"
#include "base/parents.h"
#include "base/say.h"
#include "base/units.h"
#include "cmd/run_segments.h"
#include "table/dataset.h"
#include "table/format.h"
#include "table/table_report.h"
#include "table/table_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_PARTS 16 /* made since the last time */

struct partition {
    const struct read_options *options;
    const struct job_endpoint *endpoint;
    const char *out;
    const char *records;
    struct table_spec spec;
    struct dataset *dataset;
    struct dataset_table *table;
    struct buf path; /* of a part, within the dataset */
    size_t folder;   /* so much of it is the directory */
    uint64_t made, kept, dropped, rows, skipped;
    uint64_t unsaved;
    bool is_changed; /* a part began a new generation */
    struct err none; /* why a segment had no rows at all, if one had none */
    bool has_none;
};

enum result partition_check(const struct read_options *options, struct err *err)
{
    const struct table_spec *spec = &options->spec;
    const char *with = options->output_count != 1 || strcmp(options->outputs[0].path, "-") == 0
                           ? "one -o OUT, a directory"
                       : options->format ? "no --format: parts are Parquet"
                       : options->ddl    ? "no --ddl"
                       : options->json   ? "no --json"
                       : options->changes || options->outcomes.path
                           ? "no --changes and no --outcomes"
                       : spec->as_of_us                  ? "no --as-of"
                       : table_expect_any(&spec->expect) ? "no --expect"
                       : spec->unique_count || spec->keep != ROW_KEEP_FIRST
                           ? "no --unique and no --keep: rows are compared within a table, not "
                             "across parts; let the reader do it"
                           : NULL;

    return with ? err_set(err, RESULT_INVALID, "E-ARG1", "--partition wants %s", with) : RESULT_OK;
}

/* --- whose and what ------------------------------------------------------------------------------- */

/* What tells one table of the endpoint from another: all that its rows depend on. */
static enum result describe(const struct partition *p, char how[2 * DIGEST_BYTES + 1],
                            struct err *err)
{
    const struct table_spec *s = &p->spec;
    uint8_t digest[DIGEST_BYTES];
    struct buf text = { 0 };
    enum result result =
        buf_printf(&text, "%s|%d|%s|%s|%d|%u|%d|%d|%d|%.*s", p->records ? p->records : "",
                   (int)s->shape, s->explode ? s->explode : "", s->separator ? s->separator : ".",
                   s->depth_limited, s->depth_max, s->meta, s->coerce, s->assume_utc,
                   (int)s->where_present.len, s->where_present.len ? s->where_present.data : "");

    for (size_t i = 0; result == RESULT_OK && i < s->with_count; i++) {
        result = buf_printf(&text, "|+%.*s", STR_ARG(s->with[i]));
    }
    for (size_t i = 0; result == RESULT_OK && i < s->pick_count; i++) {
        const struct table_pick *pick = &s->picks[i];

        result = buf_printf(&text, "|%.*s=%.*s:%d,%d", STR_ARG(pick->name), (int)pick->pointer.len,
                            pick->pointer.len ? pick->pointer.data : "", (int)pick->wish.type,
                            (int)pick->wish.on_error);
    }
    if (result == RESULT_OK) {
        digest_of(text.data, text.len, digest);
        for (size_t i = 0; i < DIGEST_BYTES; i++) {
            snprintf(how + 2 * i, 3, "%02x", digest[i]);
        }
    }
    buf_release(&text);
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "opening a dataset");
}

/* As a directory's name has it, whatever it is called. */
static struct str base_name(const struct run_dir *dir)
{
    struct str path = str_view(dir->path), name;

    while (path.len > 1 && path.data[path.len - 1] == '/') {
        path.len--;
    }
    name = path;
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] == '/' && i + 1 < path.len) {
            name = (struct str){ path.data + i + 1, path.len - i - 1 };
        }
    }
    return name;
}

static const char *level_of(const struct opened_runs *runs)
{
    const struct job *job = &runs->list[0].job;

    return job->worker || job->shard.count ? "worker" : runs->count > 1 ? "run" : "";
}

/* A value of a Hive partition: what is neither letter, digit nor one of . _ - is %XX. */
static enum result append_value(struct buf *out, struct str value)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < value.len && result == RESULT_OK; i++) {
        unsigned char c = (unsigned char)value.data[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     c == '_' || c == '-' || (c == '.' && i);

        result = plain ? buf_append_char(out, (char)c) : buf_printf(out, "%%%02X", c);
    }
    return result;
}

/* What the level says of a run: "w1", "1of3", "monday.run". */
static enum result append_run(struct buf *out, const struct opened_run *run)
{
    return run->job.worker ? append_value(out, str_view(run->job.worker))
           : run->job.shard.count
               ? buf_printf(out, "%uof%u", run->job.shard.number, run->job.shard.count)
               : append_value(out, base_name(&run->dir));
}

/* "endpoint=items/worker=w1/". */
static enum result name_folder(struct partition *p, const struct opened_runs *runs,
                               const struct opened_run *run, struct err *err)
{
    const char *level = level_of(runs);
    enum result result;

    buf_reset(&p->path);
    result = buf_printf(&p->path, "endpoint=");
    result = result == RESULT_OK ? append_value(&p->path, str_view(p->endpoint->name)) : result;
    if (result == RESULT_OK && *level) {
        result = buf_printf(&p->path, "/%s=", level);
        result = result == RESULT_OK ? append_run(&p->path, run) : result;
    }
    result = result == RESULT_OK ? buf_append_char(&p->path, '/') : result;
    p->folder = p->path.len;
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "naming a part");
}

/* --- parts ---------------------------------------------------------------------------------------- */

/* A segment may have none of what others have. */
static bool has_no_rows(const struct table_report *report)
{
    return report->result == RESULT_NOT_FOUND &&
           (strcmp(report->err.code, "E-TAB1") == 0 || strcmp(report->err.code, "E-TAB5") == 0);
}

static enum result take_report(struct partition *p, struct dataset_part *part,
                               const struct table_report *report, struct err *err)
{
    bool has_rows = report->result == RESULT_OK;

    if (!has_rows && !has_no_rows(report)) {
        *err = report->err;
        return report->result;
    }
    if (!has_rows) {
        p->none = report->err;
        p->has_none = true;
    }
    if (table_report_skipped(report)) {
        table_report_print(report, stderr);
        p->skipped += table_report_skipped(report);
    }
    part->rows = has_rows ? report->rows : 0;
    p->rows += part->rows;
    p->made += has_rows;
    return dataset_put(p->table, buf_view(&p->path), part, has_rows ? report->schema : NULL, err);
}

static enum result make_part(struct partition *p, const struct run_segments *segments,
                             uint32_t number, struct dataset_part *part, struct err *err)
{
    struct table_output output = { .format = table_format_named(STR("parquet")) };
    struct table_run_options run = {
        .table = { .records = p->records, .outputs = &output, .output_count = 1, .spec = p->spec }
    };
    struct table_report report;
    struct buf path = { 0 };
    enum result result = buf_printf(&path, "%s/%s", p->out, buf_cstr(&p->path)) == RESULT_OK
                             ? run_segments_source(segments, number, &run.source, err)
                             : err_nomem(err, "naming a part");

    if (result == RESULT_OK) {
        output.path = buf_cstr(&path);
        parents_make(output.path, 0777);
        (void)!table_run(&run, &report);
        result = take_report(p, part, &report, err);
        table_schema_free(report.schema);
    }
    buf_release(&path);
    return result;
}

static enum result save(struct partition *p, uint64_t least, struct err *err)
{
    if (p->unsaved < least) {
        return RESULT_OK;
    }
    p->unsaved = 0;
    return dataset_save(p->dataset, err);
}

static enum result name_part(struct partition *p, uint32_t number, struct err *err)
{
    p->path.len = p->folder;
    return buf_printf(&p->path, "part-%08u.parquet", number) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "naming a part");
}

/* A part that is made and not known, as the process was killed, would stay for ever. */
static enum result foresee(struct partition *p, const struct run_segments *segments,
                           struct err *err)
{
    enum result result = RESULT_OK;
    bool any = false;

    for (uint32_t i = 1; i < segments->count && result == RESULT_OK; i++) {
        bool is_new = false;

        if (segments->list[i].records) {
            result = name_part(p, i, err);
            result = result == RESULT_OK
                         ? dataset_foresee(p->table, buf_view(&p->path), &is_new, err)
                         : result;
            any |= is_new;
        }
    }
    return result == RESULT_OK && any ? dataset_save(p->dataset, err) : result;
}

static enum result see_to_segment(struct partition *p, const struct run_segments *segments,
                                  uint32_t number, struct err *err)
{
    const struct run_segment *segment = &segments->list[number];
    struct dataset_part part = { .records = segment->records,
                                 .bytes = segment->bytes,
                                 .digest = segment->digest,
                                 .generation = dataset_generation(p->table) };
    enum result result = name_part(p, number, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (dataset_has(p->table, buf_view(&p->path), &part)) {
        p->kept++;
        return RESULT_OK;
    }
    result = make_part(p, segments, number, &part, err);
    p->is_changed |= part.generation != dataset_generation(p->table);
    p->unsaved++;
    return result == RESULT_OK ? save(p, SAVE_PARTS, err) : result;
}

static uint32_t endpoint_of(const struct opened_run *run, const char *name)
{
    uint32_t i = 0;

    while (i < run->job.endpoint_count && strcmp(run->job.endpoints[i].name, name) != 0) {
        i++;
    }
    return i;
}

static enum result see_to_run(struct partition *p, struct opened_runs *runs, struct opened_run *run,
                              struct err *err)
{
    uint32_t endpoint = endpoint_of(run, p->endpoint->name);
    struct run_segments segments;
    enum result result;

    if (endpoint == run->job.endpoint_count) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "%s has no endpoint \"%s\", as the first run has", run->dir.path,
                       p->endpoint->name);
    }
    result = run_segments_find(&segments, run, endpoint, err);
    result = result == RESULT_OK ? name_folder(p, runs, run, err) : result;
    result = result == RESULT_OK ? foresee(p, &segments, err) : result;
    for (uint32_t i = 1; i < segments.count && result == RESULT_OK; i++) {
        if (segments.list[i].records) {
            result = see_to_segment(p, &segments, i, err);
        }
    }
    if (result == RESULT_OK) {
        uint64_t before = p->dropped;

        p->path.len = p->folder;
        result = dataset_drop_others(p->table, buf_view(&p->path), &p->dropped, err);
        p->unsaved += p->dropped - before;
    }
    run_segments_release(&segments);
    return result;
}

/* Until all parts are of one generation: types only become wider, so it ends. */
static enum result see_to_all(struct partition *p, struct opened_runs *runs, struct err *err)
{
    enum result result = RESULT_OK;
    bool again = false;

    do {
        p->is_changed = false;
        for (size_t i = 0; i < runs->count && result == RESULT_OK; i++) {
            result = see_to_run(p, runs, &runs->list[i], err);
        }
        p->kept = again ? 0 : p->kept; /* what a second look leaves has just been made */
        again = true;
    } while (result == RESULT_OK && p->is_changed);
    return result;
}

/* Runs that have the same names would write the same parts. */
static enum result check_names(const struct opened_runs *runs, struct err *err)
{
    struct buf a = { 0 }, b = { 0 };
    enum result result = RESULT_OK;

    for (size_t i = 0; i < runs->count && result == RESULT_OK; i++) {
        buf_reset(&a);
        result =
            append_run(&a, &runs->list[i]) == RESULT_OK ? result : err_nomem(err, "naming a part");
        for (size_t k = 0; k < i && result == RESULT_OK; k++) {
            buf_reset(&b);
            result = append_run(&b, &runs->list[k]) == RESULT_OK ? result
                                                                 : err_nomem(err, "naming a part");
            if (result == RESULT_OK && str_equal(buf_view(&a), buf_view(&b))) {
                result =
                    err_set(err, RESULT_INVALID, "E-ARG1",
                            "%s and %s have the same name, and so would their parts: rename one",
                            runs->list[k].dir.path, runs->list[i].dir.path);
            }
        }
    }
    buf_release(&a);
    buf_release(&b);
    return result;
}

static enum result open_dataset(struct partition *p, const struct opened_runs *runs,
                                struct err *err)
{
    const struct job *job = &runs->list[0].job;
    const char *level = level_of(runs);
    const struct dataset_identity identity = { .job = str_view(job->name),
                                               .level = str_view(level),
                                               .run = *level ? STR("")
                                                             : base_name(&runs->list[0].dir) };
    char how[2 * DIGEST_BYTES + 1] = "";
    enum result result = check_names(runs, err);

    if (result == RESULT_OK && p->spec.keep != ROW_KEEP_FIRST) {
        result =
            err_set(err, RESULT_INVALID, "E-ARG1",
                    "%s: \"keep\": \"last\" compares rows of all segments, and a part has those "
                    "of one: make one table, or take it out and let the reader keep the last",
                    p->endpoint->name);
    }
    result = result == RESULT_OK ? dataset_open(&p->dataset, p->out, &identity, err) : result;
    result = result == RESULT_OK ? describe(p, how, err) : result;
    return result == RESULT_OK ? dataset_find_table(p->dataset, str_view(p->endpoint->name),
                                                    str_view(how), &p->table, err)
                               : result;
}

static void tell(const struct partition *p, bool is_unique)
{
    char rows[UNITS_TEXT_MAX];

    units_format_whole(p->rows, rows);
    say(stderr, "%s: %llu part%s made with %s row%s, %llu kept, %llu removed in %s",
        p->endpoint->name, (unsigned long long)p->made, units_plural(p->made), rows,
        units_plural(p->rows), (unsigned long long)p->kept, (unsigned long long)p->dropped, p->out);
    if (is_unique) {
        say(stderr,
            "%s: rows with the same \"unique\" values stay, as a part has those of one segment: "
            "the "
            "reader keeps one",
            p->endpoint->name);
    }
}

int partition_make(const struct read_options *options, struct opened_runs *runs, uint32_t endpoint,
                   const char *records, const struct table_spec *spec)
{
    struct partition p = { .options = options,
                           .endpoint = &runs->list[0].job.endpoints[endpoint],
                           .out = options->outputs[0].path,
                           .records = records,
                           .spec = *spec };
    struct err err = { 0 };
    enum result result;
    int code = EXIT_WELL;

    p.spec.unique_count = p.spec.key_count = 0;
    p.spec.expect = (struct table_expect){ 0 };
    p.spec.types = true;
    result = open_dataset(&p, runs, &err);
    if (result == RESULT_OK) {
        p.spec.known = dataset_known(p.table);
        result = opened_runs_hold(runs, &err);
        result = result == RESULT_OK ? see_to_all(&p, runs, &err) : result;
        opened_runs_let_go(runs);
    }
    if (p.dataset) { /* what has been made is known, whatever came after */
        struct err unsaved;

        if (save(&p, result == RESULT_OK ? 0 : 1, result == RESULT_OK ? &err : &unsaved) !=
                RESULT_OK &&
            result == RESULT_OK) {
            result = RESULT_IO;
        }
    }
    if (result == RESULT_OK && p.has_none && !p.made && !p.kept) {
        err = p.none;
        result = RESULT_NOT_FOUND;
    }
    if (result == RESULT_OK) {
        tell(&p, spec->unique_count > 0);
        code = options->strict && p.skipped ? EXIT_SKIPPED : EXIT_WELL;
    } else {
        message_error(&err);
        code = table_exit_code(result, err.code);
    }
    dataset_close(p.dataset);
    buf_release(&p.path);
    return code;
}
