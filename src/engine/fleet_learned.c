#include "engine/fleet_learned.h"

#include "base/clock.h"
#include "base/grow.h"
#include "engine/core.h"
#include "engine/fleet_bucket.h"
#include "engine/fleet_link_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTIVE_US (2 * US_PER_S) /* who has started nothing for so long does not learn */

static struct learned_watch *watch_of(struct fleet_link *l, const char *key, bool makes)
{
    struct learned_watch *list;

    for (size_t i = 0; i < l->learned_count; i++) {
        if (strcmp(l->learned[i].key, key) == 0) {
            return &l->learned[i];
        }
    }
    if (!makes || l->learned_count == FLEET_LEARNED_MAX ||
        !(list = grow_by_one(l->learned, l->learned_count, &l->learned_room, sizeof *list))) {
        return NULL;
    }
    l->learned = list;
    list[l->learned_count] = (struct learned_watch){ .host = UINT32_MAX };
    snprintf(list[l->learned_count].key, sizeof list->key, "%s", key);
    return &list[l->learned_count++];
}

/* --- telling ------------------------------------------------------------------------------------------- */

static void tell(struct engine *e, struct learned_watch *w, struct bucket *b, uint64_t now_us)
{
    struct fleet_learned t = { .refused = b->bare_refused - w->refused_told, .leads = w->leads };

    if (b->starts != w->starts_seen) {
        w->starts_seen = b->starts;
        w->started_us = now_us;
    }
    if (!w->is_known && !t.refused) {
        return;
    }
    snprintf(t.key, sizeof t.key, "%s", w->key);
    t.is_active = w->started_us && now_us - w->started_us < ACTIVE_US;
    if (w->leads) {
        t.milli_per_s = (uint64_t)(learned_rate(&b->learned, false, now_us) * 1000);
        t.at_once = learned_at_once(&b->learned, now_us);
        t.hold_us = b->hold_until_us > now_us ? b->hold_until_us - now_us : 0;
    }
    w->refused_told = b->bare_refused;
    fleet_learned_told(e->fleet_link->fleet, &t, t.refused > 0);
}

void fleet_learned_judged(struct engine *e, const struct request *request, uint64_t now_us)
{
    struct host *host = host_at(&e->hosts, request->host);
    struct bucket *bucket = host_bucket(host, request);
    struct learned_watch *w;
    char key[FLEET_LEARNED_KEY_MAX];

    if (!bucket->bare_refused || host->twin || !host->origin[0]) {
        return;
    }
    fleet_bucket_key(host, bucket, key);
    w = watch_of(e->fleet_link, key, true);
    if (w && bucket->bare_refused != w->refused_told) {
        tell(e, w, bucket, now_us);
    }
}

void fleet_learned_tick(struct engine *e, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; i < l->learned_count; i++) {
        struct bucket *bucket = fleet_bucket_find(e, l->learned[i].key, &l->learned[i].host);

        if (bucket) {
            tell(e, &l->learned[i], bucket, now_us);
        }
    }
}

/* --- news ------------------------------------------------------------------------------------------------ */

static void lead(struct engine *e, struct learned_watch *w, struct bucket *b,
                 const struct fleet_learned *news, unsigned wanting, uint64_t now_us)
{
    const struct due due = { .by = DUE_HOST_HOLD, .status = b->refused_status };

    if (!w->leads) {
        bucket_lead(b, now_us);
    } else if (wanting != w->wanting && w->wanting) {
        learned_scale(&b->learned, (double)w->wanting / wanting, now_us);
    }
    w->leads = true;
    w->wanting = wanting;
    if (news->refused) {
        (void)bucket_refused_elsewhere(b, &due, engine_random(e), now_us);
    }
}

static void follow(struct learned_watch *w, struct bucket *b, const struct fleet_learned *news,
                   uint64_t now_us)
{
    const struct due due = { .by = DUE_HOST_HOLD, .status = b->refused_status };

    w->leads = false;
    bucket_follow(b, (double)news->milli_per_s / 1000, (unsigned)(news->at_once & 0xFFFFFF));
    if (news->hold_us) {
        (void)bucket_hold(b, now_us + news->hold_us, &due, now_us);
    }
}

/* It binds no more, at who has learned it. */
static void forget(struct learned_watch *w, struct bucket *b)
{
    w->is_known = w->leads = false;
    if (b && b->follow.is_on) {
        b->follow = (struct bucket_follow){ .is_on = false };
        learned_forget(&b->learned);
    }
}

void fleet_learned_heed(struct engine *e, const struct fleet_news *news, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;
    unsigned wanting = news->wanting ? news->wanting : 1;

    if (e->job->pace.is_budget_own) {
        return;
    }
    for (size_t i = 0; i < l->learned_count; i++) {
        l->learned[i].is_told = false;
    }
    for (size_t i = 0; i < news->learned_count; i++) {
        const struct fleet_learned *each = &news->learned[i];
        struct learned_watch *w = watch_of(l, each->key, true);
        struct bucket *b = w ? fleet_bucket_find(e, w->key, &w->host) : NULL;

        if (w) {
            w->is_told = w->is_known = true;
        }
        if (b && each->leads) {
            lead(e, w, b, each, wanting, now_us);
        } else if (b) {
            follow(w, b, each, now_us);
        }
    }
    for (size_t i = 0; i < l->learned_count; i++) {
        struct learned_watch *w = &l->learned[i];

        if (w->is_known && !w->is_told) {
            forget(w, fleet_bucket_find(e, w->key, &w->host));
        }
    }
}

void fleet_learned_reset(struct engine *e, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; i < l->learned_count; i++) {
        struct learned_watch *w = &l->learned[i];
        struct bucket *bucket = fleet_bucket_find(e, w->key, &w->host);

        w->is_known = w->leads = false;
        if (bucket) {
            bucket_lead(bucket, now_us);
        }
    }
}

void fleet_learned_free(struct fleet_link *l)
{
    free(l->learned);
}
