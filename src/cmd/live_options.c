#include "cmd/live_options.h"

#include "base/message.h"
#include "cmd/request_rows.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(rows) rows, sizeof rows / sizeof rows[0]
#define GROUPS(list) .groups = list, .group_count = sizeof list / sizeof list[0]
#define FOLLOW_WORDS "totals snapshot events"

static enum result add_operand(void *target, const char *text, struct err *err)
{
    struct live_options *options = target;
    const char **operands =
        reallocarray(options->operands, options->operand_count + 1, sizeof *operands);

    if (!operands) {
        return err_nomem(err, "reading the command line");
    }
    options->operands = operands;
    options->operands[options->operand_count++] = text;
    return RESULT_OK;
}

static enum result set_follow(void *target, const char *value, struct err *err)
{
    struct live_options *options = target;

    if (strcmp(value, "totals") != 0 && strcmp(value, "snapshot") != 0 &&
        strcmp(value, "events") != 0) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "\"%.32s\" cannot be followed; want totals, snapshot or events", value);
    }
    options->follow = value;
    return RESULT_OK;
}

static const struct option_row attach_rows[] = {
    {
        .letter = 'r',
        .name = "read-only",
        .help = "Only look: no key steers the run",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct live_options, read_only),
    },
    {
        .name = "plain",
        .help = "No dashboard: a line now and then",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct live_options, plain),
    },
};

static const struct option_row ctl_rows[] = {
    {
        .name = "follow",
        .value = "WHAT",
        .help = "Print JSON Lines until the run ends: totals, snapshot or events; the exit code is "
                "the run's",
        .kind = OPTION_CALL,
        .set = set_follow,
        .words = FOLLOW_WORDS,
    },
    {
        .name = "stdio",
        .help = "Carry stdin to the run's socket and back: what attach HOST:RUN uses",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct live_options, stdio),
    },
};

static const struct option_row ls_rows[] = {
    OPTION_JSON(struct live_options, "A JSON object a line"),
};

static const struct option_row job_rows[] = {
    OPTION_JSON(struct live_options, "ls: a JSON object for each job"),
    {
        .name = "yes",
        .help = "forget and remove do it; without it they say what they would do",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct live_options, yes),
    },
};

static const struct option_group attach_groups[] = { { "Options", ROWS(attach_rows), 0 } };
static const struct option_group ctl_groups[] = { { "Options", ROWS(ctl_rows), 0 } };
static const struct option_group ls_groups[] = { { "Options", ROWS(ls_rows), 0 } };

static const struct option_group fleet_groups[] = { { "Options", ROWS(job_rows), 0 } };

static const char *const attach_examples[] = {
    "scrapetop attach",
    "scrapetop attach api.example.org.run",
    "scrapetop attach -r build1.example.org:/srv/catalog.run",
    NULL,
};

static const char *const ctl_examples[] = {
    "scrapetop ctl api.example.org.run cap 20",
    "scrapetop ctl api.example.org.run | jq .requests_per_s",
    "scrapetop ctl api.example.org.run --follow events",
    "scrapetop ctl redis://10.0.0.5/catalog cap 40",
    NULL,
};

static const char *const fleet_examples[] = {
    "scrapetop fleet ls redis://10.0.0.5",
    "scrapetop fleet forget redis://10.0.0.5/catalog build1-0a1b2c3d --yes",
    "scrapetop fleet remove redis://10.0.0.5/catalog --yes",
    NULL,
};

const struct option_table attach_table = {
    .command = "attach",
    .synopsis = "[OPTIONS] [RUN | PID | HOST:RUN | URL]",
    .summary = "Come back to a live run: its dashboard, from any terminal",
    .details =
        "Several may look at a run at once. q leaves and the run goes on; Q ends it. Without "
        "an operand it is the one live run of this user. HOST:RUN goes by ssh to a machine "
        "that has scrapetop, too. Without a terminal it prints lines. The URL of a fleet, "
        "redis://HOST/JOB, is all of its workers: keys steer them all, Enter shows one of this "
        "machine by itself.",
    GROUPS(attach_groups),
    .examples = attach_examples,
    .operand = add_operand,
};

const struct option_table ctl_table = {
    .command = "ctl",
    .synopsis = "[OPTIONS] RUN [WORDS...]",
    .summary = "Steer a live run from a script, or read its figures",
    .details = "The words are those that can be typed for a plain run: \"cap 20\", \"pause\", "
               "\"resume\", \"rate 5/s\", \"drain\"; \"help\" lists them. Without words it prints "
               "one snapshot as JSON. RUN may be the URL of a fleet: then cap, rate, pause, "
               "resume and drain are for all of its workers. Exit codes: 0 done, 2 refused, 4 no "
               "such live run, "
               "1 it is live but does not answer.",
    GROUPS(ctl_groups),
    .examples = ctl_examples,
    .operand = add_operand,
};

const struct option_table ls_table = {
    .command = "ls",
    .synopsis = "[OPTIONS]",
    .summary = "List the live runs of this user",
    .details = "Without a live one: the latest ten runs at rest in the directory where you stand. "
               "--json has the live ones only.",
    GROUPS(ls_groups),
};

const struct option_table fleet_table = {
    .command = "fleet",
    .synopsis = "ls URL | forget URL WORKER | remove URL",
    .summary = "List the jobs that workers share in a Redis, forget a worker, remove a job",
    .details = "forget is for a worker that never returns, its disk lost: what it alone had is "
               "asked again by the others. remove takes a job out of Redis; run directories keep "
               "what they have. URL as after run --fleet. status URL tells of one job and its "
               "workers, ctl URL steers them all.",
    GROUPS(fleet_groups),
    .examples = fleet_examples,
    .operand = add_operand,
};

static enum result check_fleet(const struct live_options *options, struct err *err)
{
    static const char *const verbs[] = { "ls", "forget", "remove", NULL };
    static const size_t counts[] = { 2, 3, 2 };

    for (size_t i = 0; verbs[i] && options->operand_count; i++) {
        if (strcmp(options->operands[0], verbs[i]) == 0 && options->operand_count == counts[i]) {
            return RESULT_OK;
        }
    }
    return err_set(err, RESULT_INVALID, "E-ARG1", "want scrapetop fleet %s", fleet_table.synopsis);
}

static enum result check(const struct live_options *options, const struct option_table *table,
                         struct err *err)
{
    if (table == &attach_table && options->operand_count > 1) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "scrapetop attach takes one run; \"%.64s\" is one too many",
                       options->operands[1]);
    }
    if (table == &fleet_table) {
        return check_fleet(options, err);
    }
    if (table != &ctl_table) {
        return RESULT_OK;
    }
    if (!options->operand_count) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "want scrapetop ctl %s", ctl_table.synopsis);
    }
    if ((options->follow || options->stdio) && options->operand_count > 1) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "--%s takes no words",
                       options->follow ? "follow" : "stdio");
    }
    return RESULT_OK;
}

enum result live_options_parse(struct live_options *options, const struct option_table *table,
                               int argc, char **argv, struct err *err)
{
    enum result result;

    *options = (struct live_options){ .operands = NULL };
    result = options_parse(table, argc, argv, options, &options->given, err);
    if (result == RESULT_OK && !options->given.help) {
        result = check(options, table, err);
    }
    if (result != RESULT_OK) {
        live_options_release(options);
    }
    return result;
}

int live_options_fail(const struct err *err)
{
    int code = message_fail(err);

    return err->result == RESULT_NOT_FOUND ? EXIT_NOT_LIVE
           : strcmp(err->code, "E-CTL8") == 0 || strcmp(err->code, "E-FLEET5") == 0
               ? EXIT_INTERNAL /* it has nothing to do with a disk */
               : code;
}

void live_options_release(struct live_options *options)
{
    free(options->operands);
    options->operands = NULL;
    options->operand_count = 0;
}
