/* The command line of `normalise`. */
#include "cmd/read_options.h"

#include "base/body_text.h"
#include "base/clock.h"
#include "base/json_scan.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "cmd/column_names.h"
#include "cmd/database_rows.h"
#include "cmd/expect_option.h"
#include "cmd/request_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)
#define ROWS(array) array, sizeof(array) / sizeof(array)[0]
#define GROUPS(array) .groups = array, .group_count = sizeof(array) / sizeof(array)[0]

static enum result set_records(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    options->records = value;
    return request_check_records(value, err);
}

static enum result check_pointer(const char *value, struct err *err)
{
    struct json_pointer pointer;

    return json_pointer_parse(&pointer, str_view(value), err);
}

static enum result set_explode(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    options->spec.explode = value;
    return check_pointer(value, err);
}

/* "a" or "b=/x/y". A name may hold "=" if no "/" follows it. */
static enum result add_pick(struct read_options *options, struct str item, struct err *err)
{
    struct table_pick pick = { .name = item, .pointer = STR_NONE };

    for (size_t i = 0; i + 1 < item.len && !pick.pointer.data; i++) {
        if (item.data[i] == '=' && item.data[i + 1] == '/') {
            pick.name.len = i;
            pick.pointer = (struct str){ item.data + i + 1, item.len - i - 1 };
        }
    }
    if (!pick.name.len) {
        return column_names_missing(err);
    }
    for (size_t i = 0; i < options->spec.pick_count; i++) {
        if (str_equal(options->picks[i].name, pick.name)) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "column \"%.*s\" is named twice",
                           STR_ARG(pick.name));
        }
    }
    options->picks[options->spec.pick_count++] = pick;
    return RESULT_OK;
}

static enum result set_columns(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;
    struct str rest = str_view(value);
    enum result result = RESULT_OK;

    options->picks = calloc(column_names_count(value), sizeof *options->picks);
    if (!options->picks) {
        return err_nomem(err, "reading the command line");
    }
    while (result == RESULT_OK && rest.data) {
        result = add_pick(options, str_cut(&rest, ','), err);
    }
    options->spec.picks = options->picks;
    return result;
}

static enum result set_unique(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;
    enum result result =
        column_names_read(value, &options->unique, &options->spec.unique_count, err);

    options->spec.unique = options->unique;
    return result;
}

/* RFC 3339, a day, "today", "yesterday", or so long ago. */
static enum result set_as_of(void *target, const char *text, struct err *err)
{
    struct read_options *options = target;
    struct clock clock = clock_system();
    int64_t now = clock_wall_us(&clock), *us = &options->spec.as_of_us;
    struct str t = str_view(text);
    uint64_t ago;

    if (str_equal(t, STR("today")) || str_equal(t, STR("yesterday"))) {
        *us = now - now % DAY_US - (t.len == STR("today").len ? 0 : DAY_US);
        return RESULT_OK;
    }
    if (t.len > 1 && t.data[0] == '-' &&
        units_parse_time((struct str){ t.data + 1, t.len - 1 }, &ago, err) == RESULT_OK) {
        *us = now - (int64_t)ago;
        return RESULT_OK;
    }
    return timestamp_parse(t, us) && *us > 0
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1",
                         "\"%.40s\" is no time; want one as 2026-01-31T12:00:00Z, a day, which is "
                         "its beginning in UTC, or so long ago: -7d, -12h",
                         text);
}

static enum result set_keep(void *target, const char *text, struct err *err)
{
    struct read_options *options = target;

    return row_keep_parse(str_view(text), &options->spec.keep)
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1", "\"%.32s\": want one of %s", text,
                         ROW_KEEP_WORDS);
}

/* What is made of it is known when --format is. */
static enum result add_output(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    for (size_t i = 0; i < options->output_count; i++) {
        if (strcmp(options->outputs[i].path, value) == 0) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "%s is to be written twice", value);
        }
    }
    if (options->output_count == TABLE_OUTPUTS_MAX) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "more than %d tables", TABLE_OUTPUTS_MAX);
    }
    options->outputs[options->output_count++].path = value;
    return RESULT_OK;
}

static enum result set_format(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    options->format = table_format_named(str_view(value));
    return options->format
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1",
                         "there is no format \"%.32s\"; want one of " TABLE_FORMAT_WORDS, value);
}

static enum result set_where_present(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    options->spec.where_present = str_view(value);
    return *value ? RESULT_OK : column_names_missing(err);
}

static enum result set_delimiter(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;
    char delimiter = strcmp(value, "tab") == 0 || strcmp(value, "\\t") == 0 ? '\t' : *value;

    if ((value[0] && value[1] && delimiter != '\t') || !csv_is_delimiter(delimiter)) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "\"%.16s\" cannot part cells; want one of , ; | : ^ ~ or tab", value);
    }
    options->spec.csv.delimiter = delimiter;
    return RESULT_OK;
}

static enum result set_memory(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;
    enum result result = units_parse_size(str_view(value), &options->spec.memory_bytes, err);

    return result == RESULT_OK && options->spec.memory_bytes < TABLE_MEMORY_MIN
               ? err_set(err, RESULT_INVALID, "E-ARG5", "must be 32M at least")
               : result;
}

static enum result set_as(void *target, const char *text, struct err *err)
{
    struct read_options *options = target;

    return body_format_parse(str_view(text), &options->spec.reading.as) &&
                   !body_format_is_kept(options->spec.reading.as)
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1",
                         "--as \"%.32s\": want auto, json, ndjson, csv, tsv or xml", text);
}

static enum result set_shape(void *target, const char *text, struct err *err)
{
    struct read_options *options = target;

    return record_shape_parse(str_view(text), &options->spec.shape)
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1", "--shape \"%.32s\": want %s", text,
                         RECORD_SHAPE_WORDS);
}

static enum result set_charset(void *target, const char *text, struct err *err)
{
    struct read_options *options = target;

    if (!body_charset_is_known(str_view(text))) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--charset \"%.32s\" is not read; want " BODY_CHARSET_WORDS, text);
    }
    snprintf(options->charset, sizeof options->charset, "%s", text);
    options->spec.reading.charset = options->charset;
    return RESULT_OK;
}

static enum result set_in_delimiter(void *target, const char *text, struct err *err)
{
    struct read_options *options = target;

    options->spec.reading.delimiter = body_delimiter_parse(str_view(text));
    return options->spec.reading.delimiter
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1",
                         "--in-delimiter \"%.8s\": want one character, or \"tab\"", text);
}

/* What is made of it is known at the end. */
static enum result set_outcomes(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    (void)err;
    options->outcomes.path = value;
    return RESULT_OK;
}

static const struct option_row normalise_rows[] = {
    {
        .letter = 'o',
        .name = "output",
        .value = "FILE",
        .help =
            "Table to write, its ending says how (TABLES in the manual); directories that are "
            "missing above it are made; - is stdout; may be repeated: all files are made in one go",
        .kind = OPTION_CALL,
        .set = add_output,
        .repeats = true,
    },
    {
        .name = "format",
        .value = "NAME",
        .words = TABLE_FORMAT_WORDS,
        .help = "Format of a table whose name does not say it: " TABLE_FORMAT_WORDS,
        .kind = OPTION_CALL,
        .set = set_format,
    },
    OPTION_RECORDS(set_records),
    {
        .name = "as",
        .words = "auto json ndjson csv tsv xml",
        .value = "FORMAT",
        .help = "What the files are, when name and first bytes do not say it: json, ndjson, csv, "
                "tsv, xml",
        .kind = OPTION_CALL,
        .set = set_as,
    },
    OPTION_SHAPE(set_shape),
    {
        .name = "charset",
        .words = "utf-8 utf-16 iso-8859-1 iso-8859-15 windows-1252",
        .value = "NAME",
        .help = "Character encoding of the files (UTF-8)",
        .kind = OPTION_CALL,
        .set = set_charset,
    },
    {
        .name = "in-delimiter",
        .words = "tab",
        .value = "CHAR",
        .help = "Between the cells of CSV files: one character, or tab (guessed)",
        .kind = OPTION_CALL,
        .set = set_in_delimiter,
    },
    {
        .name = "no-header",
        .help = "The first row of CSV files is a record; columns get numbers: column_1",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, spec.reading.no_header),
    },
    {
        .name = "endpoint",
        .value = "NAME",
        .help = "Of a run with several endpoints: only this one's table",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct read_options, endpoint),
    },
    {
        .name = "outcomes",
        .value = "FILE",
        .help =
            "Of a run: a table with a row for each input, its own values and what became of it: "
            "_key, _outcome, _status, _attempts, _error; without -o that alone",
        .kind = OPTION_CALL,
        .set = set_outcomes,
    },
    {
        .name = "partition",
        .help = "Of runs: -o OUT is a directory of Parquet files, one for each segment and "
                "endpoint; only those that have changed are made",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, partition),
    },
    {
        .name = "explode",
        .value = "POINTER",
        .help = "One row for each element of this array in a record: /items",
        .kind = OPTION_CALL,
        .set = set_explode,
    },
    {
        .name = "columns",
        .value = "LIST",
        .help = "These columns only, in this order, also those of a job's \"with\" by name: "
                "id,price=/price/amount,city",
        .kind = OPTION_CALL,
        .set = set_columns,
    },
    {
        .name = "unique",
        .value = "COL[,COL]",
        .help = "Of rows with the same values in these columns keep one",
        .kind = OPTION_CALL,
        .set = set_unique,
    },
    {
        .name = "keep",
        .words = ROW_KEEP_WORDS,
        .value = "first|last",
        .help =
            "Which one of them: the first in order, or the last, whose answer came last (first)",
        .kind = OPTION_CALL,
        .set = set_keep,
    },
    {
        .name = "as-of",
        .value = "TIME",
        .help = "Of a run: as if only answers until then had come (2026-01-31T12:00:00Z, a day, "
                "-7d); with --unique id --keep last the state of that time",
        .kind = OPTION_CALL,
        .set = set_as_of,
    },
    {
        .name = "changes",
        .help =
            "Of a run that polls or was asked again: what was added, changed and gone from round "
            "to round, by --unique",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, changes),
    },
    {
        .name = "expect",
        .value = "WHAT",
        .help = "\"rows >= 1000\", \"unique id\", \"not_null id\", \"types frozen\" or \"fresh "
                "updated_at < 2d\"; else exit 6, the table goes to NAME.rejected.ENDING, and the "
                "old one stays; may be repeated",
        .kind = OPTION_CALL,
        .set = expect_option_set,
        .repeats = true,
    },
    {
        .name = "where-present",
        .value = "COL",
        .help = "Drop rows without a value in this column",
        .kind = OPTION_CALL,
        .set = set_where_present,
    },
    {
        .name = "meta",
        .help = "Add where a record came from: " TABLE_META_NAMES,
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, spec.meta),
    },
    {
        .name = "sep",
        .value = "TEXT",
        .help = "Between the names that make a column's name (.)",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct read_options, spec.separator),
    },
    {
        .name = "max-depth",
        .value = "N",
        .help = "Keep objects deeper than N levels in a record as JSON",
        .kind = OPTION_COUNT,
        .offset = offsetof(struct read_options, spec.depth_max),
        .high = JSON_DEPTH_MAX,
    },
    {
        .name = "types",
        .help = "Take numbers in quotes for numbers, seconds since 1970 for times",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, spec.coerce),
    },
    {
        .name = "assume-utc",
        .help = "Take times without an offset for UTC; else they are in no zone",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, spec.assume_utc),
    },
    {
        .name = "memory",
        .value = "SIZE",
        .help = "Memory to stay within (512M); fewer workers with less",
        .kind = OPTION_CALL,
        .set = set_memory,
    },
    {
        .name = "strict",
        .help = "Exit with 9 when a record had to be skipped",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, strict),
    },
    OPTION_JSON(struct read_options,
                "The report as JSON on stdout: types, drift, what was skipped"),
};

static const struct option_row csv_rows[] = {
    {
        .name = "delimiter",
        .value = "CHAR",
        .help = "Between cells: , ; | : ^ ~ or tab (,)",
        .kind = OPTION_CALL,
        .set = set_delimiter,
    },
    {
        .name = "crlf",
        .help = "End lines with CR and LF",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, spec.csv.crlf),
    },
    {
        .name = "bom",
        .help = "Begin with a byte order mark, for Excel",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, spec.csv.bom),
    },
    {
        .name = "csv-safe",
        .help = "Put ' before texts that a spreadsheet would compute: = + - @ TAB CR",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, spec.csv.safe),
    },
};

static const struct option_group normalise_groups[] = {
    { "Options", ROWS(normalise_rows), 0 },
    { "CSV", ROWS(csv_rows), 0 },
    { "Databases", ROWS(normalise_database_rows), 0 },
};

static const char *const normalise_examples[] = {
    "scrapetop normalise api.example.org.run --records /items",
    "scrapetop normalise -o both.parquet monday.run tuesday.run",
    "scrapetop normalise -o items.parquet --explode /items bodies/*.json",
    "curl -s https://api.example.org/items | scrapetop normalise -",
    NULL,
};

const struct option_table normalise_table = {
    .command = "normalise",
    .synopsis = "[OPTIONS] RUN... | FILE... | -",
    .summary = "Make tables of stored bodies, never asking the network",
    .details = "FILE is a JSON document or JSON Lines. Without -o the table of a run goes to its "
               "directory, that of files to stdout. Several runs become one table: in the plan's "
               "order when they are of one job, else one run after the other.",
    GROUPS(normalise_groups),
    .examples = normalise_examples,
    .operand = read_options_add_operand,
};

static enum result init_output(const struct read_options *options, struct table_output *output,
                               struct err *err)
{
    if (options->partition) {
        output->format = table_format_named(STR("parquet"));
        return RESULT_OK;
    }
    return options->ddl ? table_output_init_like(output, output->path, options->ddl,
                                                 table_format_named(STR("postgres")), err)
                        : table_output_init(output, output->path, options->format, err);
}

/* What concerns several options together. */
static enum result finish(struct read_options *options, struct err *err)
{
    struct table_shape shape;
    enum result result = RESULT_OK;
    bool has_database = false;

    options->spec.depth_limited = options_have(&normalise_table, &options->given, "max-depth");
    options->spec.types = options->json;
    if (options->ddl && !options->output_count) {
        options->outputs[options->output_count++].path = "-";
    }
    for (size_t i = 0; i < options->output_count && result == RESULT_OK; i++) {
        struct table_output *output = &options->outputs[i];

        if (options->json && strcmp(output->path, "-") == 0) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "-o - and --json both want stdout");
        }
        result = init_output(options, output, err);
        has_database |= result == RESULT_OK && output->format->has_keys;
    }
    if (result != RESULT_OK) {
        return result;
    }
    if (options->outcomes.path) {
        result = table_output_init(&options->outcomes, options->outcomes.path, NULL, err);
        if (result != RESULT_OK) {
            return result;
        }
    }
    if (!has_database && (options->spec.table.data || options->spec.key_count)) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--table and --key are of a database; give -o FILE.db, -o postgresql://..., "
                       "-o FILE.sql for psql, or --format singer");
    }
    result = table_shape_init(&shape, &options->spec, false, err);
    if (result == RESULT_OK) {
        table_shape_release(&shape);
    }
    return result;
}

enum result normalise_options_parse(struct read_options *options, int argc, char **argv,
                                    struct err *err)
{
    enum result result = read_options_parse(options, &normalise_table, argc, argv, err);

    if (result == RESULT_OK && !options->given.help) {
        result = finish(options, err);
        if (result != RESULT_OK) {
            read_options_release(options);
        }
    }
    return result;
}
