/**
 * Printing what a JSON writer has made to a stream: nothing in it acts on a terminal.
 *
 * Errors  none: what finds no memory is left out, and the stream's own errors are main's to see.
 */
#ifndef SCRAPETOP_HISTORY_JSON_PRINT_H
#define SCRAPETOP_HISTORY_JSON_PRINT_H

#include "base/json_write.h"

#include <stdio.h>

/** Prints what stands in the writer's buf, and empties it. */
void json_print(FILE *to, struct json_writer *w);

#endif
