/**
 * A curl command as browsers copy it for cmd.exe, written anew as for a POSIX shell.
 *
 * cmd.exe takes a caret before a character for that character, and one at the end of a line for nothing; what is left
 * is split by the program itself, with Microsoft's rules for quotes and backslashes. What cmd.exe would fill in
 * (%NAME%) stays as it is.
 *
 * Browsers double each backslash, as if these rules took two of them for one everywhere: where all of a command come in
 * pairs, each pair is one.
 *
 * Source  Microsoft, "Parsing C command-line arguments"; the copying code of Chrome and Firefox writes for both.
 */
#ifndef SCRAPETOP_PROBE_CURL_CMD_H
#define SCRAPETOP_PROBE_CURL_CMD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/** A caret does something in it, outside the quotes of a POSIX shell. */
bool curl_cmd_is(struct str text);

/** Appends the same command in a POSIX shell's quotes. E-CURL1. */
MUST_CHECK enum result curl_cmd_convert(struct str text, struct buf *out, struct err *err);

#endif
