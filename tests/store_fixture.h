/**
 * What the store's tests share: a directory of their own, and settlements made up.
 */
#ifndef SCRAPETOP_TESTS_STORE_FIXTURE_H
#define SCRAPETOP_TESTS_STORE_FIXTURE_H

#include "store/run_dir.h"
#include "store/settlement.h"

struct ledger;

struct temp {
    char base[64];
    char run[96]; /* base/a.run; not created */
};

void temp_init(struct temp *temp);
void temp_release(struct temp *temp); /* with all that is in it */

/** Key "ID", URL "http://h.test/items/ID", attempt 1, status 200. */
struct settlement *settlement_make(uint64_t id, enum settle_state state, enum settle_body body_kind,
                                   struct str body);
void settlement_free(struct settlement *settlement);

/** The settlement and what it gave rise to, in a transaction of its own. */
void ledger_put_all(struct ledger *ledger, struct settlement *settlement);

/** A ledger.db that this SQL makes, in the place of the one that is there. */
void ledger_make(const struct run_dir *dir, const char *sql);

/** Whole file, terminated; to free. */
char *file_read(const struct run_dir *dir, const char *name, size_t *len);
void file_write(const struct run_dir *dir, const char *name, struct str bytes);

/** Flips the bits of `mask` in one byte. */
void file_damage(const struct run_dir *dir, const char *name, size_t at, unsigned char mask);

#endif
