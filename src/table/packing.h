/**
 * Packings: how the bytes of a table's file are compressed, by the ending after the format's: .gz, .zst.
 *
 * As with formats (format.h), workers pack blocks and one stream takes them in order. The file is one gzip
 * member, or one zstd frame, as some readers look at the first only; and the same for any number of workers.
 *
 * Memory  of gzip a window a worker; of zstd a few jobs of some megabytes a thread of its own.
 * Ownership, threads  as in format.h. Errors: RESULT_NOMEM, or those of `write`.
 */
#ifndef SCRAPETOP_TABLE_PACKING_H
#define SCRAPETOP_TABLE_PACKING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Puts bytes into the file. */
struct packing_target {
    enum result (*write)(void *context, struct str bytes, struct err *err);
    void *context;
    unsigned workers; /* that may be at it at a time */
};

struct table_packing {
    const char *ending; /* "gz" */
    const char *about;  /* one sentence for the manual */

    /* The target is borrowed until the stream is closed. */
    enum result (*open)(void **stream, const struct packing_target *target, struct err *err);
    /* A block, as `pack` has left it, or as it is where that is NULL. */
    enum result (*take)(void *stream, struct str block, struct err *err);
    enum result (*finish)(void *stream, struct err *err);
    void (*close)(void *stream);

    /* A worker's half; all NULL when there is none. */
    void *(*packer_new)(void); /* NULL when out of memory */
    void (*packer_free)(void *packer);
    /* Appends to `out` what `take` understands. */
    enum result (*pack)(void *packer, struct str block, struct buf *out, struct err *err);
};

extern const struct table_packing gzip_packing, zstd_packing;

/** All of them, with a NULL after the last. */
extern const struct table_packing *const table_packings[];

#endif
