#include "fleet/fleet_state.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "fleet/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS 500        /* between turns when nothing happens */
#define GAP_MS 10          /* between turns at least */
#define RETRY_FIRST_MS 100 /* after Redis was away; doubled up to the next */
#define RETRY_MOST_MS 3000
#define SETTLED_A_TURN 4096 /* the rest goes with the next */
#define HOLDS_A_TURN 64
#define ENDED_A_TURN 512
#define CHUNK_BYTES ((size_t)64 << 10) /* of the bits, told at a time */
#define FOUND_A_CALL 1000

/* --- joining ------------------------------------------------------------------------------ */

static enum result write_hello(struct fleet *f, uint64_t outbox)
{
    const struct fleet_options *o = &f->options;
    struct json_writer w;

    buf_reset(&f->argument);
    w = json_write_begin(&f->argument);
    json_write_object(&w, NULL);
    json_write_text(&w, "name", str_view(o->worker));
    json_write_text(&w, "token", str_view(f->token));
    json_write_text(&w, "who", str_view(o->who));
    json_write_text(&w, "digest", str_view(o->digest));
    json_write_uint(&w, "total", o->total);
    fleet_settings_write(&w, &f->settings);
    json_write_uint(&w, "lease", o->place->lease_ms);
    json_write_uint(&w, "grace", f->is_alone ? 0 : FLEET_GRACE_MS);
    json_write_uint(&w, "outbox", outbox);
    json_write_object_end(&w);
    return w.result;
}

static enum result refuse(struct fleet *f, enum fleet_answer answer, struct err *err)
{
    char text[256];

    if (answer == FLEET_DIFFERENT) {
        fleet_reply_text(buf_view(&f->reply), "digest", text, sizeof text);
        return err_set(err, RESULT_INVALID, "E-FLEET2",
                       "the fleet %s has another job, or other lists (plan %.8s, here %.8s); "
                       "give it another name after --fleet, or all workers the same files",
                       f->options.place->job, text, f->options.digest);
    }
    fleet_reply_text(buf_view(&f->reply), "who", text, sizeof text);
    return err_set(err, RESULT_INVALID, "E-FLEET3",
                   "the worker %s lives in %s already: a copy of its run directory is no worker "
                   "of its own; begin another with -o",
                   f->options.worker, text);
}

static bool stops(void *context)
{
    struct fleet *f = context;
    bool does;

    uv_mutex_lock(&f->lock);
    does = f->stops;
    uv_mutex_unlock(&f->lock);
    return does;
}

/* One call of recount.lua. */
static enum result tell_done(struct fleet *f, struct str offset, struct str bytes, struct err *err)
{
    const struct str words[] = { str_view(f->epoch), offset, bytes };
    enum fleet_answer answer = FLEET_OK;
    enum result result = fleet_client_call(f->client, FLEET_RECOUNT, words, 3, &f->reply, err);

    if (result == RESULT_OK) {
        result = fleet_answer_read(buf_view(&f->reply), &answer, err);
    }
    if (result == RESULT_OK && answer != FLEET_OK) {
        result = err_set(err, RESULT_BUSY, "E-FLEET5", "the job was made anew meanwhile");
    }
    if (result == RESULT_OK && stops(f)) {
        result = err_set(err, RESULT_BUSY, "E-FLEET5", "the run ends");
    }
    return result;
}

/* Requests that are settled here, as bits: those chunks that have any. */
static enum result recount(struct fleet *f, struct err *err)
{
    size_t size = (size_t)(f->options.total + 7) / 8;
    enum result result = RESULT_OK;
    char *chunk = malloc(CHUNK_BYTES), offset[24];

    if (!chunk) {
        return err_nomem(err, "joining the fleet");
    }
    for (size_t at = 0; at < size && result == RESULT_OK; at += CHUNK_BYTES) {
        size_t len = size - at < CHUNK_BYTES ? size - at : CHUNK_BYTES;
        bool any = false;

        uv_mutex_lock(&f->lock);
        memcpy(chunk, f->bits + at, len);
        uv_mutex_unlock(&f->lock);
        for (size_t i = 0; i < len && !any; i++) {
            any = chunk[i] != 0;
        }
        if (any) {
            snprintf(offset, sizeof offset, "%zu", at);
            result = tell_done(f, str_view(offset), (struct str){ chunk, len }, err);
        }
    }
    free(chunk);
    return result;
}

/* Found requests that have ended here. */
static enum result recount_found(struct fleet *f, struct err *err)
{
    struct buf ids = { .max = FLEET_REPLY_MAX };
    enum result result = RESULT_OK;
    bool more = true;

    for (size_t at = 0; more && result == RESULT_OK; at += FOUND_A_CALL) {
        buf_reset(&ids);
        uv_mutex_lock(&f->lock);
        for (size_t i = at; i < f->found.count && i < at + FOUND_A_CALL && result == RESULT_OK;
             i++) {
            result = buf_printf(&ids, "%llu ", (unsigned long long)f->found.list[i]);
        }
        more = at + FOUND_A_CALL < f->found.count;
        uv_mutex_unlock(&f->lock);
        if (result != RESULT_OK) {
            result = err_nomem(err, "joining the fleet");
        } else if (ids.len) {
            result = tell_done(f, STR("found"), buf_view(&ids), err);
        }
    }
    buf_release(&ids);
    return result;
}

static void forget_batches(struct fleet *f)
{
    while (f->batches) {
        struct batch *next = f->batches->next;

        free(f->batches);
        f->batches = next;
    }
    f->batches_end = &f->batches;
}

/* Whether Redis may have lost what was told it. All of that is void then. */
static bool note_generation(struct fleet *f, const char *epoch)
{
    char generation[FLEET_GENERATION_MAX];
    bool is_new;

    snprintf(generation, sizeof generation, "%s/%s", epoch, fleet_client_server(f->client));
    uv_mutex_lock(&f->lock);
    is_new = f->generation[0] && strcmp(f->generation, generation) != 0;
    memcpy(f->generation, generation, sizeof f->generation);
    if (is_new) {
        f->is_reset = f->must_fill = true;
        f->ended.count = f->kept.count = f->calm.count = 0;
        forget_batches(f);
    }
    uv_mutex_unlock(&f->lock);
    return is_new;
}

/* A job that is made now has nobody to wait for when this worker begins, and no other is there. */
static enum result look_around(struct fleet *f, struct err *err)
{
    bool is_alone, has_any;
    enum result result = fleet_client_look_around(f->client, &is_alone, err);

    uv_mutex_lock(&f->lock);
    has_any = f->generation[0] || f->has_earlier || f->tell.in_flight || f->tell.outbox;
    uv_mutex_unlock(&f->lock);
    f->is_alone = result == RESULT_OK && is_alone && !has_any && !f->epoch[0];
    return result;
}

static enum result join(struct fleet *f, struct err *err)
{
    char epoch[EPOCH_MAX];
    enum fleet_answer answer;
    enum result result;
    uint64_t outbox;
    struct str argument;
    bool is_new;

    uv_mutex_lock(&f->lock);
    outbox = f->tell.outbox + f->must_fill;
    f->settled.count = 0; /* the bits have them */
    f->must_join = false;
    uv_mutex_unlock(&f->lock);
    result = look_around(f, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = write_hello(f, outbox);
    if (result != RESULT_OK) {
        return err_nomem(err, "joining the fleet");
    }
    argument = buf_view(&f->argument);
    result = fleet_client_call(f->client, FLEET_HELLO, &argument, 1, &f->reply, err);
    if (result == RESULT_OK) {
        result = fleet_answer_read(buf_view(&f->reply), &answer, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    if (answer == FLEET_DIFFERENT || answer == FLEET_TAKEN) {
        return refuse(f, answer, err);
    }
    fleet_reply_text(buf_view(&f->reply), "epoch", epoch, sizeof epoch);
    if (strcmp(epoch, f->epoch) != 0) {
        uint64_t drains = fleet_reply_number(buf_view(&f->reply), "drains");

        if (!f->epoch[0] || drains < f->drains) { /* earlier ones are not ours, nor another job's */
            f->drains = drains;
        }
        memcpy(f->epoch, epoch, sizeof f->epoch);
    }
    is_new = note_generation(f, epoch);
    f->is_fresh = true;
    result = recount(f, err);
    return result == RESULT_OK && is_new ? recount_found(f, err) : result;
}

/* --- turns ----------------------------------------------------------------------------------- */

static void drop_first(void *list, size_t *count, size_t dropped, size_t size)
{
    if (!dropped) {
        return; /* there may be no list yet */
    }
    *count -= dropped;
    memmove(list, (char *)list + dropped * size, *count * size);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* What the desk has becomes the argument; what goes with it leaves the desk. */
static enum result write_turn(struct fleet *f)
{
    const struct fleet_self self = { f->options.worker, f->options.who, f->token, f->epoch };
    struct fleet_tell t = f->tell;
    enum result result;
    bool keeps = fleet_now_us() - f->kept_us >= f->options.place->lease_ms * US_PER_MS / 4;

    t.outbox += f->must_fill;
    t.settled = f->settled.list;
    t.settled_count = f->settled.count < SETTLED_A_TURN ? f->settled.count : SETTLED_A_TURN;
    if (t.settled_count) {
        qsort(f->settled.list, t.settled_count, sizeof *f->settled.list, compare_ids);
    }
    t.ended = f->ended.list; /* not before what is settled of it */
    t.ended_count = t.settled_count < f->settled.count ? 0 : f->ended.count;
    t.ended_count = t.ended_count < ENDED_A_TURN ? t.ended_count : ENDED_A_TURN;
    t.calm = f->calm.list;
    t.calm_count = f->calm.count;
    t.keep = f->kept.list;
    t.keep_count = keeps || f->is_fresh ? f->kept.count : 0;
    t.holds = f->holds.list;
    t.hold_count = f->holds.count < HOLDS_A_TURN ? f->holds.count : HOLDS_A_TURN;
    t.learned = f->learned.list;
    t.learned_count = f->learned.count;
    buf_reset(&f->argument);
    result = fleet_turn_write(&t, &self, f->is_fresh, &f->argument);
    if (result != RESULT_OK) {
        return result;
    }
    drop_first(f->settled.list, &f->settled.count, t.settled_count, sizeof *f->settled.list);
    drop_first(f->ended.list, &f->ended.count, t.ended_count, sizeof *f->ended.list);
    f->calm.count = 0;
    drop_first(f->holds.list, &f->holds.count, t.hold_count, sizeof *f->holds.list);
    f->learned.count = 0;
    f->was_asked |= f->tell.seeds > 0;
    f->tell.seeds = f->tell.starts = 0; /* asked for once */
    f->tell.has_said = false;
    f->is_urgent = f->settled.count > 0;
    f->kept_us = keeps ? fleet_now_us() : f->kept_us;
    return RESULT_OK;
}

/* What has not been looked at yet, and has to be. */
static void keep_old(struct fleet_news *old, struct fleet_news *news)
{
    struct fleet_lease **end = &news->leases;

    while (*end) {
        end = &(*end)->next;
    }
    *end = old->leases;
    old->leases = NULL;
    if (old->lost_count && !news->lost_count) {
        free(news->lost);
        news->lost = old->lost;
        news->lost_count = old->lost_count;
        old->lost = NULL;
    }
    news->was_asked |= old->was_asked;
    if (!news->grant.count) {
        news->grant = old->grant;
    }
    for (size_t i = 0; i < old->learned_count; i++) { /* refusals elsewhere are told once */
        for (size_t n = 0; n < news->learned_count; n++) {
            if (strcmp(old->learned[i].key, news->learned[n].key) == 0) {
                news->learned[n].refused += old->learned[i].refused;
            }
        }
    }
    fleet_news_release(old);
}

/* One call. RESULT_BUSY: it has to join anew. */
static enum result turn(struct fleet *f, struct err *err)
{
    enum fleet_answer answer = FLEET_OK;
    struct fleet_news news;
    struct str argument;
    enum result result;
    uint64_t budgets = 0;

    uv_mutex_lock(&f->lock);
    result = f->must_join ? RESULT_BUSY : write_turn(f);
    uv_mutex_unlock(&f->lock);
    if (result != RESULT_OK) {
        return result == RESULT_NOMEM ? err_nomem(err, "telling the fleet") : result;
    }
    argument = buf_view(&f->argument);
    result = fleet_client_call(f->client, FLEET_TURN, &argument, 1, &f->reply, err);
    if (result == RESULT_OK) {
        result = fleet_answer_read(buf_view(&f->reply), &answer, err);
    }
    if (result == RESULT_OK && answer != FLEET_OK) {
        return err_set(err, RESULT_BUSY, "E-FLEET5",
                       answer == FLEET_GONE ? "Redis has lost the job, or made it anew"
                                            : "this worker was silent for too long");
    }
    if (result == RESULT_OK) {
        result = fleet_news_read(buf_view(&f->reply), f->options.total, &news, err);
    }
    if (result == RESULT_OK) {
        f->is_fresh = false;
        budgets = news.budgets;
        f->settings = news.settings;
        news.was_asked = f->was_asked;
        f->was_asked = false;
        news.drains = news.drains > f->drains ? news.drains - f->drains : 0;
        uv_mutex_lock(&f->lock);
        keep_old(&f->news, &news);
        f->news = news;
        f->has_news = f->is_joined = true;
        f->answered_us = fleet_now_us();
        f->trouble.result = RESULT_OK;
        uv_mutex_unlock(&f->lock);
        result = fleet_budget_turn(f, budgets, err);
    }
    if (result == RESULT_OK) {
        result = fleet_login_turn(f, err);
    }
    return result;
}

/* --- what was found ------------------------------------------------------------------------ */

static enum result write_publisher(struct fleet *f)
{
    struct json_writer w;

    buf_reset(&f->argument);
    w = json_write_begin(&f->argument);
    json_write_object(&w, NULL);
    json_write_text(&w, "name", str_view(f->options.worker));
    json_write_text(&w, "token", str_view(f->token));
    json_write_text(&w, "epoch", str_view(f->epoch));
    json_write_object_end(&w);
    return w.result;
}

/* Of the batches the first, which nobody else takes away. `*more`: it is published, and there is another. */
static enum result publish_one(struct fleet *f, struct batch *batch, bool *more, struct err *err)
{
    struct str words[2] = { buf_view(&f->argument), { batch->lines, batch->len } };
    enum fleet_answer answer = FLEET_OK;
    enum result result = fleet_client_call(f->client, FLEET_PUBLISH, words, 2, &f->reply, err);

    if (result == RESULT_OK) {
        result = fleet_answer_read(buf_view(&f->reply), &answer, err);
    }
    *more = result == RESULT_OK && answer == FLEET_OK;
    if (result == RESULT_OK && answer != FLEET_OK && answer != FLEET_FULL) {
        return err_set(err, RESULT_BUSY, "E-FLEET5",
                       "Redis has lost the job, or this worker was silent for too long");
    }
    if (*more) {
        uv_mutex_lock(&f->lock);
        f->published = batch->upto;
        f->has_news = true;
        f->batches = batch->next;
        f->batches_end = f->batches ? f->batches_end : &f->batches;
        *more = f->batches != NULL;
        uv_mutex_unlock(&f->lock);
        free(batch);
    }
    return result;
}

/* As much as there is room for. */
static enum result publish(struct fleet *f, struct err *err)
{
    enum result result = RESULT_OK;
    struct batch *batch;
    bool more;

    do {
        uv_mutex_lock(&f->lock);
        batch = f->batches;
        uv_mutex_unlock(&f->lock);
        more = false;
        if (batch) {
            result = write_publisher(f) == RESULT_OK ? publish_one(f, batch, &more, err)
                                                     : err_nomem(err, "publishing what was found");
        }
    } while (more && result == RESULT_OK);
    return result;
}

/* For so long, or until a turn is wanted at once. */
static void rest(struct fleet *f, uint64_t ms)
{
    uint64_t end_us = fleet_now_us() + ms * US_PER_MS;

    uv_mutex_lock(&f->lock);
    while (!f->stops && !f->is_urgent) {
        uint64_t at_us = fleet_now_us();

        if (at_us >= end_us) {
            break;
        }
        (void)uv_cond_timedwait(&f->wanted, &f->lock, (end_us - at_us) * 1000);
    }
    uv_mutex_unlock(&f->lock);
}

static void note_trouble(struct fleet *f, const struct err *err)
{
    uv_mutex_lock(&f->lock);
    f->trouble = *err;
    f->is_joined = false;
    uv_mutex_unlock(&f->lock);
    uv_async_send(&f->async);
}

/* Not woken by what the loop wants: nothing can be had. */
static void rest_away(struct fleet *f, uint64_t ms)
{
    for (uint64_t slept = 0; slept < ms && !stops(f); slept += 50) {
        uv_sleep(50);
    }
}

void fleet_thread_run(void *context)
{
    struct fleet *f = context;
    uint64_t retry_ms = RETRY_FIRST_MS;
    bool is_joined = false;
    struct err err = { .result = RESULT_OK };

    fleet_client_let_stop(f->client, stops, f);
    while (!stops(f)) {
        enum result result = is_joined ? RESULT_OK : join(f, &err);

        if (result == RESULT_OK) {
            result = turn(f, &err);
        }
        if (result == RESULT_OK) {
            result = publish(f, &err);
        }
        if (result == RESULT_OK) {
            is_joined = true;
            retry_ms = RETRY_FIRST_MS;
            uv_async_send(&f->async);
            uv_sleep(GAP_MS);
            rest(f, IDLE_MS);
            continue;
        }
        if (is_joined && result == RESULT_BUSY) { /* at once, and then with patience */
            is_joined = false;
            continue;
        }
        is_joined = false;
        note_trouble(f, &err);
        if (result != RESULT_BUSY) {
            break;
        }
        rest_away(f, retry_ms);
        retry_ms = retry_ms * 2 < RETRY_MOST_MS ? retry_ms * 2 : RETRY_MOST_MS;
    }
    if (is_joined) { /* what was settled meanwhile */
        uv_mutex_lock(&f->lock);
        f->tell.wants = false;
        f->tell.has_said = f->tell.said.pid > 0;
        f->tell.leaves =
            f->settled.count <= SETTLED_A_TURN; /* else more is said at the next start */
        f->tell.in_flight = f->tell.seeds = f->tell.starts = 0;
        uv_mutex_unlock(&f->lock);
        (void)!turn(f, &err);
    }
    uv_mutex_lock(&f->lock);
    f->has_ended = true;
    uv_mutex_unlock(&f->lock);
    uv_async_send(&f->async);
}
