#include "engine/fleet_budget.h"

#include "base/clock.h"
#include "base/grow.h"
#include "engine/answer.h"
#include "engine/core.h"
#include "engine/events.h"
#include "engine/fleet_bucket.h"
#include "engine/fleet_link_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STARTS_ASKED 20U
#define STARTS_FEW_US (40 * US_PER_MS)  /* so much before they are used up, more are asked for */
#define ASK_LATER_US (250 * US_PER_MS)  /* a wait that is longer is looked at again so soon */
#define ASK_LOST_US (2 * US_PER_S)      /* no reply: it is asked again */
#define RESET_NEWS_US (300 * US_PER_MS) /* moved by so much, a quota's end is told at once */

static struct bucket *find_bucket(const struct engine *e, struct budget_watch *watch)
{
    return fleet_bucket_find(e, watch->key, &watch->host);
}

static struct budget_watch *watch_of(struct fleet_link *l, const char *key, bool makes)
{
    struct budget_watch *list;

    for (size_t i = 0; i < l->watch_count; i++) {
        if (strcmp(l->watches[i].key, key) == 0) {
            return &l->watches[i];
        }
    }
    if (!makes || l->watch_count == FLEET_BUDGETS_MAX ||
        !(list = grow_by_one(l->watches, l->watch_count, &l->watch_room, sizeof *list))) {
        return NULL;
    }
    l->watches = list;
    list[l->watch_count] = (struct budget_watch){ .host = UINT32_MAX };
    snprintf(list[l->watch_count].key, FLEET_BUDGET_KEY_MAX, "%s", key);
    return &list[l->watch_count++];
}

/* --- telling ----------------------------------------------------------------------------------------------- */

static struct fleet_quota quota_of(const struct allowance *a, const char *key, uint64_t now_us)
{
    static const enum fleet_quota_kind kinds[] = {
        [ALLOWANCE_NONE] = FLEET_QUOTA_NONE,
        [ALLOWANCE_WINDOW] = FLEET_QUOTA_WINDOW,
        [ALLOWANCE_BUCKET] = FLEET_QUOTA_BUCKET,
        [ALLOWANCE_RATE] = FLEET_QUOTA_RATE,
    };
    struct fleet_quota q = {
        .kind = kinds[a->kind],
        .left = a->left,
        .seen = a->told_left,
        .grain_us = a->grain_us,
        .limit = a->limit,
        .reset_us = a->reset_at_us > now_us ? a->reset_at_us - now_us : 0,
        .window_us = window_length_us(&a->window),
        .is_steady = a->limit && window_length_is_steady(&a->window, now_us),
        .refill_per_s = a->refill_per_us * (double)US_PER_S,
        .gives_all = a->kind == ALLOWANCE_RATE || (a->gives_all && !a->gives_part),
    };

    snprintf(q.key, sizeof q.key, "%s", key);
    return q;
}

static bool is_same_end(const struct fleet_quota *a, const struct budget_watch *w, uint64_t now_us)
{
    uint64_t end_us = now_us + a->reset_us;

    return end_us < w->told_end_us + RESET_NEWS_US && w->told_end_us < end_us + RESET_NEWS_US;
}

/* Others must know at once: of one that is new or spent, of another window, of what has come back, and when others
 * spend of it. */
static bool is_urgent(const struct fleet_quota *q, const struct budget_watch *w, uint64_t starts,
                      uint64_t now_us)
{
    return !w->is_told || q->kind == FLEET_QUOTA_NONE || !q->left || !is_same_end(q, w, now_us) ||
           q->left > w->told_left || q->left + (starts - w->told_starts) < w->told_left;
}

static void tell_quota(struct engine *e, struct budget_watch *w, const struct bucket *b,
                       bool is_refused, uint64_t now_us)
{
    struct fleet_quota quota = quota_of(&b->allowance, w->key, now_us);

    quota.is_refused = is_refused;
    quota.spare = grant_left(&b->grant);
    quota.busy = quota.spare + b->in_flight;
    fleet_budget_told(e->fleet_link->fleet, &quota, is_urgent(&quota, w, b->starts, now_us));
    w->is_told = true;
    w->told_left = quota.left;
    w->told_starts = b->starts;
    w->told_end_us = now_us + quota.reset_us;
}

/* Its own guess of what a new window gives is no news. */
static bool tells(const struct allowance *a, uint64_t now_us)
{
    return a->kind == ALLOWANCE_BUCKET || a->kind == ALLOWANCE_RATE ||
           (a->kind == ALLOWANCE_WINDOW && !a->is_assumed && now_us < a->reset_at_us);
}

void fleet_budget_answer(struct engine *e, const struct answer *a)
{
    struct fleet_link *l = e->fleet_link;
    struct host *host;
    struct bucket *bucket;
    struct budget_watch *watch;
    char key[FLEET_BUDGET_KEY_MAX];

    if (!l || !a->status || a->is_asleep || !a->response->request || e->job->pace.is_budget_own) {
        return;
    }
    host = host_at(&e->hosts, a->host);
    bucket = host_bucket(host, a->response->request);
    if (host->twin || !host->origin[0] ||
        (bucket->allowance.kind == ALLOWANCE_NONE && !bucket->grant.is_on)) {
        return;
    }
    fleet_bucket_key(host, bucket, key);
    watch = watch_of(l, key, bucket->allowance.kind != ALLOWANCE_NONE);
    if (!watch) {
        return;
    }
    if (tells(&bucket->allowance, a->ended_us) ||
        (bucket->allowance.kind == ALLOWANCE_NONE && watch->is_told)) {
        tell_quota(e, watch, bucket, a->status == 429, a->ended_us);
        watch->is_told = bucket->allowance.kind != ALLOWANCE_NONE;
    }
    bucket->grant.is_on |= watch->is_told;
}

/* --- asking -------------------------------------------------------------------------------------------------- */

/* It wants some, or will do so soon. */
static bool wants(const struct grant *g, uint64_t now_us)
{
    const struct grant_lot *lot = &g->lots[0];

    return g->is_wanted || (lot->count && !g->lots[1].count &&
                            lot->count * lot->spacing_us < STARTS_FEW_US && now_us < lot->ends_us);
}

static void ask(struct engine *e, struct budget_watch *w, struct bucket *b, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;
    unsigned count = l->slots < STARTS_ASKED ? l->slots : STARTS_ASKED;

    if (!b->grant.is_on || !wants(&b->grant, now_us) || now_us < w->ask_after_us || !l->is_open ||
        !count || !engine_work_left(e)) {
        return;
    }
    w->ask_after_us = now_us + ASK_LOST_US; /* or with the reply */
    fleet_budget_ask(l->fleet, w->key, count);
}

static void give_back(struct engine *e, const struct budget_watch *w, unsigned count)
{
    if (count) {
        fleet_budget_back(e->fleet_link->fleet, w->key, count);
    }
}

void fleet_budget_look(struct engine *e, uint64_t now_us, bool is_tick)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; i < l->watch_count; i++) {
        struct budget_watch *w = &l->watches[i];
        struct bucket *bucket = find_bucket(e, w);

        if (!bucket) {
            continue;
        }
        bucket->grant.is_on |= w->is_told || w->is_known;
        if (is_tick) {
            give_back(e, w, grant_take_lapsed(&bucket->grant, now_us));
        }
        ask(e, w, bucket, now_us);
    }
    if (is_tick) {
        fleet_budget_say(l->fleet, engine_work_left(e), l->budgets_known);
    }
}

/* --- news -------------------------------------------------------------------------------------------------------- */

static void take_grant(struct engine *e, const struct fleet_grant *grant, uint64_t now_us)
{
    struct budget_watch *w = watch_of(e->fleet_link, grant->key, false);
    struct bucket *bucket = w ? find_bucket(e, w) : NULL;

    if (!bucket) {
        return;
    }
    w->ask_after_us =
        grant->count ? 0 : now_us + (grant->wait_us < ASK_LATER_US ? grant->wait_us : ASK_LATER_US);
    give_back(
        e, w,
        grant_give(&bucket->grant, grant->count, now_us + grant->first_us, grant->spacing_us));
    if (grant->is_known) {
        return;
    }
    w->is_told = w->is_known = false;
    if (bucket->allowance.kind != ALLOWANCE_NONE) {
        tell_quota(e, w, bucket, false, now_us);
    } else {
        (void)grant_end(&bucket->grant);
    }
}

/* What the fleet has no more needs no grants, unless it is known here. */
static void take_known(struct engine *e, const struct fleet_budget_news *news)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; i < l->watch_count; i++) {
        l->watches[i].is_known = false;
    }
    for (size_t i = 0; i < news->known_count; i++) {
        struct budget_watch *w = watch_of(l, news->known[i].text, true);

        if (w) {
            w->is_known = true;
        }
    }
    for (size_t i = 0; i < l->watch_count; i++) {
        struct budget_watch *w = &l->watches[i];
        struct bucket *bucket = w->is_known || w->is_told ? NULL : find_bucket(e, w);

        if (bucket) {
            (void)grant_end(&bucket->grant);
        }
    }
    l->budgets_known = news->count;
}

static void tell_apart(struct engine *e, const char *key)
{
    struct budget_watch *w = watch_of(e->fleet_link, key, false);

    if (w && !w->is_apart) {
        w->is_apart = true;
        events_add(&e->events, EVENT_WARNING, "quota", "",
                   "%.200s: what is left for two workers does not fall together, so it seems to be "
                   "counted for each address: --budget worker lets each worker spend its own",
                   key);
    }
}

void fleet_budget_heed(struct engine *e, uint64_t now_us)
{
    struct fleet_budget_news news;

    if (!fleet_budget_take(e->fleet_link->fleet, &news)) {
        return;
    }
    if (!e->job->pace.is_budget_own) {
        if (news.has_known) {
            take_known(e, &news);
        }
        for (size_t i = 0; i < news.grant_count; i++) {
            take_grant(e, &news.grants[i], now_us);
        }
        if (news.apart[0]) {
            tell_apart(e, news.apart);
        }
        fleet_budget_look(e, now_us, false);
    }
    fleet_budget_news_release(&news);
}

void fleet_budget_reset(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;
    uint64_t now_us = engine_now_us(e);

    l->budgets_known = 0;
    for (size_t i = 0; i < l->watch_count; i++) {
        struct budget_watch *w = &l->watches[i];
        struct bucket *bucket = find_bucket(e, w);

        w->is_told = w->is_known = false;
        w->ask_after_us = 0;
        if (bucket && tells(&bucket->allowance, now_us)) {
            tell_quota(e, w, bucket, false, now_us);
        }
    }
}

void fleet_budget_free(struct fleet_link *l)
{
    free(l->watches);
}
