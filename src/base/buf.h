/**
 * Owned bytes that grow, up to a ceiling set at the start.
 *
 * Whatever a server or a file can make grow is kept in one of these: passing the ceiling is
 * RESULT_LIMIT, never a crash. A zeroed buf is empty, valid, and without a ceiling of its own.
 *
 * Ownership  buf_release frees the bytes, never the struct; buf_view borrows; buf_take hands over.
 * Errors     RESULT_NOMEM or RESULT_LIMIT; the content is then what it was before the call.
 */
#ifndef SCRAPETOP_BASE_BUF_H
#define SCRAPETOP_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *data;      /* NULL, or `cap` bytes */
    size_t len, cap; /* bytes */
    size_t max;      /* ceiling for len; 0 means none */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);

/** Forgets the content, keeps the memory. */
void buf_reset(struct buf *b);

/** Forgets the content, and releases the memory if that is more than `*keep` bytes, which else become so many
 *  fewer: what many bufs keep, each of which may once have been large, has a ceiling together. */
void buf_reset_within(struct buf *b, size_t *keep);

/** Room for `more` bytes after the content. */
MUST_CHECK enum result buf_reserve(struct buf *b, size_t more);

MUST_CHECK enum result buf_append(struct buf *b, const void *bytes, size_t len);
MUST_CHECK enum result buf_append_str(struct buf *b, struct str s);
MUST_CHECK enum result buf_append_char(struct buf *b, char c);
MUST_CHECK enum result buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct str buf_view(const struct buf *b);

/** The content with a NUL after, for functions that want a C string; NULL when out of memory. */
const char *buf_cstr(struct buf *b);

/** Moves the bytes out; `from` is empty after. What `to` held must have been released. */
void buf_take(struct buf *to, struct buf *from);

#endif
