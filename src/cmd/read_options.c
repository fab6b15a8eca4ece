#include "cmd/read_options.h"

#include "base/say.h"
#include "cmd/request_rows.h"
#include "fleet/place.h"

#include <stdio.h>
#include <stdlib.h>

static enum result add_answer(void *target, const char *text, struct err *err)
{
    struct read_options *options = target;
    const char **answers =
        reallocarray(options->answers, options->answer_count + 1, sizeof *answers);

    if (!answers) {
        return err_nomem(err, "reading the command line");
    }
    options->answers = answers;
    answers[options->answer_count++] = text;
    return RESULT_OK;
}

enum result read_options_add_operand(void *target, const char *text, struct err *err)
{
    struct read_options *options = target;
    const char **operands =
        reallocarray(options->operands, options->operand_count + 1, sizeof *operands);

    if (!operands) {
        return err_nomem(err, "reading the command line");
    }
    options->operands = operands;
    operands[options->operand_count++] = text;
    return RESULT_OK;
}

#define ROWS(array) array, sizeof(array) / sizeof(array)[0]
#define GROUPS(array) .groups = array, .group_count = sizeof(array) / sizeof(array)[0]

static const struct option_row raw_rows[] = {
    {
        .name = "dir",
        .value = "DIR",
        .help = "Write one file a body into DIR",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct read_options, dir),
    },
    {
        .name = "failed",
        .help = "Print what the server said at each failure: headers, and the head of the body",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, failed),
    },
    OPTION_JSON(struct read_options, "With --failed: JSON Lines"),
};

static const struct option_row replay_rows[] = {
    {
        .name = "speed",
        .value = "N",
        .help = "So many seconds of the run in one (60)",
        .kind = OPTION_COUNT,
        .offset = offsetof(struct read_options, speed),
        .low = 1,
        .high = 100000,
    },
};

static const struct option_row verify_rows[] = {
    {
        .name = "fleet",
        .value = "URL",
        .help =
            "And whether each request of the plan that the fleet there has as done is in one of "
            "these runs, its workers'",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct read_options, fleet),
    },
    OPTION_JSON(struct read_options, "As JSON"),
};

static const struct option_row status_rows[] = {
    {
        .name = "failed",
        .help = "List what has failed, each with its class, tries and reason",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, failed),
    },
    {
        .name = "check",
        .help =
            "Print nothing but what is wrong; exit code 0: live and well, 1: not well, 4: not live",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, check),
    },
    OPTION_JSON(struct read_options, "As JSON; with --failed as JSON Lines"),
};

static const struct option_row rules_rows[] = {
    {
        .name = "answer",
        .value = "RULE",
        .help = "Try this rule, too, before those of the job: 'status=404 do=empty'",
        .kind = OPTION_CALL,
        .set = add_answer,
        .repeats = true,
    },
    OPTION_JSON(struct read_options, "As JSON"),
};

static const struct option_group rules_groups[] = { { "Options", ROWS(rules_rows), 0 } };
static const struct option_group raw_groups[] = { { "Options", ROWS(raw_rows), 0 } };
static const struct option_group replay_groups[] = { { "Options", ROWS(replay_rows), 0 } };
static const struct option_group verify_groups[] = { { "Options", ROWS(verify_rows), 0 } };
static const struct option_group status_groups[] = { { "Options", ROWS(status_rows), 0 } };

static const char *const raw_examples[] = {
    "scrapetop raw api.example.org.run 103293 | jq .",
    "scrapetop raw --dir bodies api.example.org.run",
    "scrapetop raw --failed api.example.org.run",
    NULL,
};

const struct option_table raw_table = {
    .command = "raw",
    .synopsis = "[OPTIONS] RUN [KEY...]",
    .summary = "Print stored bodies, all or those of the keys given",
    GROUPS(raw_groups),
    .examples = raw_examples,
    .operand = read_options_add_operand,
};

const struct option_table verify_table = {
    .command = "verify",
    .synopsis = "[OPTIONS] RUN...",
    .summary = "Check every stored body against the ledger",
    .details =
        "Exit code 8 when a record, a segment or the ledger is damaged, or when what a fleet has "
        "as done is in none of the runs. Bytes that no record "
        "names, and what is not yet committed, are noted and are no damage. A line's crc32c is "
        "the CRC-32C of the line without its line feed and without the member crc32c itself, "
        "from the comma before it to the quote after it.",
    GROUPS(verify_groups),
    .operand = read_options_add_operand,
};

static const struct option_row compact_rows[] = {
    {
        .name = "retain",
        .value = "TIME",
        .help = "Of runs that poll: answers older than this (30d) go, and what they changed stays "
                "in the run's journal, for normalise --changes",
        .kind = OPTION_TIME,
        .offset = offsetof(struct read_options, retain_us),
        .low = 1,
    },
};

static const struct option_group compact_groups[] = { { "Options", ROWS(compact_rows), 0 } };

static const char *const compact_examples[] = {
    "scrapetop compact *.run",
    "scrapetop compact --retain 30d feed.run",
    NULL,
};

const struct option_table compact_table = {
    .command = "compact",
    .synopsis = "[OPTIONS] RUN...",
    .summary = "Pack what runs have stored, with zstd",
    .details = "raw/00000001.jsonl becomes raw/00000001.jsonl.zst, which all commands read as they "
               "did, and zstd -dc, too; the run goes on as before. Of a live run the last segment "
               "stays as it is. A kill at any moment loses nothing.",
    GROUPS(compact_groups),
    .examples = compact_examples,
    .operand = read_options_add_operand,
};

const struct option_table status_table = {
    .command = "status",
    .synopsis = "[OPTIONS] RUN...",
    .summary = "Count what a run has, live or at rest",
    .details = "RUN may be the URL of a fleet, redis://HOST/JOB: how far its job is, and its "
               "workers.",
    GROUPS(status_groups),
    .operand = read_options_add_operand,
};

static const char *const rules_examples[] = {
    "scrapetop rules api.example.org.run",
    "scrapetop rules api.example.org.run catalog.json",
    "scrapetop rules --answer 'at=/error do=retry' api.example.org.run",
    NULL,
};

const struct option_table rules_table = {
    .command = "rules",
    .synopsis = "[OPTIONS] RUN [JOB.json]",
    .summary = "Try rules for answers on those that a run has stored, never asking the network",
    .details =
        "How many answers each rule of the run's job, or of JOB.json, would have met, with three "
        "examples, and what no rule has met. Good answers are stored whole, but of their headers "
        "only Content-Type; failures with their headers and the head of their body. Where a "
        "condition cannot be told of an answer, its rule is passed over and that is counted.",
    GROUPS(rules_groups),
    .examples = rules_examples,
    .operand = read_options_add_operand,
};

const struct option_table replay_table = {
    .command = "replay",
    .synopsis = "[OPTIONS] RUN",
    .summary = "Show a run of the past in the dashboard",
    .details =
        "Drawn from the run's events.jsonl: counts, pace, latencies, what each cap gave, and "
        "the log; single requests are not in it. Left and Right go ten seconds back and "
        "forward, p stops and goes on. Without a terminal it prints a line a sample.",
    GROUPS(replay_groups),
    .operand = read_options_add_operand,
};

const struct option_table compare_table = {
    .command = "compare",
    .synopsis = "RUN RUN",
    .summary = "Set two runs side by side: counts, latencies, what each cap gave",
    .groups = NULL,
    .group_count = 0,
    .operand = read_options_add_operand,
};

static enum result check_raw(const struct read_options *options, struct err *err)
{
    if (options->failed && options->dir) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "--failed prints; it has no use for --dir");
    }
    if (options->json && !options->failed) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "raw --json goes with --failed; bodies are printed as they came");
    }
    return RESULT_OK;
}

static enum result check_operands(const struct read_options *options,
                                  const struct option_table *table, struct err *err)
{
    bool is_one = table == &replay_table;

    if (!options->operand_count) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "want scrapetop %s %s", table->command,
                       table->synopsis);
    }
    if (table == &compare_table && options->operand_count != 2) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "scrapetop compare takes two runs");
    }
    if (table == &rules_table && options->operand_count > 2) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "scrapetop rules takes one run and one job file; \"%.64s\" is one too many",
                       options->operands[2]);
    }
    if (is_one && options->operand_count > 1) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "scrapetop %s takes one run; \"%.64s\" is one too many", table->command,
                       options->operands[1]);
    }
    return RESULT_OK;
}

enum result read_options_parse(struct read_options *options, const struct option_table *table,
                               int argc, char **argv, struct err *err)
{
    enum result result;

    *options = (struct read_options){ .speed = 60 };
    result = options_parse(table, argc, argv, options, &options->given, err);
    if (result == RESULT_OK && !options->given.help) {
        result = check_operands(options, table, err);
        if (result == RESULT_OK && table == &raw_table) {
            result = check_raw(options, err);
        }
    }
    if (result != RESULT_OK) {
        read_options_release(options);
    }
    return result;
}

void read_options_print_run(const struct read_options *options, size_t at)
{
    if (options->operand_count > 1 && !options->json && !options->check) {
        struct str word = str_view(options->operands[at]), scheme = STR(""), rest = word;

        if (fleet_place_is_meant(word)) {
            fleet_place_show(word, &scheme, &rest);
        }
        printf("%s", at ? "\n" : "");
        say(stdout, "%.*s%.*s:", STR_ARG(scheme), STR_ARG(rest));
    }
}

void read_options_release(struct read_options *options)
{
    free(options->operands);
    free(options->picks);
    free(options->unique);
    free(options->expect_unique);
    free(options->expect_not_null);
    free(options->key);
    free(options->answers);
    options->answers = NULL;
    options->operands = NULL;
    options->picks = NULL;
    options->unique = options->expect_unique = options->expect_not_null = NULL;
    options->operand_count = 0;
}
