/**
 * What curl's own words and files say, laid over a job: a pasted command, -K, --netrc.
 *
 * What an option of ours says goes before a file; what is in a file is what it says: `${` is none of our variables.
 *
 * Errors   those of job/job.h and probe/curl_command.h; E-ARG1 what does not go together.
 */
#ifndef SCRAPETOP_CMD_CURL_LAY_H
#define SCRAPETOP_CMD_CURL_LAY_H

#include "cmd/options.h"
#include "job/job.h"
#include "probe/curl_command.h"

struct curl_laying {
    struct job *job;
    const struct option_table *table;
    const struct options_given *given; /* of that table */
    bool with_request; /* URLs, method and body, too: the job has but one endpoint */
};

/** All that a command says; what is passed over is named on stderr. */
MUST_CHECK enum result curl_lay(const struct curl_laying *to, const struct curl_command *command,
                                struct err *err);

struct curl_files {
    const char *config, *netrc_file; /* NULL: not given */
    bool netrc, netrc_is_optional;
    bool has_method; /* the file of options has one */
};

/* --netrc, --netrc-file, --netrc-optional, --config. */
#define CURL_FILE_ROWS 4
extern const struct option_row curl_file_rows[CURL_FILE_ROWS]; /* into a struct curl_files */

/** What these files say. */
MUST_CHECK enum result curl_lay_files(struct curl_files *files, const struct curl_laying *to,
                                      struct err *err);

#endif
