/**
 * Verify: every record that the ledger names, held against the bytes in the segments.
 *
 * A record must lie where its row says, parse as one line, match its CRC, and have its row's id. The
 * ledger must pass SQLite's own check. What is no damage, but worth knowing: bytes in the committed
 * part that no row names (orphans: a duplicate, or a failure's body that a later success replaced),
 * bytes after it (a tail, which the next start cuts off, or a process is writing), files in raw/
 * that the ledger does not know.
 *
 * Costs 16 bytes of memory a record.
 */
#ifndef SCRAPETOP_STORE_VERIFY_H
#define SCRAPETOP_STORE_VERIFY_H

#include "store/run_reader.h"

enum verify_kind {
    VERIFY_LEDGER,  /* damage: SQLite says so */
    VERIFY_RECORD,  /* damage: missing, torn, altered */
    VERIFY_OVERLAP, /* damage: two rows name the same bytes */
    VERIFY_SEGMENT, /* damage: a file is missing or short */
    VERIFY_ORPHAN,
    VERIFY_TAIL,
    VERIFY_FILE, /* not in the ledger */
};

const char *verify_kind_name(enum verify_kind kind); /* "record", ... */
bool verify_kind_is_damage(enum verify_kind kind);

struct verify_finding { /* for the call only */
    enum verify_kind kind;
    uint64_t id;             /* VERIFY_RECORD; else 0 */
    uint32_t segment;        /* 0: not about one */
    uint64_t offset, length; /* bytes */
    const char *text;        /* one sentence; may hold bytes from outside */
};

struct verify_report {
    uint64_t records;    /* named by the ledger */
    uint64_t damaged;    /* of these */
    uint64_t line_bytes; /* of the others: read and found right */
    uint32_t segments;
    uint64_t orphan_bytes, tail_bytes;
    uint64_t discoveries[VERIFY_FILE + 1]; /* by kind */
};

/** RESULT_OK however much is damaged; an error means that it could not be looked at. */
MUST_CHECK enum result verify_run(struct run_reader *reader,
                                  void (*found)(void *context,
                                                const struct verify_finding *finding),
                                  void *context, struct verify_report *report, struct err *err);

/** Whether anything found is damage. */
bool verify_report_is_damage(const struct verify_report *report);

#endif
