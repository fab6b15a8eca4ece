/**
 * URL lists: one URL a line, or JSON Lines with name and url; what `-i FILE` gives.
 *
 * Read by byte offset, so that a run resumes where it stood, with one bounded buffer however long the
 * list is. Blank lines and lines that start with `#` are passed over, CRLF and a byte order mark are
 * taken. A line is `https://…` as it stands (brackets and braces mean nothing here), or
 * `{"name": "…", "url": "https://…"}`, in which name may be missing. A list is checked whole, by
 * list_check, before the first request starts.
 *
 * Ownership  list_free closes what list_open opened. An entry is valid until the next call on its list.
 * Units      offsets and sizes in bytes, lines counted from 1.
 * Errors     E-IN1 a bad line (RESULT_INVALID, or RESULT_LIMIT when too long), E-IN2 the file,
 *            E-URL1 to E-URL7 the line's URL. Every one names file and line.
 * Threads    one list belongs to one thread at a time.
 */
#ifndef SCRAPETOP_JOB_LIST_H
#define SCRAPETOP_JOB_LIST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "job/list_entry.h"

#include <stdbool.h>
#include <stdint.h>

#define LIST_BAD_SHOWN 10 /* bad lines told one by one */
#define LIST_PAUSE_MS 100

struct list;

struct list_report {
    uint64_t size;     /* bytes of the whole list */
    uint64_t urls;     /* good lines */
    uint64_t bad;      /* bad lines */
    uint64_t checksum; /* over all lines: tells whether a list is the one seen before */
    struct err errors[LIST_BAD_SHOWN]; /* the first of the bad ones */
};

/** Opens `path`; "-" is stdin. What cannot be read twice (a pipe) is first copied to an unlinked
 *  temporary file. */
MUST_CHECK enum result list_open(struct list **list, const char *path, struct err *err);

/** As list_open, but of a pipe only what has come when it pauses after a whole line, for LIST_PAUSE_MS. */
MUST_CHECK enum result list_open_begun(struct list **list, const char *path, struct err *err);

/** There is more to come, of what list_open_begun has opened. */
bool list_is_open(const struct list *list);

/** Waits for more of it: until it pauses again, or `to_end`. */
MUST_CHECK enum result list_read_on(struct list *list, bool to_end, struct err *err);

/** Gives away the pipe that more will come from, to be closed unless it is stdin; `*begun` takes the bytes of a
 *  line that has not ended. The list is then what has come so far. */
int list_give_pipe(struct list *list, struct buf *begun);

/** Lets it end at that offset, though the file has more. */
void list_end_at(struct list *list, uint64_t size);

/** Whether the list begins with the bytes of `fd`, of which there are `size`. */
bool list_begins_with(const struct list *list, int fd, uint64_t size);

/** Reads from `fd`, a regular file that the caller keeps open; `name` is for messages. */
MUST_CHECK enum result list_open_fd(struct list **list, int fd, const char *name, struct err *err);
void list_free(struct list *list);

/** The next entry at or after `*offset`, which moves past it. RESULT_NOT_FOUND at the end. After a
 *  bad line `*offset` is after that line, too. */
MUST_CHECK enum result list_next(struct list *list, uint64_t *offset, struct list_entry *entry,
                                 struct err *err);

/** Reads the whole list. RESULT_INVALID when any line is bad or none holds a URL, with `report` filled
 *  and a summary in `err`. */
MUST_CHECK enum result list_check(struct list *list, struct list_report *report, struct err *err);

/** Writes the list as it is to `fd`: a run keeps what came from a pipe. */
MUST_CHECK enum result list_copy(struct list *list, int fd, struct err *err);

#endif
