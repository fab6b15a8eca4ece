/**
 * Errors and warnings on stderr: "scrapetop: error[E-ARG1]: ...", one display-safe line each.
 *
 * Threads  any; no state of its own.
 */
#ifndef SCRAPETOP_BASE_MESSAGE_H
#define SCRAPETOP_BASE_MESSAGE_H

#include "base/exit_code.h"

void message_error(const struct err *err);

/** `code` may be empty. */
void message_warning(const char *code, const char *text);

/** Prints the error; returns its exit code. */
int message_fail(const struct err *err);

#endif
