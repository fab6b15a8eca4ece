/**
 * Files as a source of records: .json (one document), .jsonl or .ndjson (one a line), "-".
 *
 * Only those endings say "lines" by name; any other file is lines when its first line is a whole JSON
 * text and more stands behind it. Standard input is first copied to an unnamed temporary file,
 * as it is read more than once. Files are given in the order of the arguments, as large as they were
 * when the source was made.
 *
 * Errors  E-IN2: cannot be read, a directory; RESULT_LIMIT for a line that is over FILE_LINE_MAX.
 */
#ifndef SCRAPETOP_NORMALISE_FILE_SOURCE_H
#define SCRAPETOP_NORMALISE_FILE_SOURCE_H

#include "normalise/record_source.h"

#include <stddef.h>

#define FILE_LINE_MAX ((uint64_t)1 << 30) /* bytes */

/** Copies the paths. */
MUST_CHECK enum result file_source_open(struct record_source **source, const char *const *paths,
                                        size_t count, struct err *err);

#endif
