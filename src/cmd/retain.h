/**
 * compact --retain: rounds of a run that polls that are older than that leave its bodies, and stay in its journal.
 *
 * Threads  main thread.
 */
#ifndef SCRAPETOP_CMD_RETAIN_H
#define SCRAPETOP_CMD_RETAIN_H

#include <stdint.h>

/** Says what it did, or why not; the exit code. */
int retain_rounds(const char *run, uint64_t age_us);

#endif
