/* The desk's part for budgets: what the loop puts there, and the thread's call. */
#include "fleet/fleet_state.h"

#include "base/grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fleet_budget_told(struct fleet *f, const struct fleet_quota *quota, bool is_urgent)
{
    struct budget_desk *d = &f->budget;
    struct fleet_quota *list;
    size_t i;

    uv_mutex_lock(&f->lock);
    for (i = 0; i < d->told_count && strcmp(d->told[i].key, quota->key) != 0; i++) {
    }
    if (i == d->told_count && i < FLEET_BUDGETS_MAX) {
        list = grow_by_one(d->told, d->told_count, &d->told_room, sizeof *list);
        d->told = list ? list : d->told;
        if (list) {
            list[d->told_count++].is_refused = false;
        }
    }
    if (i < d->told_count) {
        bool was_refused = d->told[i].is_refused;

        d->told[i] = *quota;
        d->told[i].is_refused |= was_refused;
        d->told[i].put_us = fleet_now_us();
    }
    if (is_urgent) {
        f->is_urgent = true;
        uv_cond_signal(&f->wanted);
    }
    uv_mutex_unlock(&f->lock);
}

static void add_starts(struct starts *to, const char *key, unsigned count)
{
    struct fleet_starts *list = NULL;

    if (to->count < FLEET_BUDGETS_MAX) {
        list = grow_by_one(to->list, to->count, &to->room, sizeof *list);
    }
    if (list) {
        to->list = list;
        snprintf(list[to->count].key, sizeof list->key, "%s", key);
        list[to->count++].count = count;
    }
}

void fleet_budget_ask(struct fleet *f, const char *key, unsigned count)
{
    uv_mutex_lock(&f->lock);
    add_starts(&f->budget.asks, key, count);
    f->is_urgent = true;
    uv_cond_signal(&f->wanted);
    uv_mutex_unlock(&f->lock);
}

void fleet_budget_back(struct fleet *f, const char *key, unsigned count)
{
    uv_mutex_lock(&f->lock);
    add_starts(&f->budget.back, key, count);
    uv_mutex_unlock(&f->lock);
}

void fleet_budget_say(struct fleet *f, uint64_t work, uint64_t known)
{
    uv_mutex_lock(&f->lock);
    f->budget.work = work;
    f->budget.known = known;
    uv_mutex_unlock(&f->lock);
}

bool fleet_budget_take(struct fleet *f, struct fleet_budget_news *news)
{
    bool has;

    uv_mutex_lock(&f->lock);
    has = f->budget.has_news;
    *news = f->budget.news;
    f->budget.news = (struct fleet_budget_news){ .grants = NULL };
    f->budget.has_news = false;
    uv_mutex_unlock(&f->lock);
    return has;
}

void fleet_budget_release(struct fleet *f)
{
    struct budget_desk *d = &f->budget;

    free(d->told);
    free(d->asks.list);
    free(d->back.list);
    fleet_budget_news_release(&d->news);
}

/* --- the thread's ----------------------------------------------------------------------------------- */

/* What the desk has becomes the argument, and leaves it. RESULT_NOT_FOUND: there is nothing to say or to hear. */
static enum result write_budget(struct fleet *f)
{
    const struct fleet_self self = { f->options.worker, f->options.who, f->token, f->epoch };
    struct budget_desk *d = &f->budget;
    const struct fleet_budget_tell tell = {
        .told = d->told,
        .told_count = d->told_count,
        .asks = d->asks.list,
        .ask_count = d->asks.count,
        .back = d->back.list,
        .back_count = d->back.count,
        .work = d->work,
        .known = d->known,
    };
    enum result result;

    if (!d->told_count && !d->asks.count && !d->back.count && !d->shared && !d->known) {
        return RESULT_NOT_FOUND;
    }
    buf_reset(&f->argument);
    result = fleet_budget_write(&tell, &self, fleet_now_us(), &f->argument);
    d->told_count = d->asks.count = d->back.count = 0;
    return result;
}

/* What has not been looked at yet goes before it. */
static void keep_grants(struct fleet_budget_news *old, struct fleet_budget_news *news)
{
    size_t count = old->grant_count + news->grant_count;
    struct fleet_grant *both =
        old->grant_count && count <= FLEET_BUDGETS_MAX ? malloc(count * sizeof *both) : NULL;

    if (both) {
        memcpy(both, old->grants, old->grant_count * sizeof *both);
        memcpy(both + old->grant_count, news->grants, news->grant_count * sizeof *both);
        free(news->grants);
        news->grants = both;
        news->grant_count = count;
    }
    if (old->has_known && !news->has_known && old->count == news->count) {
        free(news->known);
        news->known = old->known;
        news->known_count = old->known_count;
        news->has_known = true;
        old->known = NULL;
    }
    fleet_budget_news_release(old);
}

enum result fleet_budget_turn(struct fleet *f, uint64_t shared, struct err *err)
{
    enum fleet_answer answer = FLEET_OK;
    struct fleet_budget_news news;
    struct str argument;
    enum result result;

    uv_mutex_lock(&f->lock);
    f->budget.shared = shared;
    result = write_budget(f);
    uv_mutex_unlock(&f->lock);
    if (result != RESULT_OK) {
        return result == RESULT_NOT_FOUND ? RESULT_OK : err_nomem(err, "telling the fleet");
    }
    argument = buf_view(&f->argument);
    result = fleet_client_call(f->client, FLEET_BUDGET, &argument, 1, &f->reply, err);
    if (result == RESULT_OK) {
        result = fleet_answer_read(buf_view(&f->reply), &answer, err);
    }
    if (result == RESULT_OK && answer != FLEET_OK) {
        return err_set(err, RESULT_BUSY, "E-FLEET5", "the job was made anew meanwhile");
    }
    if (result == RESULT_OK) {
        result = fleet_budget_read(buf_view(&f->reply), &news, err);
    }
    if (result == RESULT_OK) {
        uv_mutex_lock(&f->lock);
        keep_grants(&f->budget.news, &news);
        f->budget.news = news;
        f->budget.has_news = true;
        uv_mutex_unlock(&f->lock);
    }
    return result;
}
