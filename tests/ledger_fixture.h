/**
 * A ledger in a directory of its own, and settlements to put into it.
 */
#ifndef SCRAPETOP_TESTS_LEDGER_FIXTURE_H
#define SCRAPETOP_TESTS_LEDGER_FIXTURE_H

#include "store/ledger.h"
#include "store_fixture.h"

struct world {
    struct temp temp;
    struct run_dir dir;
    struct ledger *ledger;
};

void open_ledger(struct world *w, bool created);
void close_ledger(struct world *w);
int setup(void **state);
int teardown(void **state);
bool put(struct world *w, struct settlement *s);
struct settlement *done(uint64_t id, enum settle_body kind, uint64_t offset);
struct settlement *failed(uint64_t id, const char *reason);
struct settlement *waiting(uint64_t id, int64_t not_before_us, uint32_t attempt);

struct rows {
    struct ledger_row rows[8];
    char reason[8][REQUEST_REASON_MAX];
    size_t count;
};

void read_rows(struct world *w, struct rows *rows);
void keep_row(void *context, const struct ledger_row *row);

#endif
