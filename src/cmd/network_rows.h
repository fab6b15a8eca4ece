/**
 * Option rows that say how servers are reached, of `run` and `probe`: they write into a job.
 *
 * Errors  E-TLS3 a CA file, and those of job/job_network.h.
 */
#ifndef SCRAPETOP_CMD_NETWORK_ROWS_H
#define SCRAPETOP_CMD_NETWORK_ROWS_H

#include "cmd/options.h"
#include "job/job.h"

#define NETWORK_ROWS 22
extern const struct option_row network_rows[NETWORK_ROWS];

#endif
