#include "table/sequencer.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define AHEAD 6

static enum result append(void *context, struct str bytes, struct err *err)
{
    (void)err;
    return buf_append_str(context, bytes);
}

static enum result refuse(void *context, struct str bytes, struct err *err)
{
    (void)context;
    (void)bytes;
    return err_set(err, RESULT_FULL, "E-OUT2", "no space");
}

static enum result finish(struct sequencer *turns, uint64_t chunk, const char *text)
{
    struct buf bytes = { 0 };
    enum result result = buf_append_str(&bytes, str_view(text));

    result = result == RESULT_OK ? sequencer_finish(turns, chunk, &bytes, NULL) : result;
    buf_release(&bytes);
    return result;
}

static void sequencer__write_in_order__when_chunks_end_in_any(void **state)
{
    struct buf out = { 0 }, spilled = { 0 };
    struct sequencer *turns = sequencer_new((struct row_sink){ append, &out }, AHEAD);

    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(sequencer_enter(turns, i), RESULT_OK);
    }
    assert_int_equal(finish(turns, 2, "c"), RESULT_OK);
    assert_int_equal(finish(turns, 0, "a"), RESULT_OK);
    assert_int_equal(buf_append_str(&spilled, STR("b")), RESULT_OK);
    assert_int_equal(sequencer_spill(turns, 1, &spilled, NULL), RESULT_OK);
    assert_int_equal(spilled.len, 0);
    assert_int_equal(finish(turns, 3, "d"), RESULT_OK);
    assert_int_equal(out.len, 2);
    assert_int_equal(finish(turns, 1, "b"), RESULT_OK);
    assert_int_equal(out.len, 5);
    assert_memory_equal(out.data, "abbcd", 5);
    sequencer_free(turns);
    buf_release(&out);
    buf_release(&spilled);
}

static void sequencer_await__goes_on__when_all_before_have_passed_or_ended(void **state)
{
    struct buf out = { 0 };
    struct sequencer *turns = sequencer_new((struct row_sink){ append, &out }, AHEAD);

    (void)state;
    for (uint64_t round = 0; round < 4 * AHEAD; round += 4) { /* the ring comes round */
        for (uint64_t i = 0; i < 4; i++) {
            assert_int_equal(sequencer_enter(turns, round + i), RESULT_OK);
        }
        assert_int_equal(sequencer_await(turns, round), RESULT_OK);
        assert_int_equal(sequencer_await(turns, round), RESULT_OK); /* as often as it likes */
        sequencer_pass(turns, round + 1);                           /* it needs no turn */
        assert_int_equal(finish(turns, round + 2, "c"), RESULT_OK);
        sequencer_pass(turns, round);
        assert_int_equal(sequencer_await(turns, round + 3), RESULT_OK);
        assert_int_equal(finish(turns, round + 1, "b"), RESULT_OK);
        assert_int_equal(finish(turns, round, "a"), RESULT_OK);
        assert_int_equal(finish(turns, round + 3, "d"), RESULT_OK);
    }
    assert_int_equal(out.len, 4 * AHEAD);
    sequencer_free(turns);
    buf_release(&out);
}

/* Chunks that are dealt to threads: what they note one after the other must be in order. */
struct crowd {
    struct sequencer *turns;
    pthread_mutex_t lock;
    uint64_t next, noted;
    bool in_order;
};

#define CHUNKS 400

static void *work(void *context)
{
    struct crowd *crowd = context;

    for (;;) {
        uint64_t chunk;
        char text[8];

        pthread_mutex_lock(&crowd->lock);
        chunk = crowd->next++;
        pthread_mutex_unlock(&crowd->lock);
        if (chunk >= CHUNKS || sequencer_enter(crowd->turns, chunk) != RESULT_OK) {
            return NULL;
        }
        if (chunk % 3) { /* without a lock: the turn is one */
            if (sequencer_await(crowd->turns, chunk) != RESULT_OK) {
                return NULL;
            }
            crowd->in_order &= crowd->noted <= chunk;
            crowd->noted = chunk;
        }
        if (chunk % 5) {
            sequencer_pass(crowd->turns, chunk);
        }
        snprintf(text, sizeof text, "%03u ", (unsigned)chunk);
        if (finish(crowd->turns, chunk, text) != RESULT_OK) {
            return NULL;
        }
    }
}

static void sequencer_await__lets_one_at_a_time__when_many_wait(void **state)
{
    struct buf out = { 0 };
    struct crowd crowd = { .turns = sequencer_new((struct row_sink){ append, &out }, AHEAD),
                           .in_order = true };
    pthread_t threads[8];

    (void)state;
    pthread_mutex_init(&crowd.lock, NULL);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, &crowd), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(crowd.in_order);
    assert_int_equal(crowd.noted, CHUNKS - 2);
    assert_int_equal(out.len, 4 * CHUNKS);
    for (unsigned i = 0; i < CHUNKS; i++) {
        assert_int_equal(strtoul(out.data + (size_t)4 * i, NULL, 10), i);
    }
    pthread_mutex_destroy(&crowd.lock);
    sequencer_free(crowd.turns);
    buf_release(&out);
}

static void *wait_for_turn(void *turns)
{
    static enum result result;

    result = sequencer_await(turns, 1);
    return &result;
}

static void sequencer_await__is_woken__when_the_file_fails_or_all_is_stopped(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        struct sequencer *turns = sequencer_new((struct row_sink){ refuse, NULL }, AHEAD);
        pthread_t thread;
        void *result;

        assert_int_equal(sequencer_enter(turns, 0), RESULT_OK);
        assert_int_equal(sequencer_enter(turns, 1), RESULT_OK);
        assert_int_equal(pthread_create(&thread, NULL, wait_for_turn, turns), 0);
        if (fails) {
            struct buf bytes = { 0 };
            struct err err;

            assert_int_equal(buf_append_char(&bytes, 'a'), RESULT_OK);
            assert_int_equal(sequencer_spill(turns, 0, &bytes, &err), RESULT_FULL);
            buf_release(&bytes);
        } else {
            sequencer_stop(turns);
        }
        pthread_join(thread, &result);
        assert_int_equal(*(enum result *)result, RESULT_CANCELLED);
        sequencer_free(turns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequencer__write_in_order__when_chunks_end_in_any),
        cmocka_unit_test(sequencer_await__goes_on__when_all_before_have_passed_or_ended),
        cmocka_unit_test(sequencer_await__lets_one_at_a_time__when_many_wait),
        cmocka_unit_test(sequencer_await__is_woken__when_the_file_fails_or_all_is_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
