/**
 * A table's file: whole under its name, or not there at all.
 *
 * Bytes go to a temporary file beside the target (".NAME.XXXXXX.tmp"); output_commit syncs it, renames it over the
 * target and syncs the directory. Until then, and whatever fails, an older file of that name
 * stays as it was. The temporary file is locked while it is written: one that is not was left by a process that
 * was killed, and the next output_open of the same target removes it, with the journals that SQLite keeps beside a
 * database. "-" is standard output: bytes go straight out and commit only flushes. "s3://BUCKET/KEY" is an object of
 * a store (s3/place.h): bytes go to a file without a name in TMPDIR, and commit uploads it.
 *
 * Ownership  output_open gives a handle that output_commit or output_abandon ends, both once.
 * Errors     E-OUT1 cannot create, E-OUT2 cannot write (RESULT_FULL when space ran out), E-OUT3 cannot be
 *            made durable or renamed, E-OUT4 standard output is a pipe that nobody reads any more,
 *            E-OUT5 the name is taken; E-OUT6, E-OUT7, E-OUT8 an object's place, keys and store. After a
 *            failed write only output_abandon makes sense.
 * Threads    one at a time; calls block on the disk or the network, so never on the loop thread.
 */
#ifndef SCRAPETOP_TABLE_OUTPUT_FILE_H
#define SCRAPETOP_TABLE_OUTPUT_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct output_file;

MUST_CHECK enum result output_open(struct output_file **file, const char *path, struct err *err);

MUST_CHECK enum result output_write(struct output_file *file, const void *bytes, size_t len,
                                    struct err *err);

/** While `*stop` is true, nobody waits for a store: output_commit gives RESULT_CANCELLED. Borrowed. */
void output_stop_by(struct output_file *file, const atomic_bool *stop);

/** Bytes taken so far. */
uint64_t output_bytes(const struct output_file *file);

/** Frees the handle, also when it fails; the target is then what it was. */
MUST_CHECK enum result output_commit(struct output_file *file, struct err *err);

/**
 * As output_commit, but a file that has come under the name meanwhile stays: E-OUT5 (RESULT_BUSY). Not for
 * standard output, nor an object.
 */
MUST_CHECK enum result output_commit_new(struct output_file *file, struct err *err);

/** Appends the temporary file's path, for a library that writes it by itself. Not of standard output, nor of an object. */
MUST_CHECK enum result output_temporary_path(const struct output_file *file, struct buf *path);

/** Removes the temporary file. NULL is fine. */
void output_abandon(struct output_file *file);

/** Whether it could be made now: the directory can be written to, the store answers. */
MUST_CHECK enum result output_check(const char *path, struct err *err);

/** Makes the directories above a file that are missing (base/parents.h). */
void output_make_parents(const char *path);

#endif
