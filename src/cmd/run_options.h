/**
 * What `run` is told on its command line: a job, and what to do with it.
 *
 * With a URL or a list the command line is the whole job. With a job file that is the job, and the options
 * given are laid over it. With none of them it names a run directory (-o), whose
 * job.json the caller reads; the options given are then laid over that job by run_options_lay_over.
 *
 * Ownership  run_options_release frees the job; all other texts point into argv.
 * Errors     those of cmd/options.h and job/job.h.
 */
#ifndef SCRAPETOP_CMD_RUN_OPTIONS_H
#define SCRAPETOP_CMD_RUN_OPTIONS_H

#include "cmd/options.h"
#include "cmd/again_option.h"
#include "cmd/as_curl_rows.h"
#include "cmd/curl_lay.h"
#include "cmd/network_rows.h"
#include "cmd/run_rows.h"
#include "engine/follow_up.h"
#include "engine/sweep.h"
#include "job/job.h"
#include "table/format.h"

#include "session/monitor.h"

#include <stdbool.h>

#define RUN_VARS_MAX 64

struct run_options {
    struct job job;
    struct as_curl as_curl;
    struct curl_files files;
    const char *job_file;           /* an operand; NULL: none */
    const char *rows;               /* --rows: a file, "-" for stdin; NULL: none */
    const char *vars[RUN_VARS_MAX]; /* --var: "NAME=VALUE" */
    size_t var_count;
    const char *base;                               /* --base; NULL: the job file's own */
    const char *run_dir;                            /* -o; NULL: ./NAME.run */
    struct table_output outputs[TABLE_OUTPUTS_MAX]; /* --csv, --parquet, --to */
    size_t output_count;
    const char *svg;            /* --svg; NULL: none */
    struct sweep sweep;         /* --sweep: its caps; none when cap_count is 0 */
    struct follow_up follow_up; /* --only-failed, --only-missing, --class */
    bool only_failed, only_missing;
    struct again_option again; /* --again, --older-than */
    bool meta, plain, notify, exit, no_socket, json, fresh, prune, dry_run, show_config, allow_core;
    bool detach, quiet;
    uint64_t progress_us; /* --progress; 0: as plain lines do by themselves */
    struct monitor_options monitor;
    const char *on_end, *ping; /* NULL: none */
    const char *copy_to;       /* NULL: nowhere */
    uint64_t copy_every_us;    /* 0: as line_copy.h says */
    bool rows_are_taken;       /* the URL stands in the job, a row's columns in it */
    bool has_sources;          /* a URL, a list or a job file was given */
    struct options_given given;
};

extern const struct option_table run_table;
extern const struct option_table
    sweep_table; /* of `sweep CAPS ...`, which is `run --sweep CAPS ...` */

/** Of --csv, --parquet and --to; of `demo` as well. */
MUST_CHECK enum result run_options_check_tables(const struct run_options *options, struct err *err);

/* Shared with `demo`. */
#define RUN_OUTPUT_ROWS 12
extern const struct option_row run_output_rows[RUN_OUTPUT_ROWS]; /* into a struct run_options */
#define RUN_WATCH_ROWS 8
extern const struct option_row run_watch_rows[RUN_WATCH_ROWS]; /* likewise, of `run` alone */

/** Fills `options` from argv; when RESULT_OK and `given.help` is set, nothing else is to be looked at.
 *  Without sources the job is not finished. On failure there is nothing to release. */
MUST_CHECK enum result run_options_parse(struct run_options *options, int argc, char **argv,
                                         struct err *err);

/** Takes `stored`, the job of an existing run, for the options' job and lays the options of the same
 *  argv over it. What would change its requests (-X, -d, -g) is refused. */
MUST_CHECK enum result run_options_lay_over(struct run_options *options, struct job *stored,
                                            int argc, char **argv, struct err *err);

/** Whether a run that has ended begins a further round. */
bool run_options_ask_again(const struct run_options *options);

/** What a command line has collected, before it is read once more into the same struct. */
void run_options_forget_lists(struct run_options *options);

void run_options_release(struct run_options *options);

#endif
