#include "fleet/fleet_ask.h"

#include "base/json_scan.h"
#include "fleet/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DONE_BYTES 65536 /* of bits, in one call */
#define FLEET_DONE_MAX UINT64_C(1000000000)

/* --- one call ------------------------------------------------------------------------------------------- */

static void name_server(const struct fleet_place *place, char *text, size_t size)
{
    if (place->socket[0]) {
        snprintf(text, size, "%s", place->socket);
    } else {
        snprintf(text, size, "%s:%u", place->host, place->port);
    }
}

/* What a worker waits out, nobody waits for who only asks. */
static enum result no_answer(const struct fleet_place *place, struct err *err)
{
    char why[ERR_TEXT_MAX], server[FLEET_HOST_MAX];

    memcpy(why, err->text, sizeof why);
    name_server(place, server, sizeof server);
    return err_set(err, RESULT_BUSY, "E-FLEET5", "no answer of the Redis at %.120s: %.160s", server,
                   why);
}

static enum result call(struct fleet_client *client, const struct fleet_place *place,
                        enum fleet_script script, const struct str *arguments, size_t count,
                        struct buf *reply, enum fleet_answer *answer, struct err *err)
{
    enum result result = fleet_client_call(client, script, arguments, count, reply, err);

    if (result == RESULT_OK) {
        result = fleet_answer_read(buf_view(reply), answer, err);
    }
    if (result == RESULT_BUSY) {
        return no_answer(place, err);
    }
    if (result == RESULT_OK && *answer == FLEET_GONE) {
        return err_set(err, RESULT_NOT_FOUND, "E-FLEET7",
                       "there is no job %s in this Redis; scrapetop fleet ls lists those that are",
                       place->job);
    }
    return result;
}

/* --- looking ---------------------------------------------------------------------------------------------- */

static bool is_true(struct str object, const char *name)
{
    return str_equal(fleet_reply_member(object, name), STR("true"));
}

static void read_worker(struct str object, struct fleet_worker *w)
{
    fleet_reply_text(object, "name", w->name, sizeof w->name);
    fleet_reply_text(object, "who", w->who, sizeof w->who);
    w->is_live = is_true(object, "live");
    w->has_left = is_true(object, "left");
    w->heard_ms = fleet_reply_number(object, "heard");
    w->in_flight = w->is_live ? fleet_reply_number(object, "in_flight") : 0;
    w->leases = fleet_reply_number(object, "leases");
    w->outbox = fleet_reply_number(object, "outbox");
    w->said = (struct fleet_said){
        .pid = fleet_reply_number(object, "pid"),
        .ok = fleet_reply_number(object, "ok"),
        .failed = fleet_reply_number(object, "failed"),
        .waiting = fleet_reply_number(object, "waiting"),
        .milli_per_s = w->is_live ? fleet_reply_number(object, "per_s") : 0,
    };
}

enum result fleet_overview_read(struct str reply, struct fleet_overview *o, struct err *err)
{
    struct str workers = fleet_reply_member(reply, "workers"), one;
    size_t count = fleet_reply_count(workers);
    struct json_walk walk;

    *o = (struct fleet_overview){ .total = fleet_reply_number(reply, "total"),
                                  .done = fleet_reply_number(reply, "done"),
                                  .is_open = is_true(reply, "open"),
                                  .is_over = is_true(reply, "over"),
                                  .found = fleet_reply_number(reply, "found"),
                                  .age_ms = fleet_reply_number(reply, "age"),
                                  .live = (unsigned)fleet_reply_number(reply, "live"),
                                  .count = (unsigned)fleet_reply_number(reply, "count") };
    if (count > FLEET_WORKERS_MAX) {
        return fleet_reply_corrupt(err);
    }
    fleet_settings_read(reply, &o->settings);
    fleet_reply_text(reply, "waits", o->waits_for, sizeof o->waits_for);
    o->workers = calloc(count + 1, sizeof *o->workers);
    if (!o->workers) {
        return err_nomem(err, "looking at the fleet");
    }
    json_walk_begin(&walk, workers);
    while (json_walk_next(&walk, NULL, &one)) {
        if (json_type_of(one) == JSON_OBJECT) {
            read_worker(one, &o->workers[o->worker_count++]);
        }
    }
    return RESULT_OK;
}

void fleet_overview_release(struct fleet_overview *o)
{
    free(o->workers);
    *o = (struct fleet_overview){ .workers = NULL };
}

enum result fleet_look(struct fleet_client *client, const struct fleet_place *place,
                       struct fleet_overview *overview, struct err *err)
{
    struct buf reply = { .max = FLEET_REPLY_MAX };
    enum fleet_answer answer;
    enum result result = call(client, place, FLEET_LOOK, NULL, 0, &reply, &answer, err);

    if (result == RESULT_OK) {
        result = fleet_overview_read(buf_view(&reply), overview, err);
    }
    buf_release(&reply);
    return result;
}

/* Fewer bytes than are asked for are followed by zeros. False: they are none of ours. */
static bool take_hex(struct str hex, uint8_t *bytes, size_t room)
{
    if (hex.len % 2 || hex.len / 2 > room) {
        return false;
    }
    for (size_t i = 0; i < hex.len; i++) {
        char c = hex.data[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (digit < 0) {
            return false;
        }
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
    }
    return true;
}

static enum result read_part(struct fleet_client *client, const struct fleet_place *place,
                             size_t offset, struct buf *reply, struct err *err)
{
    char at[24], bytes[24];
    struct str arguments[2];
    enum fleet_answer answer;

    snprintf(at, sizeof at, "%zu", offset);
    snprintf(bytes, sizeof bytes, "%d", DONE_BYTES);
    arguments[0] = str_view(at);
    arguments[1] = str_view(bytes);
    return call(client, place, FLEET_DONE, arguments, 2, reply, &answer, err);
}

enum result fleet_done(struct fleet_client *client, const struct fleet_place *place, uint8_t **bits,
                       uint64_t *total, struct err *err)
{
    struct buf reply = { .max = FLEET_REPLY_MAX };
    size_t size = 0;
    enum result result = read_part(client, place, 0, &reply, err);

    *bits = NULL;
    if (result == RESULT_OK) {
        *total = fleet_reply_number(buf_view(&reply), "total");
        size = (size_t)(*total / 8) + 1;
        *bits = *total <= FLEET_DONE_MAX ? calloc(size + DONE_BYTES, 1) : NULL;
        result = *bits ? RESULT_OK : err_nomem(err, "asking the fleet");
    }
    for (size_t at = 0; at < size && result == RESULT_OK; at += DONE_BYTES) {
        struct str hex;

        if (at) {
            result = read_part(client, place, at, &reply, err);
        }
        hex = json_string_raw(fleet_reply_member(buf_view(&reply), "bits"));
        if (result == RESULT_OK && !take_hex(hex, *bits + at, DONE_BYTES)) {
            result = fleet_reply_corrupt(err);
        }
    }
    buf_release(&reply);
    if (result != RESULT_OK) {
        free(*bits);
        *bits = NULL;
    }
    return result;
}

enum result fleet_jobs(struct fleet_client *client, const struct fleet_place *place,
                       struct buf *names, struct err *err)
{
    enum result result = fleet_client_jobs(client, names, err);

    return result == RESULT_BUSY ? no_answer(place, err) : result;
}

/* --- telling ---------------------------------------------------------------------------------------------- */

enum result fleet_steer(struct fleet_client *client, const struct fleet_place *place,
                        const struct fleet_steer *steer, struct err *err)
{
    static const char *const names[] = { "cap", "rate_n", "paused", "drains" };
    char number[32] = "1", per_us[24];
    struct str arguments[4] = { str_view(names[steer->what]), STR_NONE, STR("rate_us"), STR_NONE };
    struct rate rate = fleet_rate_told(steer->rate);
    struct buf reply = { .max = FLEET_REPLY_MAX };
    enum fleet_answer answer;
    enum result result;

    if (steer->what == FLEET_STEER_CAP) {
        snprintf(number, sizeof number, "%u", steer->cap);
    } else if (steer->what == FLEET_STEER_RATE) {
        snprintf(number, sizeof number, "%.3f", rate.requests);
    } else if (steer->what == FLEET_STEER_PAUSE) {
        snprintf(number, sizeof number, "%d", steer->is_paused);
    }
    snprintf(per_us, sizeof per_us, "%llu", (unsigned long long)rate.per_us);
    arguments[1] = str_view(number);
    arguments[3] = str_view(per_us);
    result = call(client, place, FLEET_STEER, arguments, steer->what == FLEET_STEER_RATE ? 4 : 2,
                  &reply, &answer, err);
    buf_release(&reply);
    return result;
}

static const char *grace_text(char *text, size_t size)
{
    snprintf(text, size, "%d", FLEET_GRACE_MS);
    return text;
}

enum result fleet_forget(struct fleet_client *client, const struct fleet_place *place,
                         const char *worker, bool is_sure, struct err *err)
{
    char grace[16];
    const struct str arguments[] = { str_view(worker), str_view(grace_text(grace, sizeof grace)),
                                     is_sure ? STR("1") : STR("0") };
    struct buf reply = { .max = FLEET_REPLY_MAX };
    enum fleet_answer answer;
    enum result result = call(client, place, FLEET_FORGET, arguments, 3, &reply, &answer, err);

    buf_release(&reply);
    if (result == RESULT_OK && answer == FLEET_TAKEN) {
        return err_set(err, RESULT_INVALID, "E-FLEET7",
                       "the worker %.64s is at work, or was within its lease: end it first",
                       worker);
    }
    if (result == RESULT_OK && answer == FLEET_LOST) {
        return err_set(err, RESULT_NOT_FOUND, "E-FLEET7",
                       "the fleet %s has no worker %.64s; status lists those it has", place->job,
                       worker);
    }
    return result;
}

enum result fleet_remove(struct fleet_client *client, const struct fleet_place *place, bool is_sure,
                         struct err *err)
{
    const struct str argument = is_sure ? STR("1") : STR("0");
    struct buf reply = { .max = FLEET_REPLY_MAX };
    enum fleet_answer answer;
    enum result result = call(client, place, FLEET_REMOVE, &argument, 1, &reply, &answer, err);

    if (result == RESULT_OK && answer == FLEET_TAKEN) {
        char who[FLEET_NAME_MAX];

        fleet_reply_text(buf_view(&reply), "who", who, sizeof who);
        result = err_set(err, RESULT_INVALID, "E-FLEET7",
                         "%llu of its workers are at work, or were within a lease (%s): end them "
                         "first, scrapetop ctl URL drain",
                         (unsigned long long)fleet_reply_number(buf_view(&reply), "live"), who);
    }
    buf_release(&reply);
    return result;
}
