/**
 * Lines of JSON in an open file as a source of records: what this program has written down itself.
 *
 * Ownership  takes the descriptor, also when it fails; `close` closes it. The name is borrowed.
 * Errors     RESULT_NOMEM; E-IN2 when the file cannot be read.
 */
#ifndef SCRAPETOP_NORMALISE_LINES_SOURCE_H
#define SCRAPETOP_NORMALISE_LINES_SOURCE_H

#include "base/err.h"
#include "normalise/record_source.h"

/** `name` stands for the file in messages. The file is read from its beginning; no line is over LINES_SOURCE_MAX. */
#define LINES_SOURCE_MAX ((uint64_t)1 << 20)

MUST_CHECK enum result lines_source_new(struct record_source **source, int fd, const char *name,
                                        struct err *err);

#endif
