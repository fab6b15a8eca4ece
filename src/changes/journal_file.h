/**
 * The written journal: changes of rounds whose bodies a run no longer keeps, in its file "changes.journal".
 *
 * Append-only blocks, each the lines (changes/change_lines.h) of some changes of one endpoint, packed by zstd:
 *
 *   "SCJ1" . bytes of what follows (4) . CRC-32C of that (4) . bytes of the name and key (2) . endpoint 00 key 00 key 00 ... . zstd
 *
 * Numbers have their lowest byte first. How many bytes of the file count, the ledger says: what lies after them is left by a
 * kill, and the next writer cuts it off.
 *
 * Ownership  each close releases all but the struct.
 * Errors     RESULT_NOMEM; E-JRN1 RESULT_CORRUPT: damaged, or shorter than the ledger says; E-JRN2 of another key; E-JRN3
 *            RESULT_LIMIT: lines that are too long for a block; RESULT_FULL, RESULT_IO of the disk.
 * Threads    one.
 */
#ifndef SCRAPETOP_CHANGES_JOURNAL_FILE_H
#define SCRAPETOP_CHANGES_JOURNAL_FILE_H

#include "base/buf.h"
#include "base/err.h"
#include "store/run_dir.h"

#define JOURNAL_FILE "changes.journal"
#define JOURNAL_BLOCK_BYTES ((size_t)1 << 20) /* of lines */

struct journal_writer {
    int fd;
    uint64_t bytes; /* of the file */
    struct buf head, block;
};

/** After the first `bytes` of the file, which is made when there is none. */
MUST_CHECK enum result journal_open(struct journal_writer *writer, const struct run_dir *dir,
                                    uint64_t bytes, struct err *err);

/** Lines of this endpoint, whole ones, of which the records are told apart by that key. */
MUST_CHECK enum result journal_put(struct journal_writer *writer, const char *endpoint,
                                   const struct str *key, size_t key_count, struct str lines,
                                   struct err *err);

/** All is on the disk. */
MUST_CHECK enum result journal_sync(struct journal_writer *writer, const struct run_dir *dir,
                                    struct err *err);
void journal_close(struct journal_writer *writer);

/** Calls `take` with the lines of the endpoint, block after block, of the first `bytes` of the file. */
MUST_CHECK enum result journal_read(const struct run_dir *dir, uint64_t bytes, const char *endpoint,
                                    const struct str *key, size_t key_count,
                                    enum result (*take)(void *context, struct str lines,
                                                        struct err *err),
                                    void *context, struct err *err);

/** Looks at each block of them. */
MUST_CHECK enum result journal_check(const struct run_dir *dir, uint64_t bytes, struct err *err);

#endif
