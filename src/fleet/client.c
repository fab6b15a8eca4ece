#include "fleet/client.h"

#include "fleet/scripts.h"
#include "fleet/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHA_MAX 41
#define POLICY_MAX 40
#define FLEET_BACK_S 10 /* workers that are to come back to a Redis that was away have done so */
#define JOB_KEY_HEAD "st:{"
#define JOB_KEY_TAIL "}:job"
#define JOB_KEYS JOB_KEY_HEAD "*" JOB_KEY_TAIL
#define KEYS_A_LOOK "1000"
#define JOB_KEY_TYPE "hash"

struct fleet_client {
    const struct fleet_place *place;
    struct fleet_wire wire;
    char server[SHA_MAX]; /* run_id */
    bool has_no_list;     /* of its clients that could be read */
    unsigned long up_s;   /* since Redis was started, when this connection was made */
    char sha[FLEET_SCRIPT_COUNT][SHA_MAX];
};

bool fleet_client_is_built(void)
{
    return true;
}

const char *fleet_client_version(void)
{
    static char text[32];

    snprintf(text, sizeof text, "%d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    return text;
}

struct fleet_client *fleet_client_new(const struct fleet_place *place)
{
    struct fleet_client *client = calloc(1, sizeof *client);

    if (client) {
        client->place = client->wire.place = place;
    }
    return client;
}

void fleet_client_free(struct fleet_client *c)
{
    if (c) {
        fleet_wire_release(&c->wire);
        free(c);
    }
}

void fleet_client_let_stop(struct fleet_client *c, bool (*stops)(void *context), void *context)
{
    c->wire.stops = stops;
    c->wire.stops_context = context;
}

static bool begins(const redisReply *reply, const char *word)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, word, strlen(word)) == 0;
}

static bool refuses_password(const redisReply *reply)
{
    return begins(reply, "NOAUTH") || begins(reply, "WRONGPASS") ||
           begins(reply, "ERR invalid password") || begins(reply, "ERR Client sent AUTH") ||
           begins(reply, "ERR AUTH");
}

/* What is the user's to mend, or to wait for. Hangs up. */
static enum result fail(struct fleet_client *c, const redisReply *reply, struct err *err)
{
    enum result result;

    if (reply->type != REDIS_REPLY_ERROR) {
        result = fleet_wire_away(&c->wire, "its reply is none of ours", err);
    } else if (refuses_password(reply)) {
        result = err_set(err, RESULT_DENIED, "E-FLEET1",
                         "Redis refuses the password (" FLEET_PASSWORD "): %.*s", FLEET_SAID_MAX,
                         reply->str);
    } else {
        result = fleet_wire_away(&c->wire, reply->str, err);
    }
    fleet_wire_close(&c->wire);
    return result;
}

static enum result expect(struct fleet_client *c, const struct str *words, size_t count, char *text,
                          size_t size, struct err *err)
{
    redisReply *reply = fleet_wire_command(&c->wire, words, count, err);
    enum result result = RESULT_OK;

    if (!reply) {
        return err->result;
    }
    if (reply->type != REDIS_REPLY_STATUS && reply->type != REDIS_REPLY_STRING) {
        result = fail(c, reply, err);
    } else if (text) {
        snprintf(text, size, "%s", reply->str);
    }
    freeReplyObject(reply);
    return result;
}

/* Of an error only the first word is taken: the rest may name what was sent, as that of an unknown command does. */
static enum result send_password(struct fleet_client *c, const struct str *words, size_t count,
                                 struct err *err)
{
    redisReply *reply = fleet_wire_command(&c->wire, words, count, err);
    enum result result = RESULT_OK;

    if (!reply) {
        return err->result;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        bool is_refused = refuses_password(reply);

        result = err_set(err, is_refused ? RESULT_DENIED : RESULT_BUSY,
                         is_refused ? "E-FLEET1" : "E-FLEET5",
                         is_refused ? "Redis refuses the password (" FLEET_PASSWORD "): %.*s"
                                    : "Redis does not take AUTH (" FLEET_PASSWORD "): %.*s",
                         (int)strspn(reply->str, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), reply->str);
    }
    freeReplyObject(reply);
    return result;
}

static enum result log_in(struct fleet_client *c, struct err *err)
{
    const char *password = getenv(FLEET_PASSWORD);
    struct str words[3] = { STR("AUTH"), str_view(c->place->user), str_view(password) };

    if (!password || !password[0]) {
        return RESULT_OK;
    }
    if (!c->place->user[0]) {
        words[1] = words[2];
    }
    return send_password(c, words, c->place->user[0] ? 3 : 2, err);
}

/* A Redis that drops keys when it is full would drop the job's. */
static enum result look_at_policy(struct fleet_client *c, struct err *err)
{
    static const struct str words[] = { STR_INIT("INFO"), STR_INIT("memory") };
    redisReply *reply = fleet_wire_command(&c->wire, words, 2, err);
    const char *policy;
    enum result result = RESULT_OK;

    if (!reply) {
        return err->result;
    }
    policy =
        reply->type == REDIS_REPLY_STRING ? strstr(reply->str, "maxmemory_policy:allkeys") : NULL;
    if (policy) {
        size_t len = strspn(policy, "abcdefghijklmnopqrstuvwxyz_:-");

        result = err_set(err, RESULT_INVALID, "E-FLEET4",
                         "this Redis drops any key when its memory is full (%.*s): set "
                         "maxmemory-policy noeviction, or take another",
                         (int)(len < POLICY_MAX ? len : POLICY_MAX), policy);
    }
    freeReplyObject(reply);
    return result;
}

const char *fleet_client_server(const struct fleet_client *c)
{
    return c->server;
}

/* One that does not say is taken for the same. */
static enum result look_at_server(struct fleet_client *c, struct err *err)
{
    static const struct str words[] = { STR_INIT("INFO"), STR_INIT("server") };
    redisReply *reply = fleet_wire_command(&c->wire, words, 2, err);
    const char *id, *up;

    if (!reply) {
        return err->result;
    }
    id = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, "run_id:") : NULL;
    up = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, "uptime_in_seconds:") : NULL;
    c->up_s = up ? strtoul(up + strlen("uptime_in_seconds:"), NULL, 10) : 0;
    c->server[0] = '\0';
    if (id) {
        id += strlen("run_id:");
        snprintf(c->server, sizeof c->server, "%.*s", (int)strspn(id, "0123456789abcdef"), id);
    }
    freeReplyObject(reply);
    return RESULT_OK;
}

static enum result load(struct fleet_client *c, enum fleet_script script, struct err *err)
{
    struct str words[] = { STR("SCRIPT"), STR("LOAD"), str_view(fleet_scripts[script]) };

    return expect(c, words, 3, c->sha[script], SHA_MAX, err);
}

static enum result choose_database(struct fleet_client *c, struct err *err)
{
    char number[16];
    struct str words[] = { STR("SELECT"), STR_NONE };

    snprintf(number, sizeof number, "%u", c->place->database);
    words[1] = str_view(number);
    return c->place->database ? expect(c, words, 2, NULL, 0, err) : RESULT_OK;
}

static enum result dial(struct fleet_client *c, struct err *err)
{
    enum result result = fleet_wire_connect(&c->wire, err);

    if (result == RESULT_OK) {
        result = log_in(c, err);
    }
    if (result == RESULT_OK) {
        result = choose_database(c, err);
    }
    if (result == RESULT_OK) {
        result = look_at_policy(c, err);
    }
    if (result == RESULT_OK) {
        result = look_at_server(c, err);
    }
    return result;
}

static redisReply *evaluate(struct fleet_client *c, enum fleet_script script,
                            const struct str *arguments, size_t count, struct err *err)
{
    struct str words[FLEET_ARGUMENTS_MAX + 4] = { STR("EVALSHA"), str_view(c->sha[script]),
                                                  STR("1") };
    char key[FLEET_NAME_MAX + 8];

    snprintf(key, sizeof key, "st:{%s}", c->place->job);
    words[3] = str_view(key);
    for (size_t i = 0; i < count; i++) {
        words[4 + i] = arguments[i];
    }
    return fleet_wire_command(&c->wire, words, 4 + count, err);
}

/* A Redis that was started anew has no scripts. NULL: `err` says why. */
static redisReply *evaluate_loaded(struct fleet_client *c, enum fleet_script script,
                                   const struct str *arguments, size_t count, struct err *err)
{
    bool is_loaded = c->sha[script][0] != '\0';
    redisReply *reply = NULL;

    if (is_loaded) {
        reply = evaluate(c, script, arguments, count, err);
        if (!reply || !begins(reply, "NOSCRIPT")) {
            return reply;
        }
        freeReplyObject(reply);
    }
    return load(c, script, err) == RESULT_OK ? evaluate(c, script, arguments, count, err) : NULL;
}

enum result fleet_client_call(struct fleet_client *c, enum fleet_script script,
                              const struct str *arguments, size_t count, struct buf *out,
                              struct err *err)
{
    redisReply *reply;
    enum result result = c->wire.redis ? RESULT_OK : dial(c, err);

    buf_reset(out);
    if (result != RESULT_OK) {
        fleet_wire_close(&c->wire);
        return result;
    }
    reply = evaluate_loaded(c, script, arguments, count, err);
    if (!reply) {
        return err->result;
    }
    if (reply->type != REDIS_REPLY_STRING) {
        result = fail(c, reply, err);
    } else if (buf_append(out, reply->str, (size_t)reply->len) != RESULT_OK) {
        result = err_nomem(err, "reading a reply of Redis");
    }
    freeReplyObject(reply);
    return result;
}

/* How many clients have said that they are workers of this job; 0: Redis does not tell. */
static size_t count_workers(const redisReply *list, const char *name)
{
    char word[FLEET_NAME_MAX + 16];
    size_t count = 0;

    snprintf(word, sizeof word, " name=%s ", name);
    for (const char *at = list->type == REDIS_REPLY_STRING ? list->str : NULL;
         at && (at = strstr(at, word)) != NULL; at++) {
        count++;
    }
    return count;
}

enum result fleet_client_look_around(struct fleet_client *c, bool *is_alone, struct err *err)
{
    char name[FLEET_NAME_MAX + 8];
    struct str call[] = { STR("CLIENT"), STR("SETNAME"), STR_NONE };
    static const struct str list[] = { STR_INIT("CLIENT"), STR_INIT("LIST") };
    enum result result = c->wire.redis ? RESULT_OK : dial(c, err);
    redisReply *reply;

    *is_alone = false;
    if (result != RESULT_OK) {
        fleet_wire_close(&c->wire);
        return result;
    }
    snprintf(name, sizeof name, "st:{%s}", c->place->job);
    call[2] = str_view(name);
    reply = fleet_wire_command(&c->wire, call, 3, err);
    if (!reply) {
        return err->result;
    }
    freeReplyObject(reply); /* it may be denied: then there is no word of it in the list */
    if (c->has_no_list) {
        return RESULT_OK;
    }
    c->has_no_list = true; /* if it is too long, the next time goes without */
    reply = fleet_wire_command(&c->wire, list, 2, err);
    if (!reply) {
        return err->result;
    }
    c->has_no_list = false;
    *is_alone = c->up_s >= FLEET_BACK_S && count_workers(reply, name) == 1;
    freeReplyObject(reply);
    return RESULT_OK;
}

/* st:{NAME}:job */
static enum result add_name(const redisReply *key, struct buf *names)
{
    size_t before = strlen(JOB_KEY_HEAD), after = strlen(JOB_KEY_TAIL);

    if (key->type != REDIS_REPLY_STRING || key->len <= before + after ||
        key->len >= before + after + FLEET_NAME_MAX) {
        return RESULT_OK;
    }
    return buf_printf(names, "%.*s\n", (int)(key->len - before - after), key->str + before);
}

enum result fleet_client_jobs(struct fleet_client *c, struct buf *names, struct err *err)
{
    char cursor[24] = "0";
    enum result result = c->wire.redis ? RESULT_OK : dial(c, err);

    do {
        const struct str words[] = {
            STR("SCAN"),  str_view(cursor), STR("MATCH"), STR(JOB_KEYS),
            STR("COUNT"), STR(KEYS_A_LOOK), STR("TYPE"),  STR(JOB_KEY_TYPE)
        };
        redisReply *reply =
            result == RESULT_OK ? fleet_wire_command(&c->wire, words, 8, err) : NULL;

        if (!reply) {
            return err->result;
        }
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
            reply->element[0]->type != REDIS_REPLY_STRING ||
            reply->element[1]->type != REDIS_REPLY_ARRAY) {
            result = fail(c, reply, err);
        } else {
            snprintf(cursor, sizeof cursor, "%s", reply->element[0]->str);
            for (size_t i = 0; i < reply->element[1]->elements && result == RESULT_OK; i++) {
                result = add_name(reply->element[1]->element[i], names);
            }
            result = result == RESULT_OK ? result : err_nomem(err, "listing jobs");
        }
        freeReplyObject(reply);
    } while (result == RESULT_OK && strcmp(cursor, "0") != 0);
    return result;
}
