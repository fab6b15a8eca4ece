#include "table/table_run.h"

#include "base/units.h"

#include <signal.h>
#include <unistd.h>

#define PROGRESS_INTERVAL_MS 200
#define PROGRESS_COLUMNS 79

/* Each cancels: what there is of the table is taken away. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
#define SIGNAL_COUNT (sizeof signals / sizeof signals[0])

struct run {
    uv_loop_t loop;
    struct work work;
    struct table_build *build;
    uv_timer_t timer;
    uv_signal_t signals[SIGNAL_COUNT];
    const struct table_run_options *options;
    struct table_report *report;
};

static void print_progress(const struct table_build *build)
{
    static const char *const names[] = {
        [TABLE_LEARNING] = "pass 1/2", [TABLE_SETTLING] = "columns", [TABLE_KEYING] = "keys",
        [TABLE_KEYED] = "keys",        [TABLE_CHECKING] = "check",   [TABLE_CHECKED] = "check",
        [TABLE_WRITING] = "pass 2/2",  [TABLE_COMMITTING] = "sync",  [TABLE_ENDED] = "done",
    };
    char bytes[UNITS_TEXT_MAX], line[2 * PROGRESS_COLUMNS];
    struct table_progress p;
    unsigned percent;

    table_build_progress(build, &p);
    percent = p.bytes_total     ? (unsigned)(100 * p.bytes / p.bytes_total)
              : p.records_total ? (unsigned)(100 * p.records / p.records_total)
                                : 0;
    units_format_bytes(p.bytes, bytes);
    snprintf(line, sizeof line, "%s %3u %%  %llu record%s  %llu row%s  %s  %u/%u workers%s",
             p.at_once ? "pass 1/1" : names[p.phase], percent < 100 ? percent : 100,
             (unsigned long long)p.records, units_plural(p.records), (unsigned long long)p.rows,
             units_plural(p.rows), bytes, p.busy, p.workers, p.cancelling ? "  cancelling" : "");
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
    run->report->outputs = run->options->table.outputs;
    run->report->schema = table_build_take_schema(run->build);
    uv_close((uv_handle_t *)&run->timer, NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&run->signals[i], NULL);
    }
}

/* One that is ignored stays so: nohup means it. */
static void watch_signals(struct run *run)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction action;

        uv_signal_init(&run->loop, &run->signals[i]);
        run->signals[i].data = run;
        if (sigaction(signals[i], NULL, &action) != 0 || action.sa_handler != SIG_IGN) {
            uv_signal_start(&run->signals[i], on_signal, signals[i]);
        }
    }
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
    run->timer.data = run;
    watch_signals(run);
    if (options->progress && isatty(STDERR_FILENO)) {
        uv_timer_start(&run->timer, on_timer, PROGRESS_INTERVAL_MS, PROGRESS_INTERVAL_MS);
    }
    return RESULT_OK;
}

enum result table_run(const struct table_run_options *options, struct table_report *report)
{
    struct run run = { .options = options, .report = report };

    *report = (struct table_report){ .outputs = options->table.outputs,
                                     .output_count = options->table.output_count };
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
