#include "store/committer.h"

#include "base/crc32c.h"
#include "store/ballast.h"
#include "store/ledger.h"
#include "store/line.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A run in a directory of its own, on a loop that must be empty at the end. */
struct world {
    char base[64], path[96];
    uv_loop_t loop;
    struct run_dir dir;
    struct committer *committer;
    struct recovery recovery;
    struct settlement *back[64]; /* in the order in which they came */
    size_t back_count;
    size_t wanted; /* stop the loop when so many are back */
    enum result troubles[8];
    size_t trouble_count;
    bool closed;
};

static void on_committed(void *context, struct settlement *list)
{
    struct world *w = context;

    for (struct settlement *s = list; s; s = s->next) {
        assert_true(w->back_count < 64);
        w->back[w->back_count++] = s;
    }
    if (w->wanted && w->back_count >= w->wanted) {
        uv_stop(&w->loop);
    }
}

static void on_trouble(void *context, enum result result, const struct err *err)
{
    struct world *w = context;

    (void)err;
    assert_true(w->trouble_count < 8);
    w->troubles[w->trouble_count++] = result;
}

static void on_closed(void *context)
{
    struct world *w = context;

    w->closed = true;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    snprintf(w->base, sizeof w->base, "/tmp/scrapetop-test-XXXXXX");
    assert_non_null(mkdtemp(w->base));
    snprintf(w->path, sizeof w->path, "%s/a.run", w->base);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];

    assert_int_equal(uv_loop_close(&w->loop), 0);
    snprintf(command, sizeof command, "rm -rf '%s'", w->base);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static void open_run(struct world *w)
{
    struct committer_options options = {
        .loop = &w->loop,
        .dir = &w->dir,
        .clock = clock_system(),
        .on_committed = on_committed,
        .on_trouble = on_trouble,
        .context = w,
    };
    struct err err = { .result = RESULT_OK };

    w->closed = false;
    if (run_dir_open(&w->dir, w->path, &err) != RESULT_OK ||
        committer_open(&w->committer, &options, &w->recovery, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

static void start_run(struct world *w)
{
    open_run(w);
    assert_int_equal(committer_start(w->committer, NULL), RESULT_OK);
}

static void close_run(struct world *w, bool clean)
{
    w->wanted = 0;
    committer_close(w->committer, clean, on_closed);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_true(w->closed);
    run_dir_close(&w->dir);
}

static void free_back(struct world *w)
{
    for (size_t i = 0; i < w->back_count; i++) {
        response_free(w->back[i]->response);
        free(w->back[i]);
    }
    w->back_count = 0;
}

static struct settlement *settlement(uint64_t id, enum settle_state state,
                                     enum settle_body body_kind, const char *body)
{
    struct settlement *s = calloc(1, sizeof *s);
    char key[32], url[64];

    snprintf(key, sizeof key, "%llu", (unsigned long long)id);
    snprintf(url, sizeof url, "http://h.test/items/%llu", (unsigned long long)id);
    s->state = state;
    s->body_kind = body_kind;
    s->response = response_new();
    s->response->request = request_new(id, 0, str_view(key), str_view(url));
    s->response->request->attempt = 1;
    s->response->status = 200;
    s->response->fetched_at_us = INT64_C(1700000000000000);
    assert_int_equal(buf_append_str(&s->response->body, str_view(body)), RESULT_OK);
    return s;
}

static void put_and_wait(struct world *w, struct settlement *s)
{
    w->wanted = w->back_count + 1;
    committer_put(w->committer, s);
    committer_flush(w->committer);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->back_count, w->wanted);
}

/* Bytes of raw/00000001.jsonl. */
static char *raw_bytes(struct world *w, size_t *len)
{
    struct buf bytes = { .max = 0 };

    assert_int_equal(run_dir_read(&w->dir, "raw/00000001.jsonl", 1 << 20, &bytes, NULL), RESULT_OK);
    *len = bytes.len;
    assert_non_null(buf_cstr(&bytes));
    return bytes.data;
}

static void committer__writes_line_and_row__when_done(void **state)
{
    struct world *w = *state;
    struct line_view view;
    size_t len;
    char *raw;

    start_run(w);
    assert_false(w->recovery.resumed);
    put_and_wait(w, settlement(7, SETTLE_DONE, SETTLE_BODY_JSON, "{\"a\":\n1}"));
    assert_int_equal(w->back[0]->state, SETTLE_DONE);
    assert_int_equal(w->back[0]->record.segment, 1);
    assert_int_equal(w->back[0]->record.offset, 0);
    raw = raw_bytes(w, &len);
    assert_int_equal(len, w->back[0]->record.length);
    assert_int_equal(line_parse((struct str){ raw, len }, &view), RESULT_OK);
    assert_int_equal(view.id, 7);
    assert_true(str_equal(view.body, STR("{\"a\": 1}")));
    assert_int_equal(line_crc32c(&view), view.crc32c);
    free(raw);
    close_run(w, true);
    free_back(w);
}

static void count_rows(void *context, const struct ledger_row *row)
{
    unsigned *counts = context;

    counts[row->state]++;
}

static void committer__resumes_rows__when_reopened(void **state)
{
    struct world *w = *state;
    unsigned counts[4] = { 0 };
    struct settlement *waiting = settlement(3, SETTLE_WAITING, SETTLE_BODY_NONE, "");

    waiting->not_before_wall_us = 123;
    start_run(w);
    put_and_wait(w, settlement(1, SETTLE_DONE, SETTLE_BODY_JSON, "[1]"));
    put_and_wait(w, settlement(2, SETTLE_FAILED, SETTLE_BODY_NONE, ""));
    put_and_wait(w, waiting);
    close_run(w, true);
    free_back(w);

    open_run(w);
    assert_true(w->recovery.resumed);
    assert_false(w->recovery.unclean);
    assert_int_equal(w->recovery.done, 1);
    assert_int_equal(w->recovery.failed, 1);
    assert_int_equal(w->recovery.waiting, 1);
    assert_int_equal(w->recovery.body_bytes, 3);
    assert_int_equal(committer_each_row(w->committer, count_rows, counts, NULL), RESULT_OK);
    assert_int_equal(counts[SETTLE_DONE], 1);
    assert_int_equal(counts[SETTLE_FAILED], 1);
    assert_int_equal(counts[SETTLE_WAITING], 1);
    close_run(w, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(committer__writes_line_and_row__when_done, setup, teardown),
        cmocka_unit_test_setup_teardown(committer__resumes_rows__when_reopened, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
