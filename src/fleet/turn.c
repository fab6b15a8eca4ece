#include "fleet/turn.h"

#include "base/json_scan.h"
#include "base/json_write.h"
#include "fleet/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8
#define LEASES_MAX 1024
#define RATE_LEAST 0.1             /* smaller ones have too few thousandths */
#define RATE_MOST_US 1000000000000 /* twelve days */

/* --- telling ----------------------------------------------------------------------------------------- */

static void write_entries(struct json_writer *w, const char *key, const struct fleet_entry *list,
                          size_t count)
{
    json_write_array(w, key);
    for (size_t i = 0; i < count; i++) {
        json_write_text(w, NULL, str_view(list[i].name));
    }
    json_write_array_end(w);
}

static void write_holds(struct json_writer *w, const struct fleet_tell *tell)
{
    json_write_array(w, "holds");
    for (size_t i = 0; i < tell->hold_count; i++) {
        json_write_array(w, NULL);
        json_write_text(w, NULL, str_view(tell->holds[i].origin));
        json_write_uint(w, NULL, tell->holds[i].left_us);
        json_write_array_end(w);
    }
    json_write_array_end(w);
}

static void write_learned(struct json_writer *w, const struct fleet_tell *tell)
{
    json_write_array(w, "learned");
    for (size_t i = 0; i < tell->learned_count; i++) {
        const struct fleet_learned *l = &tell->learned[i];

        json_write_array(w, NULL);
        json_write_text(w, NULL, str_view(l->key));
        json_write_uint(w, NULL, l->refused);
        json_write_uint(w, NULL, l->milli_per_s);
        json_write_uint(w, NULL, l->at_once);
        json_write_uint(w, NULL, l->hold_us);
        json_write_uint(w, NULL, l->leads);
        json_write_uint(w, NULL, l->is_active);
        json_write_array_end(w);
    }
    json_write_array_end(w);
}

static void write_said(struct json_writer *w, const struct fleet_tell *tell, const char *who)
{
    const struct fleet_said *said = &tell->said;

    json_write_object(w, "said");
    json_write_text(w, "who", str_view(who));
    json_write_uint(w, "pid", said->pid);
    json_write_uint(w, "in_flight", tell->in_flight);
    json_write_uint(w, "ok", said->ok);
    json_write_uint(w, "failed", said->failed);
    json_write_uint(w, "waiting", said->waiting);
    json_write_uint(w, "per_s", tell->leaves ? 0 : said->milli_per_s);
    json_write_bool(w, "left", tell->leaves);
    json_write_object_end(w);
}

/* First and last of each run, from 0: a command for each request would cost Redis ten times as much. */
static void write_runs(struct json_writer *w, const uint64_t *ids, size_t count)
{
    for (size_t i = 0, from; i < count; i++) {
        from = i;
        while (i + 1 < count && ids[i + 1] <= ids[i] + 1) {
            i++;
        }
        json_write_uint(w, NULL, ids[from] - 1);
        json_write_uint(w, NULL, ids[i] - 1);
    }
}

struct rate fleet_rate_told(struct rate rate)
{
    double per_us;

    if (!rate.per_us || !(rate.requests > 0) || rate.requests >= RATE_LEAST) {
        return rate;
    }
    per_us = (double)rate.per_us / rate.requests;
    return (struct rate){ 1, per_us < RATE_MOST_US ? (uint64_t)(per_us + 0.5) : RATE_MOST_US };
}

void fleet_settings_write(struct json_writer *w, const struct fleet_settings *settings)
{
    struct rate rate = fleet_rate_told(settings->rate);

    json_write_uint(w, "cap", settings->cap);
    json_write_fixed_text(w, "rate_n", (int64_t)(rate.requests * 1000), 3);
    json_write_uint(w, "rate_us", rate.per_us);
    json_write_uint(w, "paused", settings->is_paused);
    json_write_uint(w, "ver", settings->version);
}

enum result fleet_turn_write(const struct fleet_tell *tell, const struct fleet_self *self,
                             bool is_fresh, struct buf *out)
{
    struct json_writer w = json_write_begin(out);

    json_write_object(&w, NULL);
    json_write_text(&w, "name", str_view(self->worker));
    json_write_text(&w, "token", str_view(self->token));
    json_write_text(&w, "epoch", str_view(self->epoch));
    json_write_uint(&w, "in_flight", tell->in_flight);
    json_write_uint(&w, "want", tell->wants);
    json_write_uint(&w, "outbox", tell->outbox);
    json_write_uint(&w, "seeds", tell->seeds);
    json_write_uint(&w, "starts", tell->starts);
    json_write_bool(&w, "fresh", is_fresh);
    json_write_array(&w, "settled");
    write_runs(&w, tell->settled, tell->settled_count);
    json_write_array_end(&w);
    write_entries(&w, "ended", tell->ended, tell->ended_count);
    json_write_text(&w, "begins", str_view(tell->begins.name));
    write_entries(&w, "calm", tell->calm, tell->calm_count);
    write_entries(&w, "keep", tell->keep, tell->keep_count);
    write_holds(&w, tell);
    write_learned(&w, tell);
    if (tell->has_said) {
        write_said(&w, tell, self->who);
    }
    json_write_bool(&w, "leaves", tell->leaves);
    json_write_object_end(&w);
    return w.result;
}

/* --- reading ------------------------------------------------------------------------------------------- */

enum result fleet_answer_read(struct str reply, enum fleet_answer *answer, struct err *err)
{
    static const char *const words[] = {
        [FLEET_OK] = "OK",       [FLEET_GONE] = "GONE",
        [FLEET_LOST] = "LOST",   [FLEET_DIFFERENT] = "DIFFERENT",
        [FLEET_TAKEN] = "TAKEN", [FLEET_FULL] = "FULL",
    };
    char word[16];

    reply = fleet_reply_json(reply, NULL);
    if (!json_check(reply, DEPTH_MAX, NULL) || json_type_of(reply) != JSON_OBJECT) {
        return fleet_reply_corrupt(err);
    }
    fleet_reply_text(reply, "r", word, sizeof word);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *answer = (enum fleet_answer)i;
            return RESULT_OK;
        }
    }
    return fleet_reply_corrupt(err);
}

static bool read_ranges(struct str ranges, uint64_t total, struct fleet_lease *lease)
{
    struct json_walk walk;
    struct str value;
    uint64_t before = 0, seeds = 0;

    json_walk_begin(&walk, ranges);
    while (json_walk_next(&walk, NULL, &value)) {
        uint64_t ends[2];

        if (!fleet_reply_numbers_of(value, ends, 2) || ends[0] > ends[1] || ends[1] >= total ||
            ends[0] < before) {
            return false;
        }
        before = ends[1] + 1;
        seeds += before - ends[0];
        if (seeds > FLEET_SEEDS_MAX) { /* the loop looks at each of them */
            return false;
        }
        lease->ranges[lease->range_count++] = (struct fleet_range){ ends[0] + 1, ends[1] + 1 };
    }
    return true;
}

void fleet_lease_free(struct fleet_lease *lease)
{
    if (lease) {
        free(lease->found);
        free(lease);
    }
}

/* The next `bytes` of the texts. */
static enum result read_found(struct str *texts, uint64_t bytes, struct fleet_lease *lease,
                              struct err *err)
{
    if (bytes > texts->len || memchr(texts->data, '\0', (size_t)bytes)) {
        return fleet_reply_corrupt(err);
    }
    lease->found = malloc((size_t)bytes + 1);
    if (!lease->found) {
        return err_nomem(err, "taking work of the fleet");
    }
    memcpy(lease->found, texts->data, (size_t)bytes);
    lease->found[bytes] = '\0';
    *texts = (struct str){ texts->data + bytes, texts->len - (size_t)bytes };
    return RESULT_OK;
}

/* ["1700000000-0", [[0, 255], ...], 0, 1, 0] or ["1700000000-0", {}, BYTES, 1, 0], the bytes among the texts */
static enum result read_lease(struct str value, uint64_t total, struct str *texts,
                              struct fleet_lease **lease, struct err *err)
{
    struct json_walk walk;
    struct str name, ranges, found, times, deaths, more;
    enum result result = RESULT_OK;
    uint64_t bytes;
    size_t count;

    json_walk_begin(&walk, value);
    if (!json_walk_next(&walk, NULL, &name) || !json_walk_next(&walk, NULL, &ranges) ||
        !json_walk_next(&walk, NULL, &found) || !json_walk_next(&walk, NULL, &times) ||
        !json_walk_next(&walk, NULL, &deaths) || json_walk_next(&walk, NULL, &more)) {
        return fleet_reply_corrupt(err);
    }
    count = fleet_reply_count(ranges);
    if (count > FLEET_SEEDS_MAX) {
        return fleet_reply_corrupt(err);
    }
    *lease = calloc(1, sizeof **lease + count * sizeof(struct fleet_range));
    if (!*lease) {
        return err_nomem(err, "taking work of the fleet");
    }
    if (!fleet_reply_text_of(name, (*lease)->entry.name, FLEET_ENTRY_MAX) ||
        !read_ranges(ranges, total, *lease) || !fleet_reply_number_of(found, UINT32_MAX, &bytes) ||
        !fleet_reply_number_of(times, UINT32_MAX, &(*lease)->times) ||
        !fleet_reply_number_of(deaths, UINT32_MAX, &(*lease)->deaths)) {
        fleet_lease_free(*lease);
        *lease = NULL;
        return fleet_reply_corrupt(err);
    }
    if (bytes) {
        result = read_found(texts, bytes, *lease, err);
    }
    if (result != RESULT_OK) {
        fleet_lease_free(*lease);
        *lease = NULL;
    }
    return result;
}

static enum result read_leases(struct str array, uint64_t total, struct str texts,
                               struct fleet_news *news, struct err *err)
{
    struct fleet_lease **end = &news->leases;
    struct json_walk walk;
    struct str value;
    enum result result = RESULT_OK;

    if (fleet_reply_count(array) > LEASES_MAX) {
        return fleet_reply_corrupt(err);
    }
    json_walk_begin(&walk, array);
    while (result == RESULT_OK && json_walk_next(&walk, NULL, &value)) {
        result = read_lease(value, total, &texts, end, err);
        end = result == RESULT_OK ? &(*end)->next : end;
    }
    return result;
}

static enum result read_lost(struct str array, struct fleet_news *news, struct err *err)
{
    struct json_walk walk;
    struct str value;
    size_t count = fleet_reply_count(array);

    if (count > LEASES_MAX) {
        return fleet_reply_corrupt(err);
    }
    news->lost = calloc(count + 1, sizeof *news->lost);
    if (!news->lost) {
        return err_nomem(err, "reading of the fleet");
    }
    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &value)) {
        if (!fleet_reply_text_of(value, news->lost[news->lost_count++].name, FLEET_ENTRY_MAX)) {
            return fleet_reply_corrupt(err);
        }
    }
    return RESULT_OK;
}

static enum result read_holds(struct str array, struct fleet_news *news, struct err *err)
{
    struct json_walk walk, pair;
    struct str value, origin, left;
    size_t count = fleet_reply_count(array);

    if (count > FLEET_HOLDS_MAX) {
        return fleet_reply_corrupt(err);
    }
    news->holds = calloc(count + 1, sizeof *news->holds);
    if (!news->holds) {
        return err_nomem(err, "reading of the fleet");
    }
    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &value)) {
        struct fleet_hold *hold = &news->holds[news->hold_count++];

        json_walk_begin(&pair, value);
        if (!json_walk_next(&pair, NULL, &origin) || !json_walk_next(&pair, NULL, &left) ||
            !fleet_reply_text_of(origin, hold->origin, sizeof hold->origin) ||
            !fleet_reply_number_of(left, INT64_MAX, &hold->left_us)) {
            return fleet_reply_corrupt(err);
        }
    }
    return RESULT_OK;
}

/* ["https://h", RATE, AT_ONCE, HOLD, LEADS, REFUSED] */
static bool read_learned_one(struct str value, struct fleet_learned *l)
{
    struct json_walk walk;
    struct str key, number;
    uint64_t numbers[5];

    json_walk_begin(&walk, value);
    if (!json_walk_next(&walk, NULL, &key) || !fleet_reply_text_of(key, l->key, sizeof l->key)) {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        if (!json_walk_next(&walk, NULL, &number) ||
            !fleet_reply_number_of(number, INT64_MAX, &numbers[i])) {
            return false;
        }
    }
    l->milli_per_s = numbers[0];
    l->at_once = numbers[1];
    l->hold_us = numbers[2];
    l->leads = numbers[3] != 0;
    l->refused = numbers[4];
    return true;
}

static enum result read_learned(struct str array, struct fleet_news *news, struct err *err)
{
    struct json_walk walk;
    struct str value;
    size_t count = fleet_reply_count(array);

    if (count > FLEET_LEARNED_MAX) {
        return fleet_reply_corrupt(err);
    }
    news->learned = calloc(count + 1, sizeof *news->learned);
    if (!news->learned) {
        return err_nomem(err, "reading of the fleet");
    }
    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &value)) {
        if (!read_learned_one(value, &news->learned[news->learned_count++])) {
            return fleet_reply_corrupt(err);
        }
    }
    return RESULT_OK;
}

/* The members of a reply; the first are settings. */
enum {
    NEWS_CAP,
    NEWS_RATE_M,
    NEWS_RATE_US,
    NEWS_PAUSED,
    NEWS_VER,
    NEWS_SETTINGS,
    NEWS_STATE = NEWS_SETTINGS,
    NEWS_BEGUN,
    NEWS_WAITS,
    NEWS_OVER,
    NEWS_SLOTS,
    NEWS_LIVE,
    NEWS_WANTING,
    NEWS_DRAINS,
    NEWS_BUDGETS,
    NEWS_GRANT,
    NEWS_LEASES,
    NEWS_LOST,
    NEWS_HOLDS,
    NEWS_LEARNED,
    NEWS_COUNT,
};

static const char *const news_names[NEWS_COUNT] = {
    [NEWS_CAP] = "cap",         [NEWS_RATE_M] = "rate_m", [NEWS_RATE_US] = "rate_us",
    [NEWS_PAUSED] = "paused",   [NEWS_VER] = "ver",       [NEWS_STATE] = "state",
    [NEWS_BEGUN] = "begun",     [NEWS_WAITS] = "waits",   [NEWS_OVER] = "over",
    [NEWS_SLOTS] = "slots",     [NEWS_LIVE] = "live",     [NEWS_DRAINS] = "drains",
    [NEWS_BUDGETS] = "budgets", [NEWS_GRANT] = "grant",   [NEWS_LEASES] = "leases",
    [NEWS_LOST] = "lost",       [NEWS_HOLDS] = "holds",   [NEWS_LEARNED] = "learned",
    [NEWS_WANTING] = "wanting",
};

static uint64_t number_of(struct str value)
{
    uint64_t number = 0;

    return fleet_reply_number_of(value, UINT64_MAX, &number) ? number : 0;
}

static struct fleet_settings settings_of(const struct str values[NEWS_SETTINGS])
{
    struct fleet_settings settings = {
        .cap = (unsigned)(number_of(values[NEWS_CAP]) & 0xFFFFFF),
        .rate.requests = (double)number_of(values[NEWS_RATE_M]) / 1000,
        .rate.per_us = number_of(values[NEWS_RATE_US]),
        .is_paused = str_equal(values[NEWS_PAUSED], STR("true")),
        .version = number_of(values[NEWS_VER]),
    };

    if (!(settings.rate.requests > 0)) {
        settings.rate.per_us = 0;
    }
    return settings;
}

void fleet_settings_read(struct str reply, struct fleet_settings *settings)
{
    struct str values[NEWS_SETTINGS];

    fleet_reply_members(reply, news_names, values, NEWS_SETTINGS);
    *settings = settings_of(values);
}

static void read_plain(const struct str values[NEWS_COUNT], struct fleet_news *news)
{
    char state[16];

    (void)fleet_reply_text_of(values[NEWS_STATE], state, sizeof state);
    (void)fleet_reply_text_of(values[NEWS_BEGUN], news->begun.name, sizeof news->begun.name);
    (void)fleet_reply_text_of(values[NEWS_WAITS], news->waits_for, sizeof news->waits_for);
    news->is_open = strcmp(state, "open") == 0;
    news->is_over = str_equal(values[NEWS_OVER], STR("true"));
    news->slots = (unsigned)(number_of(values[NEWS_SLOTS]) & 0xFFFFFF);
    news->live = (unsigned)(number_of(values[NEWS_LIVE]) & 0xFFFFFF);
    news->wanting = (unsigned)(number_of(values[NEWS_WANTING]) & 0xFFFFFF);
    news->settings = settings_of(values);
    news->drains = number_of(values[NEWS_DRAINS]);
    news->budgets = number_of(values[NEWS_BUDGETS]);
}

enum result fleet_news_read(struct str reply, uint64_t total, struct fleet_news *news,
                            struct err *err)
{
    struct str values[NEWS_COUNT], texts;
    uint64_t grant[3];
    enum result result;

    *news = (struct fleet_news){ .leases = NULL };
    fleet_reply_members(fleet_reply_json(reply, &texts), news_names, values, NEWS_COUNT);
    read_plain(values, news);
    result =
        fleet_reply_numbers_of(values[NEWS_GRANT], grant, 3) ? RESULT_OK : fleet_reply_corrupt(err);
    if (result == RESULT_OK) {
        news->grant.count = (unsigned)(grant[0] & 0xFFFF);
        news->grant.first_us = grant[1];
        news->grant.spacing_us = grant[2];
        result = read_leases(values[NEWS_LEASES], total, texts, news, err);
    }
    if (result == RESULT_OK) {
        result = read_lost(values[NEWS_LOST], news, err);
    }
    if (result == RESULT_OK) {
        result = read_holds(values[NEWS_HOLDS], news, err);
    }
    if (result == RESULT_OK) {
        result = read_learned(values[NEWS_LEARNED], news, err);
    }
    if (result != RESULT_OK) {
        fleet_news_release(news);
    }
    return result;
}

void fleet_news_release(struct fleet_news *news)
{
    while (news->leases) {
        struct fleet_lease *next = news->leases->next;

        fleet_lease_free(news->leases);
        news->leases = next;
    }
    free(news->lost);
    free(news->holds);
    free(news->learned);
    *news = (struct fleet_news){ .leases = NULL };
}
