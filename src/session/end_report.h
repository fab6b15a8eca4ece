/**
 * What a session says at its end, for people on stderr and with --json on stdout: why it ended, what is missing, where
 * the tables lie, how to go on.
 *
 * Threads  main thread, once the loop has ended.
 */
#ifndef SCRAPETOP_SESSION_END_REPORT_H
#define SCRAPETOP_SESSION_END_REPORT_H

#include "engine/report.h"
#include "session/session.h"

void end_report_print(const struct session_options *options, const struct report *r);

/** "COMMAND PATH" as a line, with the path as a shell takes it. */
void end_report_say_command(const char *command, const char *path);

#endif
