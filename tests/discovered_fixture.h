/**
 * A ledger with seeds, and requests that their answers gave rise to.
 */
#ifndef SCRAPETOP_TESTS_DISCOVERED_FIXTURE_H
#define SCRAPETOP_TESTS_DISCOVERED_FIXTURE_H

#include "store/ledger.h"
#include "store_fixture.h"

#include <uv.h>

#define SEEDS 10
#define ROWS_MAX 16

/* 0 the listing; 1 its details, 2 theirs; 3 other details of the listing. */
extern const uint32_t parents[];
extern const struct ledger_plan plan;

struct world {
    struct temp temp;
    struct run_dir dir;
    struct ledger *ledger;
    struct request *rows[ROWS_MAX];
    int64_t not_before_us[ROWS_MAX];
    size_t row_count;
    uv_loop_t loop;
    bool closed;
};

void open_ledger(struct world *w);
void close_ledger(struct world *w);
int setup(void **state);
void forget_rows(struct world *w);
int teardown(void **state);
struct settlement *done(uint64_t id);
struct discovered *find_detail(struct settlement *s, const char *url, uint32_t record,
                               const char *vars);
struct discovered *find_page(struct settlement *s, const char *url, uint32_t ordinal);
void put(struct world *w, struct settlement *s);
void drop(struct settlement *s);
void read_found(struct world *w, enum ledger_discovered which, uint64_t after_id, size_t max);
enum result keep(void *context, struct request *request, int64_t not_before_us);

#endif
