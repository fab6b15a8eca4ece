/**
 * Files as a source of records: .json and .xml (one document), .jsonl or .ndjson (one a line), .csv and .tsv (one a
 * row), each of these also packed (.gz, .zst, .zip), "-".
 *
 * What is not told by `how` or by such an ending is told by how the file begins: lines when its first line is a whole
 * JSON text and more stands after it, CSV when the first rows are alike (read/body_read.h). Standard input, what
 * comes out of packed files, and what is in other letters than UTF-8 is first copied to an unnamed temporary file, as
 * it is read more than once. Files are given in the order of the arguments, as large as they were
 * when the source was made.
 *
 * Errors  E-IN2: cannot be read, a directory; RESULT_LIMIT for a line that is over FILE_LINE_MAX.
 */
#ifndef SCRAPETOP_NORMALISE_FILE_SOURCE_H
#define SCRAPETOP_NORMALISE_FILE_SOURCE_H

#include "base/body_format.h"
#include "normalise/record_source.h"

#include <stddef.h>

#define FILE_LINE_MAX ((uint64_t)1 << 30)    /* bytes */
#define FILE_DECODED_MAX ((size_t)256 << 20) /* of a file in other letters than UTF-8 */

/** Copies the paths. `how` may be NULL; its texts are borrowed until close. */
MUST_CHECK enum result file_source_open(struct record_source **source, const char *const *paths,
                                        size_t count, const struct body_reading *how,
                                        struct err *err);

#endif
