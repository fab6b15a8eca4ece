/* What `run` leaves, shows and tells: tables, lines, metrics. */
#include "cmd/run_options.h"

#include "cmd/request_rows.h"
#include "table/table_spec.h"

#include <string.h>

/* One file more. */
static enum result add_output(struct run_options *options, const struct table_output *output,
                              struct err *err)
{
    for (size_t i = 0; i < options->output_count; i++) {
        if (strcmp(options->outputs[i].path, output->path) == 0) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "%s is to be written twice",
                           output->path);
        }
    }
    if (options->output_count == TABLE_OUTPUTS_MAX) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "more than %d tables", TABLE_OUTPUTS_MAX);
    }
    options->outputs[options->output_count++] = *output;
    return RESULT_OK;
}

static enum result set_csv(void *target, const char *value, struct err *err)
{
    struct table_output output;

    if (table_output_init(&output, value, NULL, NULL) != RESULT_OK ||
        (output.format != &csv_format && output.format != &tsv_format)) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "%s: CSV is no such file by its name; end it in .csv or .tsv, or say "
                       "--to %s",
                       value, value);
    }
    return add_output(target, &output, err);
}

static enum result set_parquet(void *target, const char *value, struct err *err)
{
    struct table_output output;

    if (strcmp(value, "-") == 0) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "wants a file, not stdout");
    }
    if (table_output_init(&output, value, NULL, NULL) != RESULT_OK ||
        table_output_init(&output, value, &parquet_format, NULL) != RESULT_OK) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "%s: Parquet is no such file by its name; end it in .parquet", value);
    }
    return add_output(target, &output, err);
}

static enum result set_to(void *target, const char *value, struct err *err)
{
    struct table_output output;
    enum result result = table_output_init(&output, value, NULL, err);

    return result == RESULT_OK ? add_output(target, &output, err) : result;
}

const struct option_row run_output_rows[RUN_OUTPUT_ROWS] = {
    {
        .letter = 'o',
        .name = "output",
        .value = "DIR",
        .help = "Run directory (./NAME.run, NAME being the first URL's host)",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct run_options, run_dir),
    },
    {
        .name = "csv",
        .value = "FILE",
        .help = "Write the table at the end; - is stdout",
        .kind = OPTION_CALL,
        .set = set_csv,
    },
    {
        .name = "parquet",
        .value = "FILE",
        .help = "Write the table at the end as Parquet, typed",
        .kind = OPTION_CALL,
        .set = set_parquet,
    },
    {
        .name = "to",
        .value = "FILE",
        .help =
            "Write the table at the end as the file's ending says (TABLES in the manual), or to "
            "postgresql://...; may be repeated",
        .kind = OPTION_CALL,
        .set = set_to,
        .repeats = true,
    },
    {
        .name = "copy-to",
        .value = "s3://BUCKET/PREFIX",
        .help = "Copy the stored lines there while they come, compressed",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct run_options, copy_to),
    },
    {
        .name = "copy-every",
        .value = "TIME",
        .help = "How often --copy-to copies (1m); once more at the end",
        .kind = OPTION_TIME,
        .offset = offsetof(struct run_options, copy_every_us),
        .low = 100000,
    },
    {
        .name = "meta",
        .help = "Tables also say where a record came from: " TABLE_META_NAMES,
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, meta),
    },
    {
        .name = "plain",
        .help = "No dashboard: a line now and then; on a terminal, commands typed as words (help)",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, plain),
    },
    {
        .name = "notify",
        .help = "Progress as the terminal's title; a bell and a notification at the end and at the "
                "first 429",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, notify),
    },
    {
        .name = "exit",
        .help = "Leave the dashboard when all is done, instead of staying to be read",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, exit),
    },
    {
        .name = "no-socket",
        .help = "No control socket: nobody can attach to the run",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, no_socket),
    },
    OPTION_JSON(struct run_options, "The final report as JSON on stdout"),
};

static enum result set_metrics(void *target, const char *value, struct err *err)
{
    struct run_options *options = target;

    options->monitor.metrics = value;
    return metrics_server_check(value, err);
}

static enum result set_ping(void *target, const char *value, struct err *err)
{
    struct run_options *options = target;

    options->ping = value;
    return strncmp(value, "https://", 8) == 0 || strncmp(value, "http://", 7) == 0
               ? RESULT_OK
               : err_set(
                     err, RESULT_INVALID, "E-ARG1",
                     "--ping wants a URL of http or https (it is not shown here, as it may be a "
                     "secret)");
}

const struct option_row run_watch_rows[RUN_WATCH_ROWS] = {
    {
        .name = "detach",
        .help = "Start in the background; scrapetop attach comes back to it",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, detach),
    },
    {
        .letter = 'q',
        .name = "quiet",
        .help = "Lines only for warnings and errors; none at all when all is well",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, quiet),
    },
    {
        .name = "progress",
        .value = "TIME",
        .help = "Time between lines of progress (5s; after ten minutes 1m, after two hours 10m)",
        .kind = OPTION_TIME,
        .offset = offsetof(struct run_options, progress_us),
        .low = 100000,
    },
    {
        .name = "metrics",
        .value = "ADDR:PORT",
        .help = "Serve OpenMetrics at /metrics, and /healthz; 127.0.0.1:9464",
        .kind = OPTION_CALL,
        .set = set_metrics,
    },
    {
        .name = "metrics-file",
        .value = "FILE",
        .help = "Write the metrics every 15 s, for node_exporter's textfile collector",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct run_options, monitor.metrics_file),
    },
    {
        .name = "status-file",
        .value = "FILE",
        .help = "Write the totals every second, as JSON",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct run_options, monitor.status_file),
    },
    {
        .name = "on-end",
        .value = "COMMAND",
        .help = "Run this by /bin/sh at the end, with the report as JSON on its stdin",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct run_options, on_end),
    },
    {
        .name = "ping",
        .value = "URL",
        .help = "GET URL/start at the start; at the end URL, or URL/EXIT when all is not well",
        .kind = OPTION_CALL,
        .set = set_ping,
    },
};
