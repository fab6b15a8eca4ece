#include "fleet/budget.h"

#include "base/json_scan.h"
#include "base/json_write.h"
#include "fleet/reply.h"

#include <stdlib.h>
#include <string.h>

#define PER_MILLION 1000000.0

/* --- telling ----------------------------------------------------------------------------------------- */

static void write_quota(struct json_writer *w, const struct fleet_quota *q, uint64_t now_us)
{
    static const char *const kinds[] = {
        [FLEET_QUOTA_NONE] = "none",
        [FLEET_QUOTA_WINDOW] = "window",
        [FLEET_QUOTA_BUCKET] = "bucket",
        [FLEET_QUOTA_RATE] = "rate",
    };
    uint64_t passed_us = now_us > q->put_us ? now_us - q->put_us : 0;

    json_write_object(w, NULL);
    json_write_text(w, "key", str_view(q->key));
    json_write_text(w, "kind", str_view(kinds[q->kind]));
    json_write_uint(w, "left", q->left);
    json_write_uint(w, "seen", q->seen);
    json_write_uint(w, "limit", q->limit);
    json_write_uint(w, "age", passed_us);
    json_write_uint(w, "reset", q->reset_us > passed_us ? q->reset_us - passed_us : 0);
    json_write_uint(w, "window", q->window_us);
    json_write_uint(w, "grain", q->grain_us);
    json_write_uint(w, "spare", q->spare);
    json_write_uint(w, "busy", q->busy);
    json_write_uint(w, "refill", (uint64_t)(q->refill_per_s * PER_MILLION));
    json_write_bool(w, "all", q->gives_all);
    json_write_bool(w, "steady", q->is_steady);
    json_write_bool(w, "refused", q->is_refused);
    json_write_object_end(w);
}

static void write_starts(struct json_writer *w, const char *name, const struct fleet_starts *list,
                         size_t count)
{
    json_write_array(w, name);
    for (size_t i = 0; i < count; i++) {
        json_write_array(w, NULL);
        json_write_text(w, NULL, str_view(list[i].key));
        json_write_uint(w, NULL, list[i].count);
        json_write_array_end(w);
    }
    json_write_array_end(w);
}

enum result fleet_budget_write(const struct fleet_budget_tell *tell, const struct fleet_self *self,
                               uint64_t now_us, struct buf *out)
{
    struct json_writer w = json_write_begin(out);

    json_write_object(&w, NULL);
    json_write_text(&w, "name", str_view(self->worker));
    json_write_text(&w, "token", str_view(self->token));
    json_write_text(&w, "epoch", str_view(self->epoch));
    json_write_uint(&w, "work", tell->work);
    json_write_uint(&w, "known", tell->known);
    json_write_array(&w, "told");
    for (size_t i = 0; i < tell->told_count; i++) {
        write_quota(&w, &tell->told[i], now_us);
    }
    json_write_array_end(&w);
    write_starts(&w, "back", tell->back, tell->back_count);
    write_starts(&w, "asks", tell->asks, tell->ask_count);
    json_write_object_end(&w);
    return w.result;
}

/* --- reading ------------------------------------------------------------------------------------------- */

/* ["http://h:80", count, first, spacing, wait, is known] */
static bool read_grant(struct str value, struct fleet_grant *grant)
{
    uint64_t numbers[5], most = INT64_MAX / FLEET_GRANT_MAX / 2;
    struct json_walk walk;
    struct str key, one;

    json_walk_begin(&walk, value);
    if (!json_walk_next(&walk, NULL, &key) ||
        !fleet_reply_text_of(key, grant->key, sizeof grant->key)) {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        if (!json_walk_next(&walk, NULL, &one) || !fleet_reply_number_of(one, most, &numbers[i])) {
            return false;
        }
    }
    grant->count = (unsigned)numbers[0];
    grant->first_us = numbers[1];
    grant->spacing_us = numbers[2];
    grant->wait_us = numbers[3];
    grant->is_known = numbers[4] > 0;
    return numbers[0] <= FLEET_GRANT_MAX && !json_walk_next(&walk, NULL, &one);
}

static enum result read_grants(struct str array, struct fleet_budget_news *news, struct err *err)
{
    struct json_walk walk;
    struct str value;
    size_t count = fleet_reply_count(array);

    if (count > FLEET_BUDGETS_MAX) {
        return fleet_reply_corrupt(err);
    }
    news->grants = calloc(count + 1, sizeof *news->grants);
    if (!news->grants) {
        return err_nomem(err, "reading of the fleet");
    }
    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &value)) {
        if (!read_grant(value, &news->grants[news->grant_count++])) {
            return fleet_reply_corrupt(err);
        }
    }
    return RESULT_OK;
}

static enum result read_known(struct str array, struct fleet_budget_news *news, struct err *err)
{
    struct json_walk walk;
    struct str value;
    size_t count = fleet_reply_count(array);

    if (count > FLEET_BUDGETS_MAX) {
        return fleet_reply_corrupt(err);
    }
    news->has_known = count == news->count;
    news->known = calloc(count + 1, sizeof *news->known);
    if (!news->known) {
        return err_nomem(err, "reading of the fleet");
    }
    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &value)) {
        struct fleet_budget_key *key = &news->known[news->known_count++];

        if (!fleet_reply_text_of(value, key->text, sizeof key->text)) {
            return fleet_reply_corrupt(err);
        }
    }
    return RESULT_OK;
}

enum result fleet_budget_read(struct str reply, struct fleet_budget_news *news, struct err *err)
{
    enum result result;
    struct json_walk walk;
    struct str value;

    *news = (struct fleet_budget_news){ .count = fleet_reply_number(reply, "count") };
    json_walk_begin(&walk, fleet_reply_member(reply, "apart"));
    if (json_walk_next(&walk, NULL, &value)) {
        (void)fleet_reply_text_of(value, news->apart, sizeof news->apart);
    }
    result = read_grants(fleet_reply_member(reply, "grants"), news, err);
    if (result == RESULT_OK) {
        result = read_known(fleet_reply_member(reply, "known"), news, err);
    }
    if (result != RESULT_OK) {
        fleet_budget_news_release(news);
    }
    return result;
}

void fleet_budget_news_release(struct fleet_budget_news *news)
{
    free(news->grants);
    free(news->known);
    *news = (struct fleet_budget_news){ .grants = NULL };
}
