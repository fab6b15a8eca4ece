/**
 * A run in a directory of its own with a committer on a loop. What comes back is kept in the order in which it came.
 */
#ifndef SCRAPETOP_TESTS_COMMITTER_FIXTURE_H
#define SCRAPETOP_TESTS_COMMITTER_FIXTURE_H

#include "store/committer.h"
#include "store/verify.h"
#include "store_fixture.h"

#define BACK_MAX 256

/* A run in a directory of its own, on a loop that must be empty at the end. */
struct world {
    struct temp temp;
    uv_loop_t loop;
    struct run_dir dir;
    struct committer *committer;
    struct recovery recovery;
    struct settlement *back[BACK_MAX]; /* in the order in which they came */
    size_t back_count, wanted;         /* the loop is stopped when so many are back */
    enum result troubles[8];
    size_t trouble_count, troubles_wanted;
    char trouble_code[ERR_CODE_MAX];
    bool closed;
};

int setup(void **state);
int teardown(void **state);
enum result try_open(struct world *w, struct err *err);
void open_run(struct world *w);
void start_run(struct world *w);
void close_run(struct world *w, bool clean);
struct settlement *done(uint64_t id);

/* Runs the loop until `count` more are back. */
void wait_back(struct world *w, size_t count);
struct settlement *put_and_wait(struct world *w, struct settlement *s);
void verify(struct world *w, struct verify_report *report);

#endif
