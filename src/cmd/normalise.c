/* `normalise`: a table from a run's stored bodies or from files; never the network. */
#include "base/say.h"
#include "cmd/as_of.h"
#include "cmd/changes_table.h"
#include "cmd/cmd.h"
#include "cmd/opened_runs.h"
#include "cmd/outcomes_table.h"
#include "cmd/partition.h"
#include "cmd/read_options.h"
#include "normalise/file_source.h"
#include "table/endpoint_table.h"
#include "table/format.h"
#include "table/output_file.h"
#include "table/run_tables.h"
#include "table/table_report.h"
#include "table/table_run.h"
#include "table/postgres/postgres_place.h"
#include "work/work.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SENDS_MAX 4U       /* of one table, where the connection to its database breaks */
#define SEND_PAUSE_MS 500U /* before the second; twice as long each time */

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Beside directories, what is not there is a run that is missed. */
static bool are_runs(const struct read_options *options)
{
    bool any = false, all = true;

    for (size_t i = 0; i < options->operand_count; i++) {
        bool is_run = is_directory(options->operands[i]);

        any |= is_run;
        all &= is_run ||
               (access(options->operands[i], F_OK) != 0 && strcmp(options->operands[i], "-") != 0);
    }
    return any && all;
}

static int code_of(const struct read_options *options, const struct table_report *report)
{
    if (report->result != RESULT_OK && table_reader_is_gone(&report->err)) {
        return EXIT_WELL;
    }
    if (report->result != RESULT_OK) {
        return table_exit_code(report->result, report->err.code);
    }
    return options->strict && table_report_skipped(report) ? EXIT_SKIPPED : EXIT_WELL;
}

static void print_report(const struct read_options *options, const struct table_report *report)
{
    struct buf json = { 0 };

    table_report_print(report, stderr);
    if (options->json && table_report_json(report, &json) == RESULT_OK) {
        say_json(stdout, buf_view(&json));
        putchar('\n');
    }
    buf_release(&json);
}

/* Where the table comes from and goes to. */
struct task {
    struct record_source *source; /* taken */
    const char *records;
    const struct table_output *outputs;
    size_t output_count;
    struct table_spec spec;
    bool is_of_runs;
    /* of one run alone: its tables.json knows the table of before; else NULL */
    const struct run_dir *dir;
    struct str kept_as; /* in there */
    bool must_read;     /* see struct table_options */
    /* Opens the source once more, from its beginning; NULL: it can be read only once. */
    enum result (*open_again)(void *context, struct record_source **source, struct err *err);
    void *context;
};

/* A table whose drift cannot be kept is a table still. */
static void keep_schema(const struct task *task, const struct table_report *report)
{
    struct err err;

    if (task->dir && report->result == RESULT_OK && report->schema &&
        run_tables_write(task->dir, task->kept_as, report->schema, &err) != RESULT_OK) {
        message_warning(err.code, err.text);
    }
}

/* What was met on the way, and then, last, why there is no table. */
static void tell(const struct read_options *options, const struct table_report *report)
{
    print_report(options, report);
    if (report->result != RESULT_OK) {
        message_error(&report->err);
    }
}

/* What was sent to a database is lost with its connection, and the table there is as it was: after a pause, all of it may
 * be sent again. Not what was read or written only once. */
static bool may_send_again(const struct task *task, const struct table_report *report,
                           unsigned tries)
{
    bool may = task->open_again && report->result == RESULT_BUSY &&
               table_is_to_send_again(&report->err) && tries < SENDS_MAX;

    for (size_t i = 0; i < task->output_count; i++) {
        may &= strcmp(task->outputs[i].path, "-") != 0;
    }
    return may;
}

static void pause_before(unsigned tries, const struct err *why)
{
    unsigned pause_ms = SEND_PAUSE_MS << (tries - 1);
    struct err err;

    err_set(&err, why->result, why->code, "%s; all rows are sent again in %u.%u s (%u of %u)",
            why->text, pause_ms / 1000, pause_ms % 1000 / 100, tries + 1, SENDS_MAX);
    message_warning(err.code, err.text);
    (void)poll(NULL, 0, (int)pause_ms);
}

static void run_table(const struct task *task, struct table_run_options *run,
                      struct table_report *report)
{
    unsigned tries = 1;

    while (table_run(run, report) != RESULT_OK && may_send_again(task, report, tries)) {
        pause_before(tries++, &report->err);
        table_schema_free(report->schema);
        report->schema = NULL;
        report->result = task->open_again(task->context, &run->source, &report->err);
        if (report->result != RESULT_OK) {
            return;
        }
    }
}

static int make_table(const struct read_options *options, const struct task *task)
{
    struct table_schema *before = task->dir ? run_tables_read(task->dir, task->kept_as) : NULL;
    struct table_run_options run = {
        .table = { .records = task->records,
                   .outputs = task->outputs,
                   .output_count = task->output_count,
                   .before = before,
                   .must_read = task->must_read,
                   .spec = task->spec },
        .source = task->source,
        .progress = isatty(STDERR_FILENO),
    };
    struct table_report report;

    if (task->spec.keep != ROW_KEEP_FIRST && !task->spec.unique_count) {
        err_set(&report.err, RESULT_INVALID, "E-ARG1",
                "--keep wants --unique: by which columns are rows alike?");
        task->source->close(task->source);
        table_schema_free(before);
        return message_fail(&report.err);
    }
    for (size_t i = 0; i < options->output_count; i++) {
        table_output_make_parents(&options->outputs[i]);
    }
    run.table.spec.types |= task->is_of_runs;
    run_table(task, &run, &report);
    keep_schema(task, &report);
    if (report.result == RESULT_OK || !table_reader_is_gone(&report.err)) {
        tell(options, &report);
    }
    table_schema_free(report.schema);
    table_schema_free(before);
    return code_of(options, &report);
}

/* What the job says of the table, unless the command line says otherwise. */
static struct table_spec merge_specs(const struct read_options *options,
                                     const struct endpoint_table *table)
{
    const struct table_spec *given = &options->spec;
    struct table_spec spec = *given;

    spec.shape = given->shape != RECORD_SHAPE_OBJECTS ? given->shape : table->spec.shape;
    spec.explode = given->explode ? given->explode : table->spec.explode;
    spec.meta |= table->spec.meta;
    spec.coerce |= table->spec.coerce;
    spec.assume_utc |= table->spec.assume_utc;
    spec.with = table->spec.with;
    spec.with_count = table->spec.with_count;
    if (!given->pick_count) {
        spec.picks = table->spec.picks;
        spec.pick_count = table->spec.pick_count;
    }
    if (!given->unique_count) {
        spec.unique = table->spec.unique;
        spec.unique_count = table->spec.unique_count;
    }
    spec.expect = table_expect_any(&given->expect) ? given->expect : table->spec.expect;
    spec.keep = given->keep != ROW_KEEP_FIRST ? given->keep : table->spec.keep;
    if (!given->table.data) {
        spec.table = table->spec.table;
    }
    if (!given->key_count) {
        spec.key = table->spec.key;
        spec.key_count = table->spec.key_count;
    }
    if (!given->where_present.data) {
        spec.where_present = table->spec.where_present;
    }
    return spec;
}

/* Whether the command line asks for other columns than the job does, or for others' types. */
static bool has_own_columns(const struct read_options *options)
{
    const struct table_spec *given = &options->spec;

    return options->records || given->shape != RECORD_SHAPE_OBJECTS || given->explode ||
           given->pick_count || given->meta || given->coerce || given->assume_utc ||
           given->separator || given->depth_limited;
}

/* The table that is made where no -o says so: "DIR/ENDPOINT.csv". To free. */
static char *default_path(const struct read_options *options, const struct opened_run *run,
                          uint32_t endpoint)
{
    const struct table_format *format = options->format ? options->format : table_formats[0];
    struct str endings = str_view(format->endings), first = str_cut(&endings, ' ');
    char ending[TABLE_ENDINGS_MAX];

    snprintf(ending, sizeof ending, "%s%.*s", options->changes ? "changes." : "", STR_ARG(first));
    return endpoint_table_path(&run->job, endpoint, run->dir.path, ending);
}

/* The same request in two runs: which of its rows is wanted, the user has to say, unless that was said. */
static void tell_doubled(const struct opened_runs *runs, const struct table_spec *spec)
{
    if (runs->doubled) {
        say(stderr, "scrapetop: %llu %s in another of these runs, too%s",
            (unsigned long long)runs->doubled, runs->doubled == 1 ? "request is" : "requests are",
            spec->unique_count || spec->key_count
                ? ""
                : "; the table has all of their rows (--unique and --key keep one)");
    }
}

/* What changed, instead of what there is. In a database its table is another than that of the records. */
static int make_changes(const struct read_options *options, struct opened_run *run,
                        uint32_t endpoint, struct task *task)
{
    struct buf name = { .max = 512 };
    const struct changes_wish wish = { .endpoint = endpoint,
                                       .records = task->records,
                                       .spec = &task->spec,
                                       .outputs = task->outputs,
                                       .output_count = task->output_count };
    int code;

    if (!options->spec.table.data &&
        buf_printf(&name, "%s_changes", run->job.endpoints[endpoint].name) == RESULT_OK) {
        task->spec.table = buf_view(&name);
    }
    code = changes_table_make(options, run, &wish);
    buf_release(&name);
    return code;
}

/* Runs as they were, when that is asked for. */
static enum result go_back(const struct read_options *options, struct opened_runs *runs,
                           uint32_t endpoint, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; options->spec.as_of_us && i < runs->count && result == RESULT_OK; i++) {
        result = as_of_go_back(&runs->list[i], options->spec.as_of_us,
                               &runs->list[0].job.endpoints[endpoint], err);
    }
    return result;
}

struct endpoint_rows {
    struct opened_runs *runs;
    uint32_t endpoint;
};

static enum result open_rows(void *context, struct record_source **source, struct err *err)
{
    struct endpoint_rows *rows = context;

    return opened_runs_source(rows->runs, rows->endpoint, source, err);
}

static int make_endpoint_table(const struct read_options *options, struct opened_runs *runs,
                               uint32_t endpoint, struct task *task)
{
    const struct job *job = &runs->list[0].job;
    struct endpoint_rows rows = { .runs = runs, .endpoint = endpoint };
    struct endpoint_table table;
    struct err err;
    int code;

    if (endpoint_table_init(&table, job, endpoint, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    task->records = options->records ? options->records : table.records;
    task->spec = merge_specs(options, &table);
    if (options->partition) {
        code = partition_make(options, runs, endpoint, task->records, &task->spec);
        endpoint_table_release(&table);
        return code;
    }
    if (options->changes) {
        code = make_changes(options, &runs->list[0], endpoint, task);
        endpoint_table_release(&table);
        return code;
    }
    task->kept_as = has_own_columns(options) ? run_tables_name(task->outputs[0].path)
                                             : str_view(job->endpoints[endpoint].name);
    task->open_again = open_rows;
    task->context = &rows;
    code = go_back(options, runs, endpoint, &err) == RESULT_OK &&
                   open_rows(&rows, &task->source, &err) == RESULT_OK
               ? make_table(options, task)
               : message_fail(&err);
    opened_runs_let_go(runs);
    if (code == EXIT_WELL || code == EXIT_SKIPPED) {
        tell_doubled(runs, &task->spec);
    }
    endpoint_table_release(&table);
    return code;
}

static int normalise_endpoint(const struct read_options *options, struct opened_runs *runs,
                              uint32_t endpoint, bool alone)
{
    struct task task = { .is_of_runs = true,
                         .dir = runs->count == 1 ? &runs->list[0].dir : NULL,
                         .must_read = alone,
                         .outputs = options->outputs,
                         .output_count = options->output_count };
    const struct job_endpoint *of = &runs->list[0].job.endpoints[endpoint];
    struct table_output output;
    struct err err;
    char *path = NULL;
    int code;

    if (body_format_is_kept(of->reading.as)) {
        err_set(
            &err, RESULT_INVALID, "E-TAB9",
            "%s: bodies are kept as %s, and no table is made of them; scrapetop raw --dir DIR %s "
            "writes them to files",
            of->name, body_format_name(of->reading.as), runs->list[0].dir.path);
        if (alone) {
            return message_fail(&err);
        }
        message_warning("W-TAB1", err.text);
        return EXIT_WELL;
    }
    if (!task.output_count) {
        path = default_path(options, &runs->list[0], endpoint);
        if (!path) {
            err_nomem(&err, "normalising a run");
            return message_fail(&err);
        }
        if (table_output_init(&output, path, options->format, &err) != RESULT_OK) {
            free(path);
            return message_fail(&err);
        }
        task.outputs = &output;
        task.output_count = 1;
    }
    code = make_endpoint_table(options, runs, endpoint, &task);
    free(path);
    return code;
}

/* Files of the endpoints' own names, or databases with a table for each. */
static bool has_room_for_all(const struct read_options *options)
{
    bool has = !options->spec.table.data;

    if (options->partition) {
        return true;
    }

    for (size_t i = 0; i < options->output_count; i++) {
        has &= options->outputs[i].format->has_place;
    }
    return has;
}

/* The endpoints whose tables are wanted: one, or all. */
static enum result choose(const struct read_options *options, const struct job *job,
                          uint32_t *first, uint32_t *end, struct err *err)
{
    struct buf names = { .max = 400 };

    *first = 0;
    *end = (uint32_t)job->endpoint_count;
    if (!options->endpoint && (has_room_for_all(options) || *end == 1)) {
        return RESULT_OK;
    }
    for (uint32_t i = 0; i < job->endpoint_count; i++) {
        if (options->endpoint && strcmp(options->endpoint, job->endpoints[i].name) == 0) {
            *first = i;
            *end = i + 1;
            buf_release(&names);
            return RESULT_OK;
        }
        (void)!buf_printf(&names, "%s%s", i ? ", " : "", job->endpoints[i].name);
    }
    err_set(err, RESULT_INVALID, "E-ARG1",
            options->endpoint ? "--endpoint: the run has no \"%s\" (it has %.*s)"
                              : "-o %s is one table: choose its endpoint with --endpoint (%.*s)",
            options->endpoint ? options->endpoint : options->outputs[0].path,
            STR_ARG(buf_view(&names)));
    buf_release(&names);
    return RESULT_INVALID;
}

static int normalise_runs(const struct read_options *options)
{
    struct opened_runs runs;
    struct err err;
    uint32_t first, end;
    int code = EXIT_WELL;

    if (options->operand_count > 1 && !options->output_count) {
        err_set(&err, RESULT_INVALID, "E-ARG1",
                "a table of several runs is in none of their directories: say where with -o FILE");
        return message_fail(&err);
    }
    if (options->operand_count > 1 && options->outcomes.path) {
        err_set(&err, RESULT_INVALID, "E-ARG1",
                "--outcomes takes one run; name the others in commands of their own");
        return message_fail(&err);
    }
    if ((options->changes && changes_table_check(options, &err) != RESULT_OK) ||
        (options->partition && partition_check(options, &err) != RESULT_OK)) {
        return message_fail(&err);
    }
    if (opened_runs_open(&runs, options->operands, options->operand_count, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (choose(options, &runs.list[0].job, &first, &end, &err) != RESULT_OK) {
        code = message_fail(&err);
        end = first = 0;
    }
    if (options->outcomes.path && !options->output_count) {
        end = first;
    }
    for (uint32_t i = first; i < end; i++) {
        int its = normalise_endpoint(options, &runs, i, end - first == 1);

        code = its > code ? its : code; /* the worst */
    }
    if (options->outcomes.path) {
        int its = outcomes_table_make(options, &runs.list[0]);

        code = its > code ? its : code;
    }
    opened_runs_close(&runs);
    return code;
}

static enum result check_files(const struct read_options *options, struct err *err)
{
    for (size_t i = 0; options->operand_count > 1 && i < options->operand_count; i++) {
        if (is_directory(options->operands[i])) {
            return err_set(
                err, RESULT_INVALID, "E-ARG1",
                "%s is a directory, others are files: a table is made of runs or of files",
                options->operands[i]);
        }
    }
    if (options->spec.as_of_us) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "--as-of wants a run directory, not files");
    }
    if (options->changes) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "--changes wants a run directory, not files");
    }
    if (options->partition) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--partition wants run directories, not files");
    }
    if (options->outcomes.path) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--outcomes wants a run directory, not files");
    }
    return options->json && !options->output_count
               ? err_set(err, RESULT_INVALID, "E-ARG1",
                         "--json and the table both want stdout; give -o FILE")
               : RESULT_OK;
}

static enum result open_files(void *context, struct record_source **source, struct err *err)
{
    const struct read_options *options = context;

    return file_source_open(source, options->operands, options->operand_count,
                            &options->spec.reading, err);
}

/* Pipes give what they have once. */
static bool are_regular(const struct read_options *options)
{
    struct stat st;

    for (size_t i = 0; i < options->operand_count; i++) {
        if (stat(options->operands[i], &st) != 0 || !S_ISREG(st.st_mode)) {
            return false;
        }
    }
    return options->operand_count > 0;
}

static int normalise_files(struct read_options *options)
{
    struct table_output standard = { .path = "-" };
    struct task task = { .records = options->records,
                         .outputs = options->output_count ? options->outputs : &standard,
                         .output_count = options->output_count ? options->output_count : 1,
                         .must_read = true,
                         .open_again = are_regular(options) ? open_files : NULL,
                         .context = options,
                         .spec = options->spec };
    struct err err;

    if (check_files(options, &err) != RESULT_OK ||
        table_output_init(&standard, "-", options->output_count ? NULL : options->format, &err) !=
            RESULT_OK ||
        open_files(options, &task.source, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    return make_table(options, &task);
}

static enum result start_pool(struct err *err)
{
    enum result result;
    uv_loop_t loop;

    if (uv_loop_init(&loop) != 0) {
        return err_set(err, RESULT_NOMEM, "E-LOOP1", "cannot make an event loop");
    }
    result = work_pool_start(&loop, err);
    uv_loop_close(&loop);
    return result;
}

int cmd_normalise(int argc, char **argv)
{
    struct read_options options;
    struct err err;
    int code;

    postgres_place_hide(argc, argv);
    if (normalise_options_parse(&options, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&normalise_table, stdout);
        code = EXIT_WELL;
    } else if (start_pool(&err) != RESULT_OK) {
        code = message_fail(&err);
    } else if (are_runs(&options)) {
        code = normalise_runs(&options);
    } else {
        code = normalise_files(&options);
    }
    read_options_release(&options);
    return code;
}
