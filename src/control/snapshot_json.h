/**
 * A snapshot as JSON, and back: the frames of the control socket.
 *
 * All members have the names that they have in C. Times are microseconds, counts are whole numbers, an
 * id is a text, enums are words, "never" and "not a number" are null. A list is as long as it is, and its elements
 * leave out members that are 0, false, "" or null; the outermost object has all of them. Texts hold
 * bytes from outside: what is not UTF-8 becomes U+FFFD, and what would act on a terminal is escaped.
 *
 * Reading takes any JSON: unknown members are skipped, so that versions may differ, values of another type or too
 * long are skipped or cut, and what is missing is 0.
 *
 * Errors   writing: RESULT_NOMEM or RESULT_LIMIT of the buffer.
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_CONTROL_SNAPSHOT_JSON_H
#define SCRAPETOP_CONTROL_SNAPSHOT_JSON_H

#include "base/buf.h"
#include "control/snapshot_fields.h"

/** Appends the object of the struct at `from`, of which `group` tells. */
MUST_CHECK enum result snapshot_json_write(struct buf *out, const struct field_group *group,
                                           const void *from);

/** Reads the whole of it from an object that json_check has passed. The snapshot is cleared before. */
void snapshot_json_read_all(struct str object, struct snapshot *to);

#endif
