#include "cmd/read_options.h"

#include <stdlib.h>
#include <string.h>

static enum result set_records(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    if (value[0] && value[0] != '/') {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "\"%.64s\" is not a JSON Pointer; want for example /items or /data/*/rows",
                       value);
    }
    options->records = value;
    return RESULT_OK;
}

static enum result add_operand(void *target, const char *text, struct err *err)
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

static const struct option_row normalise_rows[] = {
    {
        .letter = 'o',
        .name = "output",
        .value = "FILE",
        .help = "Table to write, its ending says how (.csv); - is stdout",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct read_options, output),
    },
    {
        .name = "records",
        .value = "POINTER",
        .help = "Where in a body its records are: /items, /data/*/rows",
        .kind = OPTION_CALL,
        .set = set_records,
    },
    {
        .name = "meta",
        .help = "Add the columns _key and _source_file",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, meta),
    },
    {
        .name = "strict",
        .help = "Exit with 9 when a record had to be skipped",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, strict),
    },
};

static const struct option_row raw_rows[] = {
    {
        .name = "dir",
        .value = "DIR",
        .help = "Write one file a body into DIR",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct read_options, dir),
    },
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

/* Of verify, too. */
static const struct option_row status_rows[] = {
    {
        .name = "json",
        .help = "As JSON",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct read_options, json),
    },
};

static const struct option_group normalise_groups[] = { { "Options", ROWS(normalise_rows), 0 } };
static const struct option_group raw_groups[] = { { "Options", ROWS(raw_rows), 0 } };
static const struct option_group replay_groups[] = { { "Options", ROWS(replay_rows), 0 } };
static const struct option_group status_groups[] = { { "Options", ROWS(status_rows), 0 } };

static const char *const normalise_examples[] = {
    "scrapetop normalise api.example.org.run --records /items",
    "scrapetop normalise -o items.csv bodies/*.json",
    "curl -s https://api.example.org/items | scrapetop normalise -",
    NULL,
};

static const char *const raw_examples[] = {
    "scrapetop raw api.example.org.run 103293 | jq .",
    "scrapetop raw --dir bodies api.example.org.run",
    NULL,
};

const struct option_table normalise_table = {
    .command = "normalise",
    .synopsis = "[OPTIONS] RUN | FILE... | -",
    .summary = "Make tables of stored bodies, never asking the network",
    .details = "FILE is a JSON document or JSON Lines. Without -o the table of a run goes to its "
               "directory, that of files to stdout.",
    GROUPS(normalise_groups),
    .examples = normalise_examples,
    .operand = add_operand,
};

const struct option_table raw_table = {
    .command = "raw",
    .synopsis = "[OPTIONS] RUN [KEY...]",
    .summary = "Print stored bodies, all or those of the keys given",
    GROUPS(raw_groups),
    .examples = raw_examples,
    .operand = add_operand,
};

const struct option_table verify_table = {
    .command = "verify",
    .synopsis = "[OPTIONS] RUN",
    .summary = "Check every stored body against the ledger",
    .details =
        "Exit code 8 when a record, a segment or the ledger is damaged. Bytes that no record "
        "names, and what is not yet committed, are noted and are no damage. A line's crc32c is "
        "the CRC-32C of the line without its line feed and without the member crc32c itself, "
        "from the comma before it to the quote behind it.",
    GROUPS(status_groups),
    .operand = add_operand,
};

const struct option_table status_table = {
    .command = "status",
    .synopsis = "[OPTIONS] RUN",
    .summary = "Count what a run has, live or at rest",
    GROUPS(status_groups),
    .operand = add_operand,
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
    .operand = add_operand,
};

const struct option_table compare_table = {
    .command = "compare",
    .synopsis = "RUN RUN",
    .summary = "Set two runs side by side: counts, latencies, what each cap gave",
    .groups = NULL,
    .group_count = 0,
    .operand = add_operand,
};

static enum result check_operands(const struct read_options *options,
                                  const struct option_table *table, struct err *err)
{
    bool many = table == &normalise_table || table == &raw_table;

    if (!options->operand_count) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "want scrapetop %s %s", table->command,
                       table->synopsis);
    }
    if (table == &compare_table && options->operand_count != 2) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "scrapetop compare takes two runs");
    }
    many = many || table == &compare_table;
    if (!many && options->operand_count > 1) {
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
    }
    if (result != RESULT_OK) {
        read_options_release(options);
    }
    return result;
}

void read_options_release(struct read_options *options)
{
    free(options->operands);
    options->operands = NULL;
    options->operand_count = 0;
}
