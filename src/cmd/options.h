/**
 * Options from a table: one row says how an option is parsed, shown, documented and completed.
 *
 * A subcommand has one `struct option_table`. From it come options_parse, the text of --help, the
 * options of the man page and the shells' completions, so that none of them can lie. Rows of several
 * subcommands are shared as groups; a group's rows write into a struct that lies somewhere in the
 * subcommand's target.
 *
 * Taken: `--name VALUE`, `--name=VALUE`, `-c 5`, `-c5`, flags in one word (`-kn`), options after
 * operands, `--` to end them, `-` as an operand. Every option may be given once, unless its row says
 * otherwise.
 *
 * Ownership  tables are static; texts written to a target point into argv.
 * Errors     E-ARG1 (usage), E-ARG2 to E-ARG5 (base/units), and what a row's own function says. The
 *            exit code of all of them is 2.
 */
#ifndef SCRAPETOP_CMD_OPTIONS_H
#define SCRAPETOP_CMD_OPTIONS_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_MAX 128 /* of one table */
#define OPTIONS_WORDS (OPTIONS_MAX / 64)

enum option_kind {
    OPTION_FLAG,     /* bool, set to true */
    OPTION_TEXT,     /* const char *, not empty */
    OPTION_COUNT,    /* unsigned, within low and high */
    OPTION_NUMBER,   /* uint64_t, within low and high */
    OPTION_TIME,     /* uint64_t, microseconds, at least low */
    OPTION_SIZE,     /* uint64_t, bytes, at least low */
    OPTION_RATE,     /* struct rate */
    OPTION_FRACTION, /* double from 0 to 1; "2%", "0.02" */
    OPTION_CALL,     /* whatever `set` makes of it; told NULL when it takes no value */
};

struct option_row {
    char letter;       /* 'c', or 0 */
    const char *name;  /* "cap" */
    const char *value; /* "N" in the help; NULL for a flag */
    const char *help;
    enum option_kind kind;
    size_t offset; /* in the group's struct */
    uint64_t low, high;
    enum result (*set)(void *group_struct, const char *value, struct err *err); /* OPTION_CALL */
    bool repeats;
    /* values for the shells to complete, "own paid" or "own, paid"; may be NULL */
    const char *words;
};

struct option_group {
    const char *title; /* NULL: the rows go on with those of the group before */
    const struct option_row *rows;
    size_t count;
    size_t offset; /* of the group's struct in the target */
};

struct option_table {
    const char *command;  /* "run" */
    const char *synopsis; /* "[OPTIONS] URL..." */
    const char *summary;  /* one line */
    const char *details;  /* a paragraph or more, or NULL */
    const struct option_group *groups;
    size_t group_count;
    const char *const *examples; /* lines, ended by NULL; may be NULL itself */
    /* Called for each operand in its place among the options; NULL: there are none. */
    enum result (*operand)(void *target, const char *text, struct err *err);
    const struct option_table *like; /* whose options it takes besides; may be NULL */
};

/** A row set, bit by bit in the order of the table. */
struct options_given {
    uint64_t rows[OPTIONS_WORDS];
    bool help; /* -h or --help was met: the rest of the line was not looked at */
};

/** Reads argv[1] to argv[argc - 1] (argv[0] is the subcommand) into `target`. Does not change argv, so it
 *  may be called again with another target. */
MUST_CHECK enum result options_parse(const struct option_table *table, int argc, char **argv,
                                     void *target, struct options_given *given, struct err *err);

/** Whether the option of that long name was given. */
bool options_have(const struct option_table *table, const struct options_given *given,
                  const char *name);

/** The word of `words` (ended by NULL) that `word` was probably meant to be, or NULL. */
const char *options_nearest(struct str word, const char *const *words);

void options_print_help(const struct option_table *table, FILE *to);

/* What follows is made from all tables at once, for the build: see assets/. */

/** The SYNOPSIS and OPTIONS of one subcommand, as man(7) source. */
void options_print_man(const struct option_table *table, FILE *to);

/** The formats of tables, and the actions of answer rules, as rows of a list. */
void options_print_man_formats(FILE *to);
void options_print_man_actions(FILE *to);

/** The JSON Schema of job files. RESULT_NOMEM. */
MUST_CHECK enum result options_print_schema(FILE *to, struct err *err);

/** The examples of all, for its EXAMPLES. */
void options_print_man_examples(const struct option_table *const *tables, size_t count, FILE *to);

#endif
