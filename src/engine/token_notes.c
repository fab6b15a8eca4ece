#include "engine/token_notes.h"

#include "base/clock.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "plan/host_hold.h"
#include "plan/twin.h"
#include "store/token_note.h"

#include <stdio.h>

#define NOTE_US US_PER_S

/* --- what is noted ------------------------------------------------------------------------------------ */

/* Nothing of its quota is left, until then. */
static uint64_t spent_until_us(const struct bucket *bucket)
{
    const struct allowance *a = &bucket->allowance;

    return a->kind == ALLOWANCE_WINDOW && !a->left ? a->reset_at_us : 0;
}

/* The latest of its holds, and of the ends of windows that are spent. */
static uint64_t held_until_us(const struct host *twin, uint64_t now_us, enum due_by *by)
{
    struct host_hold hold = host_hold(twin, now_us);
    uint64_t until_us = hold.due ? hold.until_us : 0;

    *by = hold.due ? hold.due->by : DUE_NONE;
    for (uint16_t i = 0; i <= twin->other_count; i++) {
        uint64_t spent_us = spent_until_us(host_bucket_at(twin, i));

        if (spent_us > now_us && spent_us > until_us) {
            until_us = spent_us;
            *by = DUE_QUOTA;
        }
    }
    return until_us;
}

static struct token_note note_of(const struct engine *e, size_t index, uint64_t now_us)
{
    const struct token_state *t = &e->tokens.list[index];
    const struct host *twin = twin_at(&e->hosts, (uint32_t)index + 1);
    struct token_note note = { .ok = t->ok_before + t->well,
                               .refused = t->refused_before + t->refused,
                               .aside_status = t->aside_status };
    enum due_by by;
    uint64_t until_us = held_until_us(twin, now_us, &by);

    snprintf(note.name, sizeof note.name, "%s", e->job->login.tokens.list[index].name);
    if (until_us > now_us) {
        note.held_by = (int)by;
        note.held_us = until_us - now_us;
        note.held_until_us = clock_wall_us(&e->options.clock) + (int64_t)note.held_us;
    }
    return note;
}

/* Without memory the next one will do. */
static void put(struct engine *e, uint64_t now_us)
{
    struct buf text = { 0 };
    enum result result = RESULT_OK;

    for (size_t i = 0; i < e->tokens.count && result == RESULT_OK; i++) {
        struct token_note note = note_of(e, i, now_us);

        result = token_note_append(&text, &note);
    }
    if (result == RESULT_OK && e->committer) {
        committer_set_note(e->committer, LEDGER_NOTE_TOKENS, buf_view(&text));
    }
    buf_release(&text);
    e->tokens.noted_answers = e->tokens.answers;
    e->tokens.note_due_us = now_us + NOTE_US;
}

void token_notes_held(struct engine *e, const struct host *twin)
{
    struct token_state *t = &e->tokens.list[twin->twin - 1];
    uint64_t now_us = engine_now_us(e);
    enum due_by by;
    uint64_t until_us = held_until_us(twin, now_us, &by);

    if (until_us > t->noted_until_us) {
        t->noted_until_us = until_us;
        put(e, now_us);
    }
}

void token_notes_tick(struct engine *e, uint64_t now_us)
{
    if (e->tokens.count && now_us >= e->tokens.note_due_us &&
        e->tokens.answers != e->tokens.noted_answers) {
        put(e, now_us);
    }
}

void token_notes_close(struct engine *e)
{
    if (e->tokens.count && e->tokens.answers) {
        put(e, engine_now_us(e));
    }
}

/* --- what was noted ----------------------------------------------------------------------------------- */

static void take(struct engine *e, size_t index, const struct token_note *note, int64_t wall_us)
{
    struct token_state *t = &e->tokens.list[index];
    struct host *twin = twin_at(&e->hosts, (uint32_t)index + 1);
    struct due due = { .by = DUE_QUOTA, .wait_us = token_note_left_us(note, wall_us) };
    uint64_t now_us = engine_now_us(e);

    t->ok_before = note->ok;
    t->refused_before = note->refused;
    if (due.wait_us) {
        due.by = note->held_by < DUE_BY_COUNT ? (enum due_by)note->held_by : DUE_QUOTA;
        (void)bucket_hold(host_bucket_at(twin, 0), now_us + due.wait_us, &due, now_us);
        t->noted_until_us = now_us + due.wait_us;
    }
}

enum result token_notes_restore(struct engine *e, struct err *err)
{
    struct token_note notes[TOKEN_NOTES_MAX];
    int64_t wall_us = clock_wall_us(&e->options.clock);
    struct buf text = { 0 };
    enum result result;
    size_t count;

    if (!e->tokens.count) {
        return RESULT_OK;
    }
    result = committer_read_note(e->committer, LEDGER_NOTE_TOKENS, &text, err);
    count = result == RESULT_OK ? token_notes_read(buf_view(&text), notes) : 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < e->tokens.count; at++) {
            if (str_equal(str_view(e->job->login.tokens.list[at].name), str_view(notes[i].name))) {
                take(e, at, &notes[i], wall_us);
            }
        }
    }
    e->hosts.twins_are_told = count > 0;
    buf_release(&text);
    return result == RESULT_NOT_FOUND ? RESULT_OK : result;
}
