#include "cmd/demo_options.h"

static enum result set_port(void *target, const char *value, struct err *err)
{
    struct demo_options *api = target;
    uint64_t port;
    enum result result = units_parse_count(str_view(value), 0, UINT16_MAX, &port, err);

    if (result == RESULT_OK) {
        api->port = (uint16_t)port;
    }
    return result;
}

/* "20/s" or "20/s:50". */
static enum result set_limit(void *target, const char *value, struct err *err)
{
    struct demo_options *api = target;
    struct str burst = str_view(value);
    struct str rate = str_cut(&burst, ':');
    uint64_t size = 0;
    enum result result = units_parse_rate(rate, &api->limit, err);

    if (result == RESULT_OK && burst.data) {
        result = units_parse_count(burst, 1, 1000000, &size, err);
    }
    api->limit_burst = (unsigned)size;
    return result;
}

static const struct option_row weather_rows[] = {
    {
        .name = "seed",
        .value = "N",
        .help = "What bodies and mishaps are made from (0)",
        .kind = OPTION_NUMBER,
        .offset = offsetof(struct demo_options, seed),
        .high = UINT64_MAX,
    },
    {
        .name = "latency",
        .value = "TIME",
        .help = "Time that an answer takes (0)",
        .kind = OPTION_TIME,
        .offset = offsetof(struct demo_options, latency_us),
    },
    {
        .name = "jitter",
        .value = "TIME",
        .help = "How far it may be from that (0)",
        .kind = OPTION_TIME,
        .offset = offsetof(struct demo_options, jitter_us),
    },
    {
        .name = "limit",
        .value = "RATE[:BURST]",
        .help = "Answer 429 with Retry-After beyond this rate (off)",
        .kind = OPTION_CALL,
        .set = set_limit,
    },
    {
        .name = "max-concurrent",
        .value = "N",
        .help = "Answers get slower beyond so many at once (off)",
        .kind = OPTION_COUNT,
        .offset = offsetof(struct demo_options, max_concurrent),
        .low = 1,
        .high = 1000000,
    },
    {
        .name = "fail",
        .value = "PART",
        .help = "Part of answers that are errors or resets: 2%",
        .kind = OPTION_FRACTION,
        .offset = offsetof(struct demo_options, fail),
    },
    {
        .name = "hang",
        .value = "PART",
        .help = "Part of requests that are never answered: 0.1%",
        .kind = OPTION_FRACTION,
        .offset = offsetof(struct demo_options, hang),
    },
    {
        .name = "truncate",
        .value = "PART",
        .help = "Part of bodies that are cut in the middle: 0.1%",
        .kind = OPTION_FRACTION,
        .offset = offsetof(struct demo_options, truncate),
    },
    {
        .name = "products",
        .value = "N",
        .help = "Products of the catalog (100000)",
        .kind = OPTION_NUMBER,
        .offset = offsetof(struct demo_options, products),
        .low = 1,
        .high = 100000000,
    },
    {
        .name = "token-life",
        .value = "TIME",
        .help = "How long a token of a login is good (1h)",
        .kind = OPTION_TIME,
        .offset = offsetof(struct demo_options, token_us),
    },
    {
        .name = "token-uses",
        .value = "N",
        .help = "How often it may be used (as often as one likes)",
        .kind = OPTION_NUMBER,
        .offset = offsetof(struct demo_options, token_uses),
        .high = UINT64_MAX,
    },
    {
        .name = "log",
        .value = "FILE",
        .help = "Write a line a request: time, status, URL",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct demo_options, log_path),
    },
};

static const struct option_row port_rows[] = {
    {
        .letter = 'p',
        .name = "port",
        .value = "N",
        .help = "Port on 127.0.0.1 (0: a free one)",
        .kind = OPTION_CALL,
        .set = set_port,
    },
};

static const struct option_row quick_rows[] = {
    {
        .name = "quick",
        .help = "Done within seconds",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct demo_command_options, quick),
    },
    {
        .name = "resume",
        .help = "Go on with the last demo: its server comes back at its port",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct demo_command_options, resume),
    },
};

#define ROWS(array) array, sizeof(array) / sizeof(array)[0]

static const struct option_group serve_groups[] = {
    { "Address", ROWS(port_rows), offsetof(struct serve_options, api) },
    { "Weather", ROWS(weather_rows), offsetof(struct serve_options, api) },
};

static const struct option_group demo_groups[] = {
    { "Demo", ROWS(quick_rows), 0 },
    { "Pace", ROWS(run_pace_rows), offsetof(struct demo_command_options, run.job) },
    { "Output", ROWS(run_output_rows), offsetof(struct demo_command_options, run) },
    { "Weather of the embedded API", ROWS(weather_rows),
      offsetof(struct demo_command_options, api) },
};

static const char *const serve_examples[] = {
    "scrapetop serve --port 8080 --latency 200ms --jitter 50ms",
    "scrapetop serve --limit 20/s:40 --fail 2% --truncate 0.1%",
    "curl 'http://127.0.0.1:8080/msapi/auctions/items?auctionid=103293'",
    NULL,
};

static const char *const demo_examples[] = {
    "scrapetop demo",
    "scrapetop demo --quick --plain",
    "scrapetop demo -c 50 --latency 1s --limit 30/s",
    "scrapetop demo --resume                  # go on with the one that was stopped",
    NULL,
};

const struct option_table serve_table = {
    .command = "serve",
    .synopsis = "[OPTIONS]",
    .summary = "Start the embedded API, for tests and practice",
    .details =
        "Prints its address and serves until it is told to stop. The same seed gives the same "
        "answers and the same mishaps.",
    .groups = serve_groups,
    .group_count = sizeof serve_groups / sizeof serve_groups[0],
    .examples = serve_examples,
};

const struct option_table demo_table = {
    .command = "demo",
    .synopsis = "[OPTIONS]",
    .summary = "Start the embedded API and scrape it, with every panel alive",
    .groups = demo_groups,
    .group_count = sizeof demo_groups / sizeof demo_groups[0],
    .examples = demo_examples,
};

static enum result check_weather(const struct demo_options *api, struct err *err)
{
    if (api->fail + api->hang + api->truncate > 1) {
        return err_set(err, RESULT_INVALID, "E-ARG5",
                       "--fail, --hang and --truncate are more than all answers together");
    }
    if (api->jitter_us > api->latency_us) {
        return err_set(err, RESULT_INVALID, "E-ARG2", "--jitter is above --latency");
    }
    return RESULT_OK;
}

enum result serve_options_parse(struct serve_options *options, int argc, char **argv,
                                struct err *err)
{
    enum result result;

    *options = (struct serve_options){ 0 };
    result = options_parse(&serve_table, argc, argv, options, &options->given, err);
    return result == RESULT_OK && !options->given.help ? check_weather(&options->api, err) : result;
}

enum result demo_options_parse(struct demo_command_options *options, int argc, char **argv,
                               struct err *err)
{
    enum result result;

    *options = (struct demo_command_options){ 0 };
    job_init(&options->run.job);
    result = options_parse(&demo_table, argc, argv, options, &options->given, err);
    if (result == RESULT_OK && !options->given.help &&
        options_have(&demo_table, &options->given, "latency")) {
        result = check_weather(&options->api, err);
    }
    if (result == RESULT_OK && !options->given.help) {
        result = run_options_check_tables(&options->run, err);
    }
    if (result != RESULT_OK) {
        demo_options_release(options);
    }
    return result;
}

void demo_options_release(struct demo_command_options *options)
{
    job_release(&options->run.job);
}
