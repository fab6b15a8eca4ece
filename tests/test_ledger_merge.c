/* Plans that change, against a model: what is known by what it asks, and where tables have it. */
#include "plan/sort_key.h"
#include "store/archive.h"
#include "store/ledger_view.h"

#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PLAN_MAX 24
#define NAMES 12 /* so that many are there twice */
#define ROUNDS 40

/* A plan: what each of its requests asks for. */
struct plan {
    unsigned names[PLAN_MAX];
    unsigned count;
};

struct world {
    struct temp temp;
    struct run_dir dir;
    struct archive archive;
    struct recovery recovery;
    struct ledger_plan ledger_plan;
    struct plan before, now;
    unsigned known[NAMES]; /* rows that the run has of each name, in the plan or gone */
    unsigned shown[NAMES]; /* of these in tables: not pruned */
    uint64_t random;
    char url[64], key[16];
};

static const uint32_t parents[] = { 0 };

static unsigned dice(struct world *w, unsigned sides)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->random >> 33) % sides;
}

static void open_archive(struct world *w, bool is_listed, uint64_t seeds)
{
    struct err err;

    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    w->ledger_plan = (struct ledger_plan){
        .seeds = seeds, .parents = parents, .endpoint_count = 1, .is_listed = is_listed
    };
    if (archive_open(&w->archive, &w->dir,
                     &(struct archive_options){ .plan = &w->ledger_plan, .clock.wall_us = 1 },
                     &w->recovery, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

static void close_archive(struct world *w)
{
    archive_close(&w->archive);
    run_dir_close(&w->dir);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    temp_release(&w->temp);
    free(w);
    return 0;
}

/* --- the plan, as the ledger is told of it ------------------------------------------------------------ */

static enum result seed_of(struct world *w, const struct plan *plan, uint64_t number,
                           struct ledger_seed *seed)
{
    snprintf(w->url, sizeof w->url, "http://h.test/%u", plan->names[number - 1]);
    snprintf(w->key, sizeof w->key, "%u", plan->names[number - 1]);
    *seed = (struct ledger_seed){ .texts = { .key = str_view(w->key),
                                             .url = str_view(w->url),
                                             .body = STR_NONE,
                                             .vars = STR_NONE } };
    return RESULT_OK;
}

static enum result was(void *context, uint64_t number, struct ledger_seed *seed, struct err *err)
{
    struct world *w = context;

    (void)err;
    return seed_of(w, &w->before, number, seed);
}

static enum result is(void *context, uint64_t number, struct ledger_seed *seed, struct err *err)
{
    struct world *w = context;

    (void)err;
    return seed_of(w, &w->now, number, seed);
}

/* All of the plan before, when the present one begins with it. */
static uint64_t count_same(const struct world *w)
{
    const struct plan *before = &w->before, *now = &w->now;

    return before->count <= now->count &&
                   memcmp(before->names, now->names, before->count * sizeof now->names[0]) == 0
               ? before->count
               : 0;
}

static enum result merge(struct world *w, bool prunes, struct ledger_merge *m, struct err *err)
{
    *m = (struct ledger_merge){ .was = was,
                                .total_before = w->before.count,
                                .is = is,
                                .total = w->now.count,
                                .context = w,
                                .prunes = prunes,
                                .same = count_same(w) };
    return ledger_merge(w->archive.ledger, m, err);
}

/* --- answers --------------------------------------------------------------------------------------------- */

/* The answer says which name was asked for. */
static void answer(struct world *w, uint64_t id, unsigned name, enum settle_state state)
{
    char body[32];
    struct settlement *s;
    struct err err;

    snprintf(body, sizeof body, "{\"name\":%u}", name);
    s = settlement_make(id, state, SETTLE_BODY_JSON, str_view(body));
    if (archive_store(&w->archive, s, 0, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    settlement_free(s);
}

struct asked {
    struct world *world;
    uint64_t ids[PLAN_MAX];
    unsigned names[PLAN_MAX], count;
};

static enum result note_asked(void *context, struct request *request, int64_t not_before_us)
{
    struct asked *a = context;

    (void)not_before_us;
    assert_true(a->count < PLAN_MAX);
    a->ids[a->count] = request->id;
    a->names[a->count++] =
        (unsigned)strtoul(request->url.data + strlen("http://h.test/"), NULL, 10);
    request_free(request);
    return RESULT_OK;
}

/* All that the ledger has to be asked is answered; how many that are. */
static unsigned ask_all(struct world *w)
{
    struct asked asked = { .world = w };
    struct ledger_discovered_query query = {
        .which = LEDGER_DISCOVERED_NEW, .max = PLAN_MAX, .visit = note_asked, .context = &asked
    };

    assert_int_equal(ledger_each_discovered(w->archive.ledger, &query, NULL), RESULT_OK);
    for (unsigned i = 0; i < asked.count; i++) {
        answer(w, asked.ids[i], asked.names[i], SETTLE_DONE);
    }
    return asked.count;
}

/* --- the model --------------------------------------------------------------------------------------------- */

static unsigned count_of(const struct plan *plan, unsigned name)
{
    unsigned count = 0;

    for (unsigned i = 0; i < plan->count; i++) {
        count += plan->names[i] == name;
    }
    return count;
}

static bool have_something_in_common(const struct world *w)
{
    for (unsigned name = 0; name < NAMES; name++) {
        if (w->known[name] && count_of(&w->now, name)) {
            return true;
        }
    }
    return false;
}

/* What the run does not have of the present plan; it has it from now on. */
static unsigned learn(struct world *w, bool prunes)
{
    unsigned added = 0;

    for (unsigned name = 0; name < NAMES; name++) {
        unsigned count = count_of(&w->now, name);

        if (count > w->known[name]) {
            added += count - w->known[name];
            w->known[name] = count;
        }
        w->shown[name] = prunes || count > w->shown[name] ? count : w->shown[name];
    }
    return added;
}

static void check_table(struct world *w)
{
    static struct placed_record records[4 * PLAN_MAX * NAMES];
    struct record_position position = { 0 };
    size_t count, total = 0;
    struct err err;

    if (ledger_read_endpoint(w->archive.ledger, 0, &position, records,
                             sizeof records / sizeof records[0], &count, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    for (unsigned name = 0; name < NAMES; name++) {
        total += w->shown[name];
    }
    assert_int_equal(count, total);
    for (size_t i = 0; i < w->now.count;
         i++) { /* those of the plan come first, each in its place */
        char *text;
        char want[32];
        size_t len;

        text = file_read(&w->dir, "raw/00000001.jsonl", &len);
        snprintf(want, sizeof want, "\"body\":{\"name\":%u}}", w->now.names[i]);
        assert_true(records[i].record.offset + records[i].record.length <= len);
        text[records[i].record.offset + records[i].record.length] = '\0';
        assert_non_null(strstr(text + records[i].record.offset, want));
        free(text);
    }
}

static void change(struct world *w)
{
    struct plan *p = &w->now;

    w->before = *p;
    if (dice(w, 3) == 0) { /* added at the end, equal ones among them */
        for (unsigned more = 1 + dice(w, 4); more && p->count < PLAN_MAX; more--) {
            p->names[p->count++] = dice(w, NAMES);
        }
        return;
    }
    for (unsigned changes = 1 + dice(w, 6); changes; changes--) {
        unsigned at = dice(w, p->count), other = dice(w, p->count), name = p->names[at];

        switch (dice(w, 3)) {
        case 0: /* two change places */
            p->names[at] = p->names[other];
            p->names[other] = name;
            break;
        case 1:
            if (p->count < PLAN_MAX) {
                memmove(p->names + at + 1, p->names + at, (p->count - at) * sizeof p->names[0]);
                p->names[at] = dice(w, NAMES);
                p->count++;
            }
            break;
        default:
            if (p->count > 1) {
                p->count--;
                memmove(p->names + at, p->names + at + 1, (p->count - at) * sizeof p->names[0]);
            }
            break;
        }
    }
}

/* --- cases --------------------------------------------------------------------------------------------------- */

static void begin(struct world *w, uint64_t seed)
{
    w->random = seed;
    w->now.count = 1 + dice(w, PLAN_MAX / 2);
    open_archive(w, false, w->now.count);
    for (unsigned i = 0; i < w->now.count; i++) {
        w->now.names[i] = dice(w, NAMES);
        answer(w, i + 1, w->now.names[i], SETTLE_DONE);
        w->known[w->now.names[i]]++;
        w->shown[w->now.names[i]]++;
    }
    close_archive(w);
}

static void ledger_merge__knows_and_places_what_a_model_does(void **state)
{
    struct world *w = *state;

    begin(w, 20261130);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct ledger_merge m;
        struct err err;
        bool prunes = dice(w, 3) == 0, common;
        unsigned added;

        change(w);
        common = have_something_in_common(w);
        open_archive(w, true, 0);
        if (!common) {
            assert_int_equal(merge(w, prunes, &m, &err), RESULT_INVALID);
            assert_string_equal(err.code, "E-JOB1");
            w->now = w->before;
            close_archive(w);
            continue;
        }
        if (merge(w, prunes, &m, &err) != RESULT_OK) {
            fail_msg("%s", err.text);
        }
        added = learn(w, prunes);
        assert_int_equal(m.added, added);
        assert_int_equal(m.kept + m.added, w->now.count);
        close_archive(w); /* what was merged is durable, and asked by the next session */
        open_archive(w, true, 0);
        assert_true(ledger_is_listed(w->archive.ledger));
        assert_int_equal(ask_all(w), added);
        check_table(w);
        assert_int_equal(ask_all(w), 0);
        close_archive(w);
    }
}

static void ledger_merge__leaves_all_as_it_was__when_a_plan_cannot_be_read(void **state)
{
    struct world *w = *state;
    struct ledger_merge m;
    struct err err;

    begin(w, 7);
    w->before = w->now;
    w->now = (struct plan){ .names = { NAMES + 1 }, .count = 1 };
    open_archive(w, true, 0);
    assert_int_equal(merge(w, true, &m, &err), RESULT_INVALID);
    close_archive(w);
    w->now = w->before;
    open_archive(w, false, w->now.count);
    assert_false(ledger_is_listed(w->archive.ledger));
    check_table(w);
    close_archive(w);
}

static void ledger_merge__forgets_failures__of_what_has_gone(void **state)
{
    struct world *w = *state;
    struct ledger_summary summary;
    struct ledger_merge m;
    struct err err;

    w->now = (struct plan){ .names = { 1, 2 }, .count = 2 };
    open_archive(w, false, 2);
    answer(w, 1, 1, SETTLE_DONE);
    answer(w, 2, 2, SETTLE_FAILED);
    close_archive(w);
    w->before = w->now;
    w->now = (struct plan){ .names = { 3, 1 }, .count = 2 };
    open_archive(w, true, 0);
    assert_int_equal(merge(w, false, &m, &err), RESULT_OK);
    assert_int_equal(m.gone, 1);
    assert_int_equal(ledger_summarise(w->archive.ledger, &summary, &err), RESULT_OK);
    assert_int_equal(summary.failed, 0);
    assert_int_equal(summary.planned, 2);
    assert_int_equal(ask_all(w), 1);
    close_archive(w);
}

/* Where the bodies of a table lie, in its order. */
static size_t offsets_of(struct ledger_view *view, uint64_t offsets[PLAN_MAX])
{
    static struct placed_record records[PLAN_MAX];
    struct record_position position = { 0 };
    struct err err;
    size_t count;

    assert_int_equal(ledger_view_read(view, 0, &position, records, PLAN_MAX, &count, &err),
                     RESULT_OK);
    for (size_t i = 0; i < count; i++) {
        offsets[i] = records[i].record.offset;
        free(records[i].vars);
    }
    return count;
}

/* Who reads a table page by page while a run begins with another list must not get half of each order. */
static void ledger_merge__is_not_seen_in_a_view(void **state)
{
    struct world *w = *state;
    uint64_t before[PLAN_MAX], during[PLAN_MAX];
    struct ledger_view view = { .dir = &w->dir };
    struct ledger_merge m;
    struct err err;

    w->now = (struct plan){ .names = { 1, 2, 3 }, .count = 3 };
    open_archive(w, false, 3);
    for (unsigned i = 0; i < 3; i++) {
        answer(w, i + 1, w->now.names[i], SETTLE_DONE);
    }
    close_archive(w);
    open_archive(w, true, 0);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(offsets_of(&view, before), 3);
        w->before = w->now;
        w->now.names[0] = w->before.names[2];
        w->now.names[2] = w->before.names[0];
        assert_int_equal(merge(w, false, &m, &err), RESULT_OK);
        assert_int_equal(offsets_of(&view, during), 3);
        assert_memory_equal(during, before, 3 * sizeof before[0]);
        ledger_view_close(&view);
        assert_int_equal(offsets_of(&view, during), 3);
        assert_int_equal(during[0], before[2]);
        assert_int_equal(during[2], before[0]);
        ledger_view_close(&view);
    }
    close_archive(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ledger_merge__knows_and_places_what_a_model_does, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            ledger_merge__leaves_all_as_it_was__when_a_plan_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(ledger_merge__is_not_seen_in_a_view, setup, teardown),
        cmocka_unit_test_setup_teardown(ledger_merge__forgets_failures__of_what_has_gone, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
