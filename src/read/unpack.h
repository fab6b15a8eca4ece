/**
 * Files that are packed: gzip (RFC 1952), Zstandard (RFC 8878; read/coding.h undoes both) and ZIP, by their first
 * bytes.
 *
 * The ceilings are those of content codings (fetch/fetch.h): so many bytes in all, and beyond UNPACK_EXPANSION_FROM
 * so many out of each that came in. A packed file within a packed file is refused, whatever it is called, and so
 * is an encrypted one. Names within an archive are told, never opened.
 *
 * Memory     a window and a block or two; of ZIP also the archive's directory.
 * Ownership  the caller's source and sink.
 * Errors     RESULT_INVALID (damaged or cut off), RESULT_DENIED (nested, encrypted), RESULT_LIMIT (a ceiling),
 *            RESULT_NOMEM, RESULT_IO, or the sink's. `why` says what, for people.
 * Threads    no state.
 */
#ifndef SCRAPETOP_READ_UNPACK_H
#define SCRAPETOP_READ_UNPACK_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define UNPACK_EXPANSION_MAX 100 /* bytes out of each that came in, beyond UNPACK_EXPANSION_FROM */
#define UNPACK_EXPANSION_FROM (1U << 20)
#define UNPACK_MEMBERS_MAX 10000 /* files of one archive */
#define UNPACK_WHY_MAX 160

enum pack { PACK_NONE, PACK_GZIP, PACK_ZSTD, PACK_ZIP };

/** What the bytes begin as; 4 of them are enough. */
enum pack unpack_kind(struct str head);

struct unpack_source {
    struct str bytes; /* all of it, or ... */
    int fd;           /* ... read from the start; -1: `bytes` */
    uint64_t size;    /* of the latter */
};

struct unpack_sink {
    /** A file begins; `name` is the archive's word for it, empty for gzip and Zstandard. */
    enum result (*begin)(void *context, struct str name);
    enum result (*put)(void *context, struct str bytes);
    void *context;
};

MUST_CHECK enum result unpack_files(const struct unpack_source *source, enum pack pack,
                                    uint64_t max, const struct unpack_sink *sink,
                                    char why[UNPACK_WHY_MAX]);

#endif
