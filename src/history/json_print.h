/**
 * What --json needs besides printf: texts from outside as JSON, and times.
 *
 * Errors  none: a text that finds no memory is printed as null, and the stream's own errors are main's
 *         to see.
 */
#ifndef SCRAPETOP_HISTORY_JSON_PRINT_H
#define SCRAPETOP_HISTORY_JSON_PRINT_H

#include "base/str.h"

#include <stdint.h>
#include <stdio.h>

/** A string literal, strict whatever the bytes are. */
void json_print_text(FILE *to, struct str bytes);

/** RFC 3339, or null for `absent`. */
void json_print_time(FILE *to, int64_t wall_us, int64_t absent);

#endif
