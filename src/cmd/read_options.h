/**
 * Command lines of what reads runs or files: normalise, raw, verify, status, replay, compare.
 *
 * Ownership  texts point into argv; read_options_release frees the lists.
 */
#ifndef SCRAPETOP_CMD_READ_OPTIONS_H
#define SCRAPETOP_CMD_READ_OPTIONS_H

#include "cmd/options.h"
#include "table/format.h"
#include "table/table_spec.h"

#include <stdbool.h>

struct read_options {
    struct table_output outputs[TABLE_OUTPUTS_MAX]; /* normalise: -o FILE; none: the default */
    size_t output_count;
    struct table_output outcomes;      /* normalise: a row for each input; `path` NULL: none */
    const struct table_format *format; /* normalise: --format, or NULL: the names say it */
    const char *records;  /* normalise: JSON Pointer with `*`, NULL: the job's, or the whole body */
    const char *endpoint; /* normalise: of a run, only this one's table; NULL: all */
    struct table_spec spec; /* normalise; points at the lists below */
    struct table_pick *picks;
    struct str *unique, *key, *expect_unique, *expect_not_null;
    const struct table_format
        *ddl;             /* normalise: the statement that makes the table, and no rows; NULL */
    bool changes;         /* normalise: what changed from round to round, not what there is */
    bool partition;       /* normalise: a directory of parts instead of a file */
    bool strict;          /* normalise: a skipped record is exit code 9 */
    const char *dir;      /* raw: one file a body into this directory */
    bool failed;          /* raw, status: what has failed, and what was said then */
    const char *fleet;    /* verify: URL of one, or NULL */
    bool json;            /* normalise: the report on stdout; raw, verify, status */
    bool check;           /* status: only whether it is live and well */
    unsigned speed;       /* replay */
    uint64_t retain_us;   /* compact: rounds older than this are retired; 0: none is */
    const char **answers; /* rules: those of --answer */
    size_t answer_count;
    const char **operands; /* normalise: RUN, or FILE..., or "-"; raw: RUN KEY...; else RUN */
    size_t operand_count;  /* at least 1 */
    char charset[32];      /* normalise: spec.reading points at it */
    struct options_given given;
};

extern const struct option_table normalise_table;
extern const struct option_table raw_table;
extern const struct option_table verify_table;
extern const struct option_table compact_table;
extern const struct option_table status_table;
extern const struct option_table replay_table;
extern const struct option_table compare_table;
extern const struct option_table rules_table;

/** `table` is one of the above. When RESULT_OK and `given.help` is set, nothing else is to be looked
 *  at. On failure there is nothing to release. */
MUST_CHECK enum result read_options_parse(struct read_options *options,
                                          const struct option_table *table, int argc, char **argv,
                                          struct err *err);
/** The same for `normalise` (normalise_options.c). */
MUST_CHECK enum result normalise_options_parse(struct read_options *options, int argc, char **argv,
                                               struct err *err);

/** For tables whose operands are kept in order. */
MUST_CHECK enum result read_options_add_operand(void *options, const char *text, struct err *err);

/** Of several runs, which one what follows is about: a line for people, nothing with --json or --check. */
void read_options_print_run(const struct read_options *options, size_t at);

void read_options_release(struct read_options *options);

#endif
