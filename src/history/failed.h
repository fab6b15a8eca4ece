/**
 * What has failed in a run, and what the servers said: for `status --failed` and `raw --failed`.
 *
 * Reads the ledger alone, of a run at rest or live. All texts are display-safe for people, strict JSON for
 * machines; to something that is no terminal a kept body goes as it is.
 *
 * Errors  as store/ledger.h says; E-KEY1 (RESULT_NOT_FOUND) when nothing that failed has a given key, after
 *         all others are out.
 */
#ifndef SCRAPETOP_HISTORY_FAILED_H
#define SCRAPETOP_HISTORY_FAILED_H

#include "store/run_reader.h"

/** A line for each; `json`: JSON Lines. */
MUST_CHECK enum result failed_list(struct run_reader *reader, bool json, struct err *err);

/** The same as JSON Lines in a file of the run, made anew when a session ends; removed when nothing has failed. */
#define FAILED_FILE "failed.jsonl"
MUST_CHECK enum result failed_save(const struct run_dir *dir, bool any, struct err *err);

struct failed_said {
    const char *const *keys; /* only these */
    size_t key_count;        /* 0: all */
    bool json;
};

/** What was said at the last failure of each: headers, and the head of the body. */
MUST_CHECK enum result failed_print_said(struct run_reader *reader,
                                         const struct failed_said *options, struct err *err);

#endif
