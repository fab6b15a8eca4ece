/**
 * Command line of `report`.
 *
 * Ownership  texts point into argv.
 */
#ifndef SCRAPETOP_CMD_REPORT_OPTIONS_H
#define SCRAPETOP_CMD_REPORT_OPTIONS_H

#include "cmd/options.h"

struct report_options {
    const char *output; /* NULL or "-": stdout */
    const char *run;
    struct options_given given;
};

extern const struct option_table report_table;

/** When `given.help` is set, nothing else is to be looked at. */
MUST_CHECK enum result report_options_parse(struct report_options *options, int argc, char **argv,
                                            struct err *err);

#endif
