#include "fleet/fleet_state.h"

#include "base/grow.h"
#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void release(struct fleet *f)
{
    fleet_client_free(f->client);
    fleet_news_release(&f->news);
    free(f->settled.list);
    free(f->ended.list);
    free(f->kept.list);
    free(f->calm.list);
    free(f->holds.list);
    free(f->learned.list);
    fleet_budget_release(f);
    fleet_login_release(f);
    free(f->found.list);
    while (f->batches) {
        struct batch *next = f->batches->next;

        free(f->batches);
        f->batches = next;
    }
    free(f->bits);
    buf_release(&f->argument);
    buf_release(&f->reply);
    uv_cond_destroy(&f->wanted);
    uv_mutex_destroy(&f->lock);
    free(f);
}

static void on_closed(uv_handle_t *handle)
{
    struct fleet *f = handle->data;
    void (*closed)(void *context) = f->closed;
    void *context = f->closed_context;

    release(f);
    closed(context);
}

static void on_async(uv_async_t *async)
{
    struct fleet *f = async->data;
    bool has_ended;

    if (!f->closed) {
        f->options.on_news(f->options.context);
        return;
    }
    uv_mutex_lock(&f->lock);
    has_ended = f->has_ended || !f->runs;
    uv_mutex_unlock(&f->lock);
    if (has_ended && !uv_is_closing((uv_handle_t *)async)) {
        if (f->runs) {
            uv_thread_join(&f->thread);
        }
        uv_close((uv_handle_t *)async, on_closed);
    }
}

void fleet_close(struct fleet *f, void (*closed)(void *context), void *context)
{
    f->closed = closed;
    f->closed_context = context;
    uv_mutex_lock(&f->lock);
    f->stops = true;
    uv_cond_signal(&f->wanted);
    uv_mutex_unlock(&f->lock);
    uv_async_send(&f->async);
}

static enum result prepare(struct fleet *f, struct err *err)
{
    uint64_t random;

    if (!os_random(&random, sizeof random)) {
        random = uv_hrtime();
    }
    snprintf(f->token, sizeof f->token, "%016llx", (unsigned long long)random);
    buf_init(&f->argument, FLEET_REPLY_MAX);
    buf_init(&f->reply, FLEET_REPLY_MAX);
    f->client = fleet_client_new(f->options.place);
    f->bits = calloc((size_t)(f->options.total + 7) / 8 + 1, 1);
    f->answered_us = fleet_now_us();
    return f->client && f->bits ? RESULT_OK : err_nomem(err, "preparing the fleet");
}

enum result fleet_start(struct fleet **fleet, const struct fleet_options *options, struct err *err)
{
    struct fleet *f;
    enum result result;

    if (options->total > FLEET_PLAN_MAX) {
        return err_set(err, RESULT_LIMIT, "E-FLEET6",
                       "the plan has more than %llu requests, too many for a fleet: cut it in "
                       "several jobs",
                       (unsigned long long)FLEET_PLAN_MAX);
    }
    f = calloc(1, sizeof *f);
    if (!f || uv_mutex_init(&f->lock) != 0) {
        free(f);
        return err_nomem(err, "preparing the fleet");
    }
    if (uv_cond_init(&f->wanted) != 0) {
        uv_mutex_destroy(&f->lock);
        free(f);
        return err_nomem(err, "preparing the fleet");
    }
    f->options = *options;
    f->settings = (struct fleet_settings){ .cap = options->cap, .rate = options->rate };
    f->trouble.result = RESULT_OK;
    f->batches_end = &f->batches;
    result = prepare(f, err);
    if (result != RESULT_OK || uv_async_init(options->loop, &f->async, on_async) != 0) {
        release(f);
        return result != RESULT_OK ? result : err_nomem(err, "preparing the fleet");
    }
    f->async.data = f;
    *fleet = f;
    return RESULT_OK;
}

enum result fleet_go(struct fleet *f, struct err *err)
{
    if (uv_thread_create(&f->thread, fleet_thread_run, f) != 0) {
        return err_set(err, RESULT_NOMEM, "E-RES1", "no thread for the fleet");
    }
    f->runs = true;
    return RESULT_OK;
}

static void note_bit(struct fleet *f, uint64_t id)
{
    f->bits[(id - 1) >> 3] |= (uint8_t)(128U >> ((id - 1) & 7));
}

void fleet_restored(struct fleet *f, uint64_t id)
{
    note_bit(f, id);
    f->has_earlier = true;
}

void fleet_set_generation(struct fleet *f, const char *generation)
{
    snprintf(f->generation, sizeof f->generation, "%s", generation);
}

void fleet_found_ended(struct fleet *f, uint64_t id)
{
    uint64_t *list;

    uv_mutex_lock(&f->lock);
    list = grow_by_one(f->found.list, f->found.count, &f->found.room, sizeof *list);
    if (list) { /* else it may be asked once more, if Redis loses the job */
        f->found.list = list;
        list[f->found.count++] = id;
    }
    uv_mutex_unlock(&f->lock);
}

enum result fleet_publish(struct fleet *f, struct str lines, uint64_t upto)
{
    struct batch *batch = malloc(sizeof *batch + lines.len);

    if (!batch) {
        return RESULT_NOMEM;
    }
    *batch = (struct batch){ .upto = upto, .len = lines.len };
    memcpy(batch->lines, lines.data, lines.len);
    uv_mutex_lock(&f->lock);
    *f->batches_end = batch;
    f->batches_end = &batch->next;
    f->is_urgent = true;
    uv_cond_signal(&f->wanted);
    uv_mutex_unlock(&f->lock);
    return RESULT_OK;
}

void fleet_filled(struct fleet *f)
{
    uv_mutex_lock(&f->lock);
    f->must_fill = false;
    uv_mutex_unlock(&f->lock);
}

void fleet_settled(struct fleet *f, uint64_t id, uint64_t outbox)
{
    uint64_t *list;

    uv_mutex_lock(&f->lock);
    note_bit(f, id);
    f->tell.outbox = outbox;
    list = grow_by_one(f->settled.list, f->settled.count, &f->settled.room, sizeof *list);
    if (list) {
        f->settled.list = list;
        list[f->settled.count++] = id;
    }
    f->must_join |= !list;
    uv_mutex_unlock(&f->lock);
}

static bool add_entry(struct entries *to, const struct fleet_entry *entry)
{
    struct fleet_entry *list = grow_by_one(to->list, to->count, &to->room, sizeof *list);

    if (list) {
        to->list = list;
        list[to->count++] = *entry;
    }
    return list;
}

void fleet_keep(struct fleet *f, const struct fleet_entry *entry)
{
    uv_mutex_lock(&f->lock);
    f->must_join |= !add_entry(&f->kept, entry);
    uv_mutex_unlock(&f->lock);
}

void fleet_calm(struct fleet *f, const struct fleet_entry *entry)
{
    uv_mutex_lock(&f->lock);
    (void)add_entry(&f->calm, entry);
    uv_mutex_unlock(&f->lock);
}

static void forget_entry(struct entries *from, const struct fleet_entry *entry)
{
    for (size_t i = 0; i < from->count; i++) {
        if (strcmp(from->list[i].name, entry->name) == 0) {
            from->list[i] = from->list[--from->count];
            break;
        }
    }
}

void fleet_drop(struct fleet *f, const struct fleet_entry *entry)
{
    uv_mutex_lock(&f->lock);
    forget_entry(&f->kept, entry);
    uv_mutex_unlock(&f->lock);
}

void fleet_ended(struct fleet *f, const struct fleet_entry *entry)
{
    uv_mutex_lock(&f->lock);
    forget_entry(&f->kept, entry);
    f->must_join |= !add_entry(&f->ended, entry);
    uv_mutex_unlock(&f->lock);
}

void fleet_held(struct fleet *f, const char *origin, uint64_t left_us)
{
    struct fleet_hold *list;

    uv_mutex_lock(&f->lock);
    list = f->holds.count < FLEET_HOLDS_MAX
               ? grow_by_one(f->holds.list, f->holds.count, &f->holds.room, sizeof *list)
               : NULL;
    if (list) {
        f->holds.list = list;
        snprintf(list[f->holds.count].origin, FLEET_ORIGIN_MAX, "%s", origin);
        list[f->holds.count++].left_us = left_us;
    }
    f->is_urgent = true;
    uv_cond_signal(&f->wanted);
    uv_mutex_unlock(&f->lock);
}

static struct fleet_learned *learned_of(struct fleet *f, const char *key)
{
    struct fleet_learned *list;

    for (size_t i = 0; i < f->learned.count; i++) {
        if (strcmp(f->learned.list[i].key, key) == 0) {
            return &f->learned.list[i];
        }
    }
    list = f->learned.count < FLEET_LEARNED_MAX
               ? grow_by_one(f->learned.list, f->learned.count, &f->learned.room, sizeof *list)
               : NULL;
    if (!list) {
        return NULL;
    }
    f->learned.list = list;
    list[f->learned.count] = (struct fleet_learned){ .refused = 0 };
    return &list[f->learned.count++];
}

void fleet_learned_told(struct fleet *f, const struct fleet_learned *learned, bool is_urgent)
{
    struct fleet_learned *mine;

    uv_mutex_lock(&f->lock);
    mine = learned_of(f, learned->key);
    if (mine) { /* else the others learn by themselves */
        uint64_t refused = mine->refused + learned->refused;

        *mine = *learned;
        mine->refused = refused;
    }
    f->is_urgent |= is_urgent;
    if (is_urgent) {
        uv_cond_signal(&f->wanted);
    }
    uv_mutex_unlock(&f->lock);
}

void fleet_say(struct fleet *f, const struct fleet_tell *tell, bool is_urgent)
{
    struct fleet_said said;
    bool has_said = tell->has_said;
    unsigned seeds, starts;

    uv_mutex_lock(&f->lock);
    seeds = tell->seeds ? tell->seeds : f->tell.seeds; /* not asked for yet */
    starts = tell->starts ? tell->starts : f->tell.starts;
    said = tell->has_said ? tell->said : f->tell.said;
    has_said |= f->tell.has_said;
    f->tell = *tell;
    f->tell.said = said;
    f->tell.has_said = has_said;
    f->tell.seeds = seeds;
    f->tell.starts = starts;
    f->is_urgent |= is_urgent;
    if (is_urgent) {
        uv_cond_signal(&f->wanted);
    }
    uv_mutex_unlock(&f->lock);
}

bool fleet_take(struct fleet *f, struct fleet_news *news, struct fleet_state *state)
{
    bool has;

    uv_mutex_lock(&f->lock);
    has = f->has_news;
    *news = f->news;
    f->news = (struct fleet_news){ .leases = NULL };
    news->published = f->published;
    f->published = 0;
    f->has_news = false;
    *state = (struct fleet_state){ .is_joined = f->is_joined,
                                   .is_reset = f->is_reset,
                                   .silent_us = fleet_now_us() - f->answered_us,
                                   .trouble = f->trouble };
    state->age_us = state->silent_us;
    memcpy(state->generation, f->generation, sizeof state->generation);
    f->is_reset = false;
    uv_mutex_unlock(&f->lock);
    return has;
}
