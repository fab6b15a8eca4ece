#include "cmd/run_options.h"

#include "base/url.h"
#include "cmd/fleet_option.h"
#include "cmd/request_rows.h"
#include "cmd/shard_option.h"
#include "job/rows_job.h"
#include "session/run_job.h"

#include <string.h>

static enum result add_operand(void *target, const char *text, struct err *err)
{
    struct run_options *options = target;

    if (options->rows_are_taken) {
        return RESULT_OK;
    }
    if (strcmp(text, "-") == 0) {
        return run_add_list(&options->job, text, err);
    }
    if (run_job_is_file(text)) {
        if (options->job_file && options->job_file != text) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "two job files, %s and %s: give one",
                           options->job_file, text);
        }
        options->job_file = text;
        return RESULT_OK;
    }
    return job_add_source(&options->job.endpoints[0], JOB_SOURCE_PATTERN, str_view(text), err);
}

static enum result set_sweep(void *target, const char *value, struct err *err)
{
    struct run_options *options = target;

    return sweep_parse(&options->sweep, str_view(value), err);
}

static enum result set_class(void *target, const char *value, struct err *err)
{
    struct run_options *options = target;

    return follow_up_set_class(&options->follow_up, value, err);
}

static enum result add_var(void *target, const char *value, struct err *err)
{
    struct run_options *options = target;

    if (options->var_count == RUN_VARS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-ARG1", "more than %d variables", RUN_VARS_MAX);
    }
    options->vars[options->var_count++] = value;
    return RESULT_OK;
}

static const struct option_row file_rows[] = {
    {
        .name = "var",
        .value = "NAME=VALUE",
        .help = "Give a variable of the job file another value: --var "
                "day=yesterday; days in words are today, yesterday, -7d, month-start, year-start; "
                "--var 'key=${NAME}' fills a header from the environment, and is not stored",
        .kind = OPTION_CALL,
        .set = add_var,
        .repeats = true,
    },
    {
        .name = "rows",
        .value = "FILE",
        .help =
            "Ask the URL once for each row of FILE (CSV, TSV or JSON Lines); {id} in the URL is "
            "the row's column id. In a file with one value a line {row} is the line. - is stdin",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct run_options, rows),
    },
    {
        .name = "base",
        .value = "URL",
        .help = "Take this for the job file's \"base\": the same job against another server",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct run_options, base),
    },
};

static enum result set_answer(void *target, const char *value, struct err *err)
{
    return job_add_answer(target, str_view(value), err);
}

static const struct option_row answer_rows[] = {
    {
        .name = "answer",
        .value = "RULE",
        .help =
            "What an answer means, before what the job file says: 'status=404 do=empty', "
            "'at=/error/code is=rate_limited do=hold wait=30s', or JSON as in \"answers\"; do is "
            "one of " ANSWER_DO_WORDS,
        .kind = OPTION_CALL,
        .set = set_answer,
        .repeats = true,
    },
};

static enum result set_on(void *target, const char *value, struct err *err)
{
    return job_add_on(target, str_view(value), err);
}

static const struct option_row on_rows[] = {
    {
        .name = "on",
        .value = "RULE",
        .help = "What the run does by itself: '429 > 2% for 60s: cap /2', 'failed > 5%: pause', "
                "'idle > 10m: say nothing comes'; besides those of \"on\" in a job file",
        .kind = OPTION_CALL,
        .set = set_on,
        .repeats = true,
    },
};

static const struct option_row session_rows[] = {
    {
        .name = "only-failed",
        .help = "Of a run that exists: ask again what failed for good, and nothing else",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, only_failed),
    },
    {
        .name = "class",
        .words = "404 4xx 5xx " FAILURE_WORDS,
        .value = "CLASS",
        .help = "Of the failed ones only this class: 404, 4xx, 5xx, " FAILURE_WORDS,
        .kind = OPTION_CALL,
        .set = set_class,
    },
    {
        .name = "only-missing",
        .help = "Of a run that exists: retry requests that were started but not finished, failures "
                "included; start no new ones",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, only_missing),
    },
    {
        .name = "sweep",
        .value = "CAPS",
        .help =
            "Try these caps (5,10,20,40) one after the other, say which is best, and stop; what "
            "was fetched is kept",
        .kind = OPTION_CALL,
        .set = set_sweep,
    },
    {
        .name = "svg",
        .value = "FILE",
        .help = "Draw what the sweep found",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct run_options, svg),
    },
    {
        .name = "fresh",
        .help = "Start anew; an existing run is set aside, never deleted",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, fresh),
    },
    {
        .name = "prune",
        .help = "Leave out of the tables what the list or the job no longer names; it stays stored",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, prune),
    },
    {
        .name = "show-config",
        .help = "Print every value of the job and where it comes from; send nothing",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, show_config),
    },
    {
        .letter = 'n',
        .name = "dry-run",
        .help = "Print every request and what all will take, send none; with --json, that "
                "as one object",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct run_options, dry_run),
    },
    OPTION_ALLOW_CORE(struct run_options),
};

#define ROWS(array) array, sizeof(array) / sizeof(array)[0]

static const struct option_group groups[] = {
    { "What to ask", ROWS(run_source_rows), offsetof(struct run_options, job) },
    { NULL, ROWS(request_rows), offsetof(struct run_options, job) },
    { NULL, ROWS(run_cookie_rows), offsetof(struct run_options, job) },
    { NULL, ROWS(request_body_rows), offsetof(struct run_options, job) },
    { NULL, ROWS(run_shape_rows), offsetof(struct run_options, job) },
    { "As curl has it", as_curl_rows, AS_CURL_ROWS, offsetof(struct run_options, as_curl) },
    { NULL, curl_file_rows, CURL_FILE_ROWS, offsetof(struct run_options, files) },
    { "Network", network_rows, NETWORK_ROWS, offsetof(struct run_options, job) },
    { "Job files", ROWS(file_rows), 0 },
    { "Again and again", again_rows, AGAIN_ROWS, offsetof(struct run_options, again) },
    { NULL, ROWS(run_poll_rows), offsetof(struct run_options, job) },
    { "Answers", ROWS(answer_rows), offsetof(struct run_options, job) },
    { "Rules by event", ROWS(on_rows), offsetof(struct run_options, job) },
    { "Pace", ROWS(run_pace_rows), offsetof(struct run_options, job) },
    { "When to stop", run_limit_rows, RUN_LIMIT_ROWS, offsetof(struct run_options, job) },
    { "Output", ROWS(run_output_rows), 0 },
    { "Watching it", ROWS(run_watch_rows), 0 },
    { "Beyond one machine", fleet_rows, FLEET_ROWS, offsetof(struct run_options, job) },
    { "Session", ROWS(session_rows), 0 },
};

static const char *const examples[] = {
    "scrapetop run 'https://api.example.org/items/[1-5000]'",
    "scrapetop run -c 20 --rate 10/s 'https://api.example.org/posts?page=[1-100]'",
    "scrapetop run -H @secrets.txt --records /items --csv items.csv -i urls.txt",
    "scrapetop run catalog.json --cap 20      # a whole API, told in a job file",
    "scrapetop run --every 30s --count 120 https://api.example.org/trains.json",
    "scrapetop run -o api.example.org.run     # go on with a stopped run",
    NULL,
};

const struct option_table run_table = {
    .command = "run",
    .synopsis = "[OPTIONS] URL... | JOB.json | -i FILE | -o DIR",
    .summary = "Fetch URLs, keep every body, make a table of them",
    .details =
        "A job file tells a whole API: login, pages, details of what a list names; options go "
        "before what it says. URLs may hold patterns: [1-100] [001-100] [1-100:5] [a-z] {a,b}. "
        "When the run directory "
        "exists, the run goes on where it stopped. Times are 30, 250ms, 30s, 5m, 1h30m, "
        "sizes 500, 10k, 64M.",
    .groups = groups,
    .group_count = sizeof groups / sizeof groups[0],
    .examples = examples,
    .operand = add_operand,
};

static enum result usage(struct err *err, const char *text)
{
    return err_set(err, RESULT_INVALID, "E-ARG1", "%s", text);
}

/* A follow-up is one of what there is, of a run that exists. */
static enum result check_follow_up(struct run_options *options, struct err *err)
{
    struct follow_up *f = &options->follow_up;

    if (options->only_missing && (options->only_failed || f->class.class != FAILURE_NONE)) {
        return usage(err, "--only-missing asks failed ones of all classes, too: give it alone");
    }
    if (options->only_failed || options->only_missing) {
        f->kind = options->only_missing ? FOLLOW_UP_MISSING : FOLLOW_UP_FAILED;
    }
    if (f->kind != FOLLOW_UP_NONE && (options->fresh || options->dry_run)) {
        return usage(err, "--only-failed, --only-missing and --class go on with a run: not with "
                          "--fresh or --dry-run");
    }
    return RESULT_OK;
}

static enum result check_fleet(const struct run_options *o, struct err *err)
{
    bool begins = o->has_sources && !o->dry_run && !o->show_config;
    const struct fleet_beside beside = { .sweeps = o->sweep.cap_count > 0,
                                         .follows_up = o->follow_up.kind != FOLLOW_UP_NONE,
                                         .needs_place = begins && !o->run_dir };

    return fleet_option_check(&o->job, &beside, err);
}

static bool is_part(const struct run_options *o)
{
    return o->sweep.cap_count > 0 || o->follow_up.kind != FOLLOW_UP_NONE;
}

static enum result check_again(const struct run_options *o, struct err *err)
{
    return again_option_check(&o->again, &o->job, is_part(o), err);
}

bool run_options_ask_again(const struct run_options *o)
{
    return again_option_begins(&o->again, &o->job, is_part(o));
}

static enum result check_job_file(const struct run_options *options, struct err *err)
{
    static const char *const of_file[] = { "get",  "data-urlencode", "form",    "input", "request",
                                           "data", "globoff",        "records", "as",    "shape" };

    struct url url;

    if (options->base && !options->job_file) {
        return usage(err, "--base URL goes with a job file");
    }
    if (options->base && url_split(str_view(options->base), &url, err) != RESULT_OK) {
        err_prefix(err, "--base");
        return RESULT_INVALID;
    }
    if (options->var_count && !options->job_file && options->has_sources) {
        return usage(err, "--var goes with a job file, which says where a variable stands");
    }
    if (options->rows && options->job_file) {
        return usage(err, "--rows goes with a URL; a job file has \"vars\" for that");
    }
    if (options->show_config && !options->job_file && !options->has_sources) {
        return usage(err, "--show-config wants URLs or a job file");
    }
    if (options->job_file && options->has_sources) {
        return usage(err, "a job file and URLs are given: it says what is asked");
    }
    for (size_t i = 0; options->job_file && i < sizeof of_file / sizeof of_file[0]; i++) {
        if (options_have(&run_table, &options->given, of_file[i])) {
            return err_set(err, RESULT_INVALID, "E-ARG1",
                           "--%s is for URLs; with a job file, write it there", of_file[i]);
        }
    }
    return RESULT_OK;
}

static enum result check_poll(const struct job_poll *poll, struct err *err)
{
    return !poll->every_us && (poll->count || poll->until_us)
               ? usage(err, "--count and --until end --every TIME, which is not given")
               : RESULT_OK;
}

enum result run_options_check_tables(const struct run_options *options, struct err *err)
{
    for (size_t i = 0; i < options->output_count; i++) {
        if (options->json && strcmp(options->outputs[i].path, "-") == 0) {
            return usage(err, "a table to - and --json both want stdout");
        }
    }
    return RESULT_OK;
}

static enum result check_together(const struct run_options *options, struct err *err)
{
    if (run_options_check_tables(options, err) != RESULT_OK) {
        return RESULT_INVALID;
    }
    if (options->job.network.insecure && options->job.network.ca_file) {
        return usage(err, "--insecure takes any certificate, --cacert only some: give one of them");
    }
    if (options->svg && !options->sweep.cap_count) {
        return usage(err, "--svg draws a sweep: give --sweep CAPS");
    }
    if (options->sweep.cap_count && options->job.poll.every_us) {
        return usage(err,
                     "--sweep ends when its caps are tried, --every goes on: give one of them");
    }
    if (options->sweep.cap_count && options->job.pace.is_auto) {
        return usage(err, "--sweep and --auto both turn the cap: give one of them");
    }
    if (!options->has_sources && options->fresh) {
        return usage(err, "--fresh starts anew and so wants URLs, or -i FILE");
    }
    if (!options->has_sources && !options->run_dir) {
        return err_set(err, RESULT_INVALID, "E-ARG9",
                       "nothing to fetch: give a URL, -i FILE, or -o DIR of a run to go on with");
    }
    return RESULT_OK;
}

/* The command line once more, over another job: what its first reading has collected is forgotten. */
static enum result parse_again(struct run_options *options, int argc, char **argv, struct err *err)
{
    run_options_forget_lists(options);
    return options_parse(&run_table, argc, argv, options, &options->given, err);
}

/* The job is the file's, and the same argv is laid over it. */
static enum result take_job_file(struct run_options *options, int argc, char **argv,
                                 struct err *err)
{
    const struct job_given given = { .base = options->base,
                                     .vars = options->vars,
                                     .var_count = options->var_count };
    struct job job;
    enum result result = run_job_read(&job, options->job_file, &given, err);

    if (result != RESULT_OK) {
        return result;
    }
    job_release(&options->job);
    options->job = job;
    options->has_sources = true;
    return parse_again(options, argc, argv, err);
}

static bool has_method(const struct run_options *options)
{
    return options->files.has_method || options_have(&run_table, &options->given, "request");
}

/* One URL, once for each row. */
static enum result take_rows(struct run_options *options, int argc, char **argv, struct err *err)
{
    const struct job_endpoint *given = &options->job.endpoints[0];
    struct buf text = { .max = JOB_TEXT_MAX };
    struct job job;
    enum result result;

    if (given->source_count != 1 || given->sources[0].kind != JOB_SOURCE_PATTERN) {
        return usage(err, "--rows FILE wants one URL with {columns} in it, and no list");
    }
    if (options_have(&run_table, &options->given, "globoff")) {
        return usage(err, "--globoff leaves braces alone, --rows reads them: give one of them");
    }
    result = rows_job_text(options->rows, given->sources[0].text, &text, err);
    if (result == RESULT_OK) {
        result = run_job_parse(&job, buf_view(&text), err);
    }
    buf_release(&text);
    if (result != RESULT_OK) {
        return result;
    }
    job_release(&options->job);
    options->job = job;
    options->rows_are_taken = true;
    result = parse_again(options, argc, argv, err);
    if (result == RESULT_OK) {
        result = as_curl_lay_body(&options->as_curl, &options->job, err);
    }
    return result == RESULT_OK ? request_finish_body(&options->job, has_method(options), err)
                               : result;
}

/* What the command line alone is to be the job of. */
static enum result take_urls(struct run_options *options, struct err *err)
{
    enum result result = as_curl_lay_body(&options->as_curl, &options->job, err);

    if (result == RESULT_OK) {
        result = run_job_take_url_secrets(&options->job, err);
    }
    return result == RESULT_OK ? request_finish_body(&options->job, has_method(options), err)
                               : result;
}

/* Of a job file its requests stay as they are. */
static enum result lay_files(struct run_options *options, bool with_request, struct err *err)
{
    const struct curl_laying to = { &options->job, &run_table, &options->given, with_request };

    return curl_lay_files(&options->files, &to, err);
}

static bool has_shard(const struct run_options *options)
{
    return options_have(&run_table, &options->given, "shard");
}

/* As "meta" of every endpoint's table. */
static void lay_meta(struct run_options *options)
{
    for (size_t i = 0; options->meta && i < options->job.endpoint_count; i++) {
        options->job.endpoints[i].table.meta = true;
    }
}

enum result run_options_parse(struct run_options *options, int argc, char **argv, struct err *err)
{
    enum result result;

    *options = (struct run_options){ 0 };
    job_init(&options->job);
    if (!job_add_endpoint(&options->job)) {
        return err_nomem(err, "reading the command line");
    }
    result = options_parse(&run_table, argc, argv, options, &options->given, err);
    if (result == RESULT_OK && !options->given.help && !options->job_file) {
        result = lay_files(options, true, err);
    }
    if (result == RESULT_OK && !options->given.help) {
        options->has_sources = options->job.endpoints[0].source_count > 0;
        result = check_job_file(options, err);
        if (result == RESULT_OK && options->job_file) {
            result = take_job_file(options, argc, argv, err);
            result = result == RESULT_OK ? lay_files(options, false, err) : result;
        } else if (result == RESULT_OK) {
            result = options->rows ? take_rows(options, argc, argv, err) : take_urls(options, err);
            if (result == RESULT_OK && options->rows) {
                result = lay_files(options, false, err);
            }
        }
        if (result == RESULT_OK) {
            result = as_curl_lay_headers(&options->as_curl, &options->job, err);
        }
        if (result == RESULT_OK) {
            result = job_take_environment(&options->job, err);
        }
        if (result == RESULT_OK) {
            result = check_together(options, err);
        }
        if (result == RESULT_OK) {
            result = check_follow_up(options, err);
        }
        if (result == RESULT_OK) {
            result = shard_option_settle(&options->job, has_shard(options), err);
        }
        if (result == RESULT_OK) {
            result = check_fleet(options, err);
        }
        if (result == RESULT_OK) {
            result = check_again(options, err);
        }
        if (result == RESULT_OK && options->has_sources) {
            result = check_poll(&options->job.poll, err);
        }
        if (result == RESULT_OK && options->has_sources) {
            result = job_finish(&options->job, err);
        }
        lay_meta(options);
    }
    if (result != RESULT_OK) {
        run_options_release(options);
    }
    return result;
}

enum result run_options_lay_over(struct run_options *options, struct job *stored, int argc,
                                 char **argv, struct err *err)
{
    static const char *const fixed[] = { "var",     "rows", "request",        "data",
                                         "globoff", "get",  "data-urlencode", "form" };
    const struct job_shard shard = stored->shard;
    enum result result;

    if (!stored->endpoint_count) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "the run's job asks for nothing");
    }
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (options_have(&run_table, &options->given, fixed[i])) {
            return err_set(err, RESULT_INVALID, "E-ARG1",
                           "--%s cannot be changed for a run that exists", fixed[i]);
        }
    }
    job_release(&options->job);
    options->job = *stored;
    *stored = (struct job){ 0 };
    if (options_have(&run_table, &options->given, "answer")) {
        answer_rules_drop_first(
            &options->job.answers); /* those of an earlier session's command line */
    }
    if (options_have(&run_table, &options->given, "on")) {
        on_rules_drop_typed(&options->job.on);
    }
    result = parse_again(options, argc, argv, err);
    lay_meta(options);
    if (result == RESULT_OK) {
        result = shard_option_keep(&options->job, has_shard(options), &shard, err);
    }
    if (result == RESULT_OK) {
        result = lay_files(options, false, err);
    }
    if (result == RESULT_OK) {
        result = as_curl_lay_headers(&options->as_curl, &options->job, err);
    }
    if (result == RESULT_OK) {
        result = job_take_environment(&options->job, err);
    }
    if (result == RESULT_OK) {
        result = check_poll(&options->job.poll, err);
    }
    if (result == RESULT_OK) {
        result = check_fleet(options, err);
    }
    if (result == RESULT_OK) {
        result = check_again(options, err);
    }
    return result == RESULT_OK ? job_finish(&options->job, err) : result;
}

void run_options_forget_lists(struct run_options *options)
{
    options->output_count = 0;
    options->var_count = 0;
    options->again.since.count = 0;
    as_curl_release(&options->as_curl);
}

void run_options_release(struct run_options *options)
{
    as_curl_release(&options->as_curl);
    job_release(&options->job);
}
