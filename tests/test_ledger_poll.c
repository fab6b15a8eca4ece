/* Rounds of polls in the store: how far they are, and what has not changed. */
#include "plan/sort_key.h"
#include "store/archive.h"

#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS 2

static const uint32_t parents[] = { 0 };
static const struct ledger_plan plan = { .seeds = SEEDS, .parents = parents, .endpoint_count = 1 };

struct world {
    struct temp temp;
    struct run_dir dir;
    struct archive archive;
    struct recovery recovery;
    struct request *found;
};

static void open_archive(struct world *w)
{
    struct err err;

    if (archive_open(&w->archive, &w->dir,
                     &(struct archive_options){ .plan = &plan, .clock.wall_us = 1 }, &w->recovery,
                     &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

static void reopen_archive(struct world *w)
{
    archive_close(&w->archive);
    run_dir_close(&w->dir);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    open_archive(w);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    open_archive(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    request_free(w->found);
    archive_close(&w->archive);
    run_dir_close(&w->dir);
    temp_release(&w->temp);
    free(w);
    return 0;
}

static void store(struct world *w, struct settlement *s)
{
    struct err err;

    if (archive_store(&w->archive, s, 0, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

/* The answer to seed `seed` in a round; the two seeds have one URL. */
static struct settlement *answer(uint32_t round, uint64_t seed, const char *body, const char *etag)
{
    struct settlement *s =
        settlement_make(round * SEEDS + seed, SETTLE_DONE, SETTLE_BODY_JSON, str_view(body));
    struct sort_key place;

    sort_key_of_seed(round, seed, &place);
    request_free(s->response->request);
    s->response->request = request_make(
        round * SEEDS + seed, 0,
        &(struct request_texts){ .key = STR("k"),
                                 .url = STR("http://h.test/all"),
                                 .sort_key = round ? sort_key_view(&place) : STR_NONE });
    assert_non_null(s->response->request);
    s->poll.is_used = true;
    s->poll.etag = etag ? str_view(etag) : STR_NONE;
    return s;
}

/* Whether it was unchanged. */
static bool poll(struct world *w, uint32_t round, uint64_t seed, const char *body)
{
    struct settlement *s = answer(round, seed, body, NULL);
    bool unchanged;

    store(w, s);
    unchanged = s->unchanged;
    assert_int_equal(s->body_kind, unchanged ? SETTLE_BODY_NONE : SETTLE_BODY_JSON);
    assert_int_equal(s->record.length > 0, !unchanged);
    settlement_free(s);
    return unchanged;
}

static void store__keeps_no_second_line__of_the_same_body(void **state)
{
    struct world *w = *state;
    struct ledger_summary summary;

    assert_false(poll(w, 0, 1, "{\"a\":1}\n"));
    assert_true(
        poll(w, 1, 1, "{\"a\":1}\n")); /* though its line breaks were changed for the line */
    assert_false(poll(w, 2, 1, "{\"a\":2}\n"));
    assert_false(poll(w, 3, 1, "{\"a\":1}\n")); /* the last one counts, not any */
    reopen_archive(w);
    assert_true(poll(w, 4, 1, "{\"a\":1}\n"));
    assert_int_equal(ledger_summarise(w->archive.ledger, &summary, NULL), RESULT_OK);
    assert_int_equal(summary.done, 5);
    assert_int_equal(summary.unchanged, 2);
    assert_int_equal(w->recovery.unchanged, 1);
}

static void store__tells_seeds_apart__of_the_same_url(void **state)
{
    struct world *w = *state;

    assert_false(poll(w, 0, 1, "{}"));
    assert_false(poll(w, 0, 2, "{}"));
    assert_true(poll(w, 1, 1, "{}"));
    assert_false(poll(w, 1, 2, "[]"));
}

static void store__keeps_every_line__of_what_is_asked_once(void **state)
{
    struct world *w = *state;

    for (uint32_t round = 0; round < 2; round++) {
        struct settlement *s = answer(round, 1, "{}", NULL);

        s->poll.is_used = false;
        store(w, s);
        assert_false(s->unchanged);
        assert_true(s->record.length > 0);
        settlement_free(s);
    }
}

static enum result keep(void *context, struct request *request, int64_t not_before_us)
{
    struct world *w = context;

    (void)not_before_us;
    request_free(w->found);
    w->found = request;
    return RESULT_OK;
}

static void store__commits_a_part_of_a_round__with_the_etag_of_the_last_answer(void **state)
{
    struct world *w = *state;
    struct rounds_kept kept = { 1234567890123456, 7, 9, 2, 1, 1234567890123457, true }, read;
    struct settlement part = { .state = SETTLE_ROUND, .rounds = &kept };
    struct settlement *first = answer(0, 1, "{}", "\"v7\"");
    struct ledger_discovered_query query = { LEDGER_DISCOVERED_NEW, 0, 9, keep, w };
    struct page_at page = { 0 };
    struct sort_key place;

    store(w, first);
    settlement_free(first);
    sort_key_of_seed(1, 1, &place);
    discoveries_add(&part.discoveries,
                    discovered_new(0,
                                   &(struct request_texts){ .key = STR("k"),
                                                            .url = STR("http://h.test/all"),
                                                            .sort_key = sort_key_view(&place) },
                                   &page));
    store(w, &part);
    assert_int_equal(part.discoveries.first->id, SEEDS + 1);
    discoveries_release(&part.discoveries);
    reopen_archive(w);
    assert_int_equal(ledger_read_rounds(w->archive.ledger, &read, NULL), RESULT_OK);
    assert_memory_equal(&read, &kept, offsetof(struct rounds_kept, is_chosen) + 1);
    assert_int_equal(ledger_each_discovered(w->archive.ledger, &query, NULL), RESULT_OK);
    assert_string_equal(w->found->etag.data, "\"v7\"");
}

static void ledger_read_rounds__yields_nothing__when_none_has_begun(void **state)
{
    struct world *w = *state;
    struct rounds_kept read = { .begun = 5 };

    assert_int_equal(ledger_read_rounds(w->archive.ledger, &read, NULL), RESULT_OK);
    assert_int_equal(read.begun, 0);
    assert_int_equal(read.started_us, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(store__keeps_no_second_line__of_the_same_body),
        CASE(store__tells_seeds_apart__of_the_same_url),
        CASE(store__keeps_every_line__of_what_is_asked_once),
        CASE(store__commits_a_part_of_a_round__with_the_etag_of_the_last_answer),
        CASE(ledger_read_rounds__yields_nothing__when_none_has_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
