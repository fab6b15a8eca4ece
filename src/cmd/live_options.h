/**
 * Command lines of what talks to live runs: attach, ctl, ls, fleet.
 *
 * Ownership  texts point into argv; live_options_release frees the list.
 */
#ifndef SCRAPETOP_CMD_LIVE_OPTIONS_H
#define SCRAPETOP_CMD_LIVE_OPTIONS_H

#include "cmd/options.h"

struct live_options {
    bool read_only, plain; /* attach */
    const char *follow;    /* ctl: "totals", "snapshot", "events"; NULL: not */
    bool stdio;            /* ctl */
    bool json;             /* ls, fleet ls */
    bool yes;              /* fleet forget, remove */
    const char **operands; /* attach: RUN or none; ctl: RUN WORDS...; fleet: VERB URL [WORKER] */
    size_t operand_count;
    struct options_given given;
};

extern const struct option_table attach_table;
extern const struct option_table ctl_table;
extern const struct option_table ls_table;
extern const struct option_table fleet_table;

/** `table` is one of the above. When `given.help` is set, nothing else is to be looked at. On failure there is nothing
 *  to release. */
MUST_CHECK enum result live_options_parse(struct live_options *options,
                                          const struct option_table *table, int argc, char **argv,
                                          struct err *err);
void live_options_release(struct live_options *options);

/** Prints the error; returns its exit code: EXIT_NOT_LIVE when there is no such run. */
int live_options_fail(const struct err *err);

#endif
