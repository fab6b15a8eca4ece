#include "engine/table_run.h"

#include "base/json_scan.h"
#include "base/units.h"
#include "base/utf8.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_INTERVAL_MS 200
#define PROGRESS_COLUMNS 79
#define LINE_COLUMNS 240

struct run {
    uv_loop_t loop;
    struct work work;
    struct table_build *build;
    uv_timer_t timer;
    uv_signal_t interrupt, terminate;
    const struct table_run_options *options;
    struct table_report *report;
};

static void print_progress(const struct table_build *build)
{
    static const char *const names[] = { "pass 1/2", "columns", "keys", "keys",
                                         "pass 2/2", "sync",    "done" };
    char bytes[UNITS_TEXT_MAX], line[2 * PROGRESS_COLUMNS];
    struct table_progress p;
    unsigned percent;

    table_build_progress(build, &p);
    percent = p.bytes_total     ? (unsigned)(100 * p.bytes / p.bytes_total)
              : p.records_total ? (unsigned)(100 * p.records / p.records_total)
                                : 0;
    units_format_bytes(p.bytes, bytes);
    snprintf(line, sizeof line, "%s %3u %%  %llu records  %llu rows  %s  %u/%u workers%s",
             names[p.phase], percent < 100 ? percent : 100, (unsigned long long)p.records,
             (unsigned long long)p.rows, bytes, p.busy, p.workers,
             p.cancelling ? "  cancelling" : "");
    fprintf(stderr, "\r%-*.*s", PROGRESS_COLUMNS, PROGRESS_COLUMNS, line);
}

static void on_timer(uv_timer_t *timer)
{
    struct run *run = timer->data;

    print_progress(run->build);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct run *run = signal->data;

    (void)number;
    table_build_cancel(run->build);
}

static void on_done(void *context, const struct table_report *report)
{
    struct run *run = context;

    *run->report = *report;
    run->report->output = run->options->table.output;
    uv_close((uv_handle_t *)&run->timer, NULL);
    uv_close((uv_handle_t *)&run->interrupt, NULL);
    uv_close((uv_handle_t *)&run->terminate, NULL);
}

static enum result start(struct run *run, struct err *err)
{
    const struct table_run_options *options = run->options;
    enum result result = table_build_start(&run->build, &run->work, &options->table,
                                           options->source, on_done, run, err);

    if (result != RESULT_OK) {
        return result;
    }
    uv_timer_init(&run->loop, &run->timer);
    uv_signal_init(&run->loop, &run->interrupt);
    uv_signal_init(&run->loop, &run->terminate);
    run->timer.data = run->interrupt.data = run->terminate.data = run;
    uv_signal_start(&run->interrupt, on_signal, SIGINT);
    uv_signal_start(&run->terminate, on_signal, SIGTERM);
    if (options->progress && isatty(STDERR_FILENO)) {
        uv_timer_start(&run->timer, on_timer, PROGRESS_INTERVAL_MS, PROGRESS_INTERVAL_MS);
    }
    return RESULT_OK;
}

enum result table_run(const struct table_run_options *options, struct table_report *report)
{
    struct run run = { .options = options, .report = report };

    *report = (struct table_report){ .output = options->table.output };
    if (uv_loop_init(&run.loop) != 0) {
        options->source->close(options->source);
        report->result = err_set(&report->err, RESULT_IO, "E-LOOP1", "cannot make an event loop");
        return report->result;
    }
    work_init(&run.work, &run.loop, work_limit_of_pool(work_pool_threads()));
    report->result = start(&run, &report->err);
    uv_run(&run.loop, UV_RUN_DEFAULT);
    table_build_free(run.build);
    uv_loop_close(&run.loop);
    if (options->progress && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%*s\r", PROGRESS_COLUMNS, "");
    }
    return report->result;
}

uint64_t table_report_skipped(const struct table_report *report)
{
    uint64_t count = 0;

    for (int i = 0; i < TABLE_SKIP_COUNT; i++) {
        count += report->skipped[i].count;
    }
    return count;
}

static void print_skips(const struct table_report *report, FILE *stream)
{
    for (int i = 0; i < TABLE_SKIP_COUNT; i++) {
        const struct table_skips *skips = &report->skipped[i];

        if (skips->count) {
            fprintf(stream, "scrapetop: %llu skipped: %s\n", (unsigned long long)skips->count,
                    table_skip_name((enum table_skip)i));
        }
        for (unsigned n = 0; n < skips->named; n++) {
            char safe[LINE_COLUMNS * 4];

            utf8_display(safe, sizeof safe, str_view(skips->first[n]), LINE_COLUMNS);
            fprintf(stream, "scrapetop:   %s\n", safe);
        }
    }
}

static void print_count(FILE *stream, uint64_t count, const char *what)
{
    if (count) {
        fprintf(stream, "scrapetop: %llu %s\n", (unsigned long long)count, what);
    }
}

void table_report_print(const struct table_report *report, FILE *stream)
{
    char wall[UNITS_TEXT_MAX], bytes[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX];
    char output[LINE_COLUMNS * 4];
    uint64_t wall_us = report->wall_us ? report->wall_us : 1;

    print_skips(report, stream);
    print_count(stream, report->duplicate_keys,
                "keys stood twice in one object: the last was kept");
    print_count(stream, report->lone_surrogates, "escapes of half a character became U+FFFD");
    print_count(stream, report->columns_renamed, "columns got a suffix, as their name was taken");
    if (report->result != RESULT_OK) {
        return;
    }
    units_format_time(report->wall_us, wall);
    units_format_bytes(report->bytes_in, bytes);
    units_format_bytes((uint64_t)((double)report->bytes_in * 1e6 / (double)wall_us), rate);
    utf8_display(output, sizeof output, str_view(report->output), LINE_COLUMNS);
    fprintf(stream, "scrapetop: %llu rows, %u columns from %llu records (%s) in %s (%s/s): %s\n",
            (unsigned long long)report->rows, report->columns, (unsigned long long)report->records,
            bytes, wall, rate, output);
}

static enum result json_skips(const struct table_skips *skips, const char *name, struct buf *out)
{
    enum result result = buf_printf(out, "\"%s\":{\"count\":%llu,\"first\":[", name,
                                    (unsigned long long)skips->count);

    for (unsigned n = 0; result == RESULT_OK && n < skips->named; n++) {
        char safe[TABLE_SKIP_TEXT * 4];

        utf8_display(safe, sizeof safe, str_view(skips->first[n]), sizeof safe);
        result = n ? buf_append_char(out, ',') : RESULT_OK;
        result = result == RESULT_OK ? json_append_string(out, str_view(safe)) : result;
    }
    return result == RESULT_OK ? buf_append(out, "]}", 2) : result;
}

enum result table_report_json(const struct table_report *r, struct buf *out)
{
    static const char *const names[TABLE_SKIP_COUNT] = { "invalid", "not_json", "no_match",
                                                         "damaged" };
    char safe[LINE_COLUMNS * 4];
    enum result result = buf_append(out, "{\"output\":", 10);

    utf8_display(safe, sizeof safe, str_view(r->output), LINE_COLUMNS);
    result = result == RESULT_OK ? json_append_string(out, str_view(safe)) : result;
    result = result == RESULT_OK
                 ? buf_printf(out,
                              ",\"records\":%llu,\"rows\":%llu,\"columns\":%u,\"renamed\":%u,"
                              "\"duplicate_keys\":%llu,\"lone_surrogates\":%llu,\"empty\":%llu,"
                              "\"bytes_in\":%llu,\"bytes_out\":%llu,\"wall_s\":%.3f,"
                              "\"cpu_s\":%.3f,\"skipped\":{",
                              (unsigned long long)r->records, (unsigned long long)r->rows,
                              r->columns, r->columns_renamed, (unsigned long long)r->duplicate_keys,
                              (unsigned long long)r->lone_surrogates, (unsigned long long)r->empty,
                              (unsigned long long)r->bytes_in, (unsigned long long)r->bytes_out,
                              (double)r->wall_us / 1e6, (double)r->cpu_us / 1e6)
                 : result;
    for (int i = 0; result == RESULT_OK && i < TABLE_SKIP_COUNT; i++) {
        result = i ? buf_append_char(out, ',') : RESULT_OK;
        result = result == RESULT_OK ? json_skips(&r->skipped[i], names[i], out) : result;
    }
    return result == RESULT_OK ? buf_append(out, "}}", 2) : result;
}
