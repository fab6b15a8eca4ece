/**
 * Files of segments: raw/00000001.jsonl and on, what they are called, and how one is opened.
 *
 * One that is closed may be packed: then it is raw/00000001.jsonl.zst (read/packed_text.h), and all that the ledger says
 * of it is still about its text. store/segment_bytes.h reads both.
 *
 * Ownership  who opens a file closes it.
 * Errors     E-DISK1 no space (RESULT_FULL: may pass), E-DISK2 any other I/O error (RESULT_IO: final), E-SEG2 a damaged
 *            record, E-SEG3 no regular file (a link, a FIFO, a device: none of them is waited for), E-LEDG4 a segment is
 *            missing, E-DIR1 the directory.
 * Threads    none of its own.
 */
#ifndef SCRAPETOP_STORE_SEGMENT_FILE_H
#define SCRAPETOP_STORE_SEGMENT_FILE_H

#include "base/err.h"
#include "store/run_dir.h"

#define SEGMENT_DIR "raw"
#define SEGMENT_NAME_SIZE sizeof "00000001.jsonl"
#define SEGMENT_PACKED_SIZE sizeof "00000001.jsonl.zst"

/** What the ledger knows of a segment. */
struct segment_extent {
    uint32_t number;     /* from 1 */
    uint64_t committed;  /* [0, committed) counts */
    uint64_t last_batch; /* where the last committed batch began */
    uint64_t body_bytes; /* of the bodies in it */
    uint64_t lines;
};

void segment_name(uint32_t number, char name[SEGMENT_NAME_SIZE]);
void segment_packed_name(uint32_t number, char name[SEGMENT_PACKED_SIZE]);

/** Opens raw/, creating it (0700) when `create`; the ledger, created after it, makes its name durable. */
MUST_CHECK enum result segment_dir_open(const struct run_dir *dir, bool create, int *raw_fd,
                                        struct err *err);

/** Whether raw/ holds any bytes: a run without a ledger must not. */
MUST_CHECK enum result segment_dir_is_empty(int raw_fd, bool *empty, struct err *err);

/** A segment that the ledger names and that is not packed, with the flags of open(2). The caller closes `*fd`. Never waits: a FIFO that nobody writes to would keep its reader for ever. */
MUST_CHECK enum result segment_open(int raw_fd, uint32_t number, int flags, int *fd,
                                    struct err *err);

/** Calls `visit` for every segment file that is not empty, in order of number. Ends when it says other than
 *  RESULT_OK, with that. */
MUST_CHECK enum result segment_each_file(int raw_fd,
                                         enum result (*visit)(void *context, uint32_t number,
                                                              uint64_t size, struct err *err),
                                         void *context, struct err *err);

/** fdatasync of a file that another process may have written. */
MUST_CHECK enum result segment_sync_file(int raw_fd, uint32_t number, struct err *err);

/** The same of one that is packed; RESULT_NOT_FOUND, without words, when there is none. */
MUST_CHECK enum result segment_open_packed(int raw_fd, uint32_t number, int *fd, struct err *err);

/** A disk error: E-DISK1 may pass, E-DISK2 is final. */
enum result segment_disk_error(struct err *err, int errnum, const char *doing, const char *name);

/** E-SEG2 of the record at that byte; `how` follows it: "is cut short". */
enum result segment_damaged(const char *name, uint64_t offset, const char *how, struct err *err);

#endif
