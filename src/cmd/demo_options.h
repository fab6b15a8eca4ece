/**
 * Command lines of what starts the embedded API: serve, and demo, which scrapes it as well.
 *
 * Ownership  texts point into argv; demo_options_release frees the run's job.
 */
#ifndef SCRAPETOP_CMD_DEMO_OPTIONS_H
#define SCRAPETOP_CMD_DEMO_OPTIONS_H

#include "cmd/options.h"
#include "cmd/run_options.h"
#include "demo/demo.h"

#include <stdbool.h>

struct serve_options {
    struct demo_options api;
    struct options_given given;
};

struct demo_command_options {
    struct run_options run;  /* pace and output as given; no sources */
    struct demo_options api; /* the weather */
    bool quick;              /* done within seconds, for tests */
    bool resume;             /* the run is the one that is there */
    struct options_given given;
};

extern const struct option_table serve_table;
extern const struct option_table demo_table;

/** When RESULT_OK and `given.help` is set, nothing else is to be looked at. */
MUST_CHECK enum result serve_options_parse(struct serve_options *options, int argc, char **argv,
                                           struct err *err);

/** As above. The values that are not given are those of job_init and of a zeroed demo_options: whoever
 *  asks options_have sets what the demo wants. On failure there is nothing to release. */
MUST_CHECK enum result demo_options_parse(struct demo_command_options *options, int argc,
                                          char **argv, struct err *err);
void demo_options_release(struct demo_command_options *options);

#endif
