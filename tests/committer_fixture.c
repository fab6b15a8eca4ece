#include "committer_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void on_committed(void *context, struct settlement *list)
{
    struct world *w = context;

    for (struct settlement *s = list; s; s = s->next) {
        assert_true(w->back_count < BACK_MAX);
        w->back[w->back_count++] = s;
    }
    if (w->wanted && w->back_count >= w->wanted) {
        uv_stop(&w->loop);
    }
}

static void on_trouble(void *context, enum result result, const struct err *err)
{
    struct world *w = context;

    assert_true(w->trouble_count < 8);
    w->troubles[w->trouble_count++] = result;
    snprintf(w->trouble_code, sizeof w->trouble_code, "%s", err->code);
    if (w->trouble_count == w->troubles_wanted) {
        uv_stop(&w->loop);
    }
}

static void on_closed(void *context)
{
    struct world *w = context;

    w->closed = true;
}

int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    *state = w;
    return 0;
}

int teardown(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < w->back_count; i++) {
        settlement_free(w->back[i]);
    }
    assert_int_equal(uv_loop_close(&w->loop), 0);
    temp_release(&w->temp);
    free(w);
    return 0;
}

enum result try_open(struct world *w, struct err *err)
{
    struct committer_options options = {
        .loop = &w->loop,
        .dir = &w->dir,
        .clock = clock_system(),
        .on_committed = on_committed,
        .on_trouble = on_trouble,
        .context = w,
    };
    enum result result = run_dir_open(&w->dir, w->temp.run, err);

    w->closed = false;
    w->wanted = 0;
    if (result == RESULT_OK) {
        result = committer_open(&w->committer, &options, &w->recovery, err);
        if (result != RESULT_OK) {
            run_dir_close(&w->dir);
        }
    }
    return result;
}

void open_run(struct world *w)
{
    struct err err = { .result = RESULT_OK };

    if (try_open(w, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

void start_run(struct world *w)
{
    open_run(w);
    assert_int_equal(committer_start(w->committer, NULL), RESULT_OK);
}

void close_run(struct world *w, bool clean)
{
    w->wanted = 0;
    committer_close(w->committer, clean, on_closed);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_true(w->closed);
    run_dir_close(&w->dir);
}

struct settlement *done(uint64_t id)
{
    char body[64];

    snprintf(body, sizeof body, "{\"id\":%llu}", (unsigned long long)id);
    return settlement_make(id, SETTLE_DONE, SETTLE_BODY_JSON, str_view(body));
}

void wait_back(struct world *w, size_t count)
{
    w->wanted = w->back_count + count;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->back_count, w->wanted);
}

struct settlement *put_and_wait(struct world *w, struct settlement *s)
{
    committer_put(w->committer, s);
    committer_flush(w->committer);
    wait_back(w, 1);
    assert_ptr_equal(w->back[w->back_count - 1], s);
    return s;
}

static void ignore_finding(void *context, const struct verify_finding *finding)
{
    (void)context;
    (void)finding;
}

void verify(struct world *w, struct verify_report *report)
{
    struct run_reader reader;

    assert_int_equal(run_reader_open(&reader, w->temp.run, NULL), RESULT_OK);
    assert_int_equal(verify_run(&reader, ignore_finding, NULL, report, NULL), RESULT_OK);
    run_reader_close(&reader);
}
