/**
 * A file of values for a variable, in memory: rows by number, fields by name. See job/vars.h for the
 * forms it may have.
 *
 * Ownership  var_file_open reads it whole; var_file_free releases everything.
 * Errors     E-IN1 a bad line, E-IN2 the file itself.
 * Threads    read-only after var_file_open, so any.
 */
#ifndef SCRAPETOP_JOB_VAR_FILE_H
#define SCRAPETOP_JOB_VAR_FILE_H

#include "base/buf.h"
#include "job/job_file.h"

struct var_file;

/** Of the path "-" the text is `piped`, of others as well unless that is empty: then it is read.
 * `faults`, which may be NULL, gets every bad line; RESULT_INVALID when there is one. */
MUST_CHECK enum result var_file_open(struct var_file **opened, const char *path,
                                     const char *encoding, struct str piped,
                                     struct job_faults *faults, struct err *err);

/** Reads what the descriptor has, to its end, up to VARS_FILE_MAX bytes. `name` is for messages. */
MUST_CHECK enum result var_file_read(int fd, const char *name, struct buf *text, struct err *err);

void var_file_free(struct var_file *f);

uint64_t var_file_count(const struct var_file *f);
uint32_t var_file_crc32c(const struct var_file *f);

/** See vars_value, vars_has_field and vars_field. */
MUST_CHECK enum result var_file_value(const struct var_file *f, uint64_t row, struct str field,
                                      struct buf *json);
bool var_file_has_field(const struct var_file *f, struct str field);
struct str var_file_field(const struct var_file *f, size_t index);

#endif
