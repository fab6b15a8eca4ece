/**
 * The variables of a job file: how many values each has, and any of them by its number.
 *
 *   pattern   "[103293-103297]", "{a,b}-[1-3]": as job/glob.h expands it. A bare range without leading
 *             zeros gives numbers, everything else strings.
 *   list      as written.
 *   file      CSV or TSV with a line of column names, `{row.column}`: strings; JSON Lines of objects,
 *             `{row.field}`, or of plain values, `{row}`; by the file's ending .csv .tsv .txt (a value a
 *             line, `{row}`) .jsonl .ndjson, else by its first byte. "-" is stdin, read whole before the run
 *             begins. Held in memory, which VARS_FILE_MAX bounds. LF or CRLF, a byte order mark is
 *             taken, blank lines are passed over.
 *   dates     from one to another (job/dates.h): `{day}` begins a step ("1d", "2w", "1month", "6h"), `{day.last}` is
 *             its last day, or the last second of a step by the clock, and `{day.next}` what follows: for windows of
 *             time. `{day.epoch}`, `{day.last.epoch}`, `{day.next.epoch}` are seconds since 1970, with `_ms` milliseconds.
 *
 * Any of these may come in chunks: so many values at once, as one string with commas between.
 *
 * Ownership  vars_new copies what it needs; the job may go.
 * Errors     E-IN1 a bad line, E-IN2 the file, E-IN5 a file that is not what it was; E-GLOB of
 *            patterns; E-CFG2 of dates. All bad lines are counted, the first JOB_FAULTS_SHOWN told.
 * Threads    read-only after vars_new, so any.
 */
#ifndef SCRAPETOP_JOB_VARS_H
#define SCRAPETOP_JOB_VARS_H

#include "base/buf.h"
#include "job/dates.h"
#include "job/job_file.h"

#define VARS_FILE_MAX (64 * 1024 * 1024)
#define VARS_COLUMNS_MAX 1024

struct vars;

/** Opens the variables of `job`, files included. `faults`, which may be NULL, gets every bad line. */
MUST_CHECK enum result vars_new(struct vars **vars, const struct job *job,
                                struct job_faults *faults, struct err *err);
void vars_free(struct vars *vars); /* NULL is ignored */

/** Values of the variable with that index in the job, or chunks of them; at least 1. */
uint64_t vars_count(const struct vars *vars, size_t var);

/** The checksum of a variable's file; 0 when it is none. */
uint32_t vars_crc32c(const struct vars *vars, size_t var);

/** Appends the value as JSON; `field` is STR_NONE for the variable itself. RESULT_NOT_FOUND when that
 *  value has no such field. */
MUST_CHECK enum result vars_value(const struct vars *vars, size_t var, uint64_t index,
                                  struct str field, struct buf *json);

/** The variable is one of dates, each value one step: its values may be asked for any stretch of time. */
bool vars_is_window(const struct vars *vars, size_t var);

/** Of a variable of dates: the value that a step would have that is this long, as vars_value says. */
MUST_CHECK enum result vars_window_value(const struct vars *vars, size_t var,
                                         const struct dates_window *window, struct str field,
                                         struct buf *json);

/** As dates_halve. */
bool vars_halve(const struct vars *vars, size_t var, const struct dates_window *window,
                struct dates_window halves[2]);

/** What may follow the variable's dot: true for any field of JSON Lines, a column, those of dates that are named
 *  above; STR_NONE asks whether it may stand alone. */
bool vars_has_field(const struct vars *vars, size_t var, struct str field);

/** The fields by number, for "did you mean"; STR_NONE at the end. */
struct str vars_field(const struct vars *vars, size_t var, size_t index);

/** What job_file asks of a value before any file is opened. */
MUST_CHECK enum result vars_check_pattern(struct str pattern, struct err *err);
MUST_CHECK enum result vars_check_dates(const struct job_var *var, struct err *err);

/** What "today" is to be kept as: the day there, or the moment where steps go by the clock. False: nothing is said in
 *  words, or vars_check_dates fails. */
bool vars_today(const struct job_var *var, int64_t wall_us, char text[DATES_INSTANT_MAX]);

#endif
