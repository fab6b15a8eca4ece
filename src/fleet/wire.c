#include "fleet/wire.h"

#include "fleet/client.h"
#include "fleet/lookup.h"
#include "fleet/tls.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <uv.h>

#define CALL_NS ((uint64_t)FLEET_CALL_MS * 1000000)
#define READ_BYTES 16384
#define LOOK_MS 50 /* between looks whether it is to stop */

void fleet_wire_close(struct fleet_wire *w)
{
    fleet_tls_close(w->tls);
    if (w->redis) {
        redisFree(w->redis);
    }
    w->redis = NULL;
}

enum result fleet_wire_away(struct fleet_wire *w, const char *why, struct err *err)
{
    enum result result = err_set(err, RESULT_BUSY, "E-FLEET5", "%.*s", FLEET_SAID_MAX, why);

    fleet_wire_close(w);
    return result;
}

/* An alert of TLS is what a Redis that wants it says to whoever does not speak it. */
static enum result no_reply(struct fleet_wire *w, struct err *err)
{
    if (strstr(w->redis->errstr, "got \"\\x15\"")) {
        fleet_wire_close(w);
        return err_set(err, RESULT_DENIED, "E-FLEET1", "the Redis speaks TLS, want rediss://");
    }
    return fleet_wire_away(w, w->redis->errstr, err);
}

/* A connection that ends before any word may be one to a port of TLS, which is told so by a reset, or an alert as above. */
static enum result broken(struct fleet_wire *w, struct err *err)
{
    char why[FLEET_SAID_MAX];

    snprintf(why, sizeof why, "%.80s%s", w->redis->errstr,
             w->has_read || w->place->socket[0] ? "" : " (one that speaks TLS wants rediss://)");
    return fleet_wire_away(w, why, err);
}

/* What comes next goes to the reader. */
static enum result take_bytes(struct fleet_wire *w, struct err *err)
{
    char bytes[READ_BYTES];
    size_t len;
    enum result result;

    if (!w->tls) {
        result = redisBufferRead(w->redis) == REDIS_OK ? RESULT_OK : broken(w, err);
        w->has_read |= result == RESULT_OK;
        return result;
    }
    result = fleet_tls_read(w->tls, bytes, sizeof bytes, &len, w->due_ns, err);
    if (result != RESULT_OK) {
        fleet_wire_close(w);
    } else if (redisReaderFeed(w->redis->reader, bytes, len) != REDIS_OK) {
        result = fleet_wire_away(w, "no memory for a reply", err);
    }
    return result;
}

/* Reads until there is a whole reply; a longer one than is ever right ends the connection. */
static redisReply *read_reply(struct fleet_wire *w, struct err *err)
{
    void *reply = NULL;

    for (size_t bytes = 0; !reply;) {
        size_t before;

        if (redisGetReplyFromReader(w->redis, &reply) != REDIS_OK) {
            (void)!no_reply(w, err);
            return NULL;
        }
        if (reply) {
            break;
        }
        if (bytes > FLEET_REPLY_MAX || uv_hrtime() >= w->due_ns) {
            (void)!fleet_wire_away(w,
                                   bytes > FLEET_REPLY_MAX ? "its reply is longer than any of ours"
                                                           : "it takes too long to answer",
                                   err);
            return NULL;
        }
        before = w->redis->reader->len;
        if (take_bytes(w, err) != RESULT_OK) {
            return NULL;
        }
        bytes += w->redis->reader->len - before;
    }
    return reply;
}

static enum result send_plain(struct fleet_wire *w, const char **argv, const size_t *lengths,
                              size_t count, struct err *err)
{
    int is_sent = 0;

    if (redisAppendCommandArgv(w->redis, (int)count, argv, lengths) != REDIS_OK) {
        return fleet_wire_away(w, "no memory for a command", err);
    }
    while (!is_sent) {
        if (redisBufferWrite(w->redis, &is_sent) != REDIS_OK) {
            return broken(w, err);
        }
    }
    return RESULT_OK;
}

static enum result send_sealed(struct fleet_wire *w, const char **argv, const size_t *lengths,
                               size_t count, struct err *err)
{
    char *text = NULL;
    long long len = redisFormatCommandArgv(&text, (int)count, argv, lengths);
    enum result result;

    if (len < 0) {
        return fleet_wire_away(w, "no memory for a command", err);
    }
    result = fleet_tls_write(w->tls, text, (size_t)len, w->due_ns, err);
    redisFreeCommand(text);
    if (result != RESULT_OK) {
        fleet_wire_close(w);
    }
    return result;
}

redisReply *fleet_wire_command(struct fleet_wire *w, const struct str *words, size_t count,
                               struct err *err)
{
    const char *argv[FLEET_WORDS_MAX];
    size_t lengths[FLEET_WORDS_MAX];
    enum result result;

    w->due_ns = uv_hrtime() + CALL_NS;
    for (size_t i = 0; i < count; i++) {
        argv[i] = words[i].data;
        lengths[i] = words[i].len;
    }
    result = w->tls ? send_sealed(w, argv, lengths, count, err)
                    : send_plain(w, argv, lengths, count, err);
    return result == RESULT_OK ? read_reply(w, err) : NULL;
}

/* True: its addresses are known, or why there are none. One that takes long goes on while others are tried again. */
static bool look_up(struct fleet_wire *w)
{
    w->lookup = w->lookup ? w->lookup : fleet_lookup_new(w->place->host);
    for (unsigned ms = 0; w->lookup && ms < FLEET_CALL_MS; ms += LOOK_MS) {
        if (fleet_lookup_wait(w->lookup, LOOK_MS)) {
            return true;
        }
        if (w->stops && w->stops(w->stops_context)) {
            break;
        }
    }
    return false;
}

static enum result connect_by_name(struct fleet_wire *w, struct timeval limit, struct err *err)
{
    enum result result = RESULT_BUSY;
    const char *address;

    if (!look_up(w)) {
        return fleet_wire_away(w,
                               w->lookup ? "the name of its host takes too long to look up"
                                         : "no memory to look up a name",
                               err);
    }
    if (!fleet_lookup_address(w->lookup, 0)) {
        result = fleet_wire_away(w, fleet_lookup_error(w->lookup), err);
    }
    for (size_t i = 0; result != RESULT_OK && (address = fleet_lookup_address(w->lookup, i)); i++) {
        w->redis = redisConnectWithTimeout(address, (int)w->place->port, limit);
        result =
            w->redis && !w->redis->err
                ? RESULT_OK
                : fleet_wire_away(w, w->redis ? w->redis->errstr : "no memory to connect", err);
        if (w->stops && w->stops(w->stops_context)) {
            break;
        }
    }
    fleet_lookup_free(w->lookup); /* the next time it may lead elsewhere */
    w->lookup = NULL;
    return result;
}

static enum result connect_by_path(struct fleet_wire *w, struct timeval limit, struct err *err)
{
    w->redis = redisConnectUnixWithTimeout(w->place->socket, limit);
    return w->redis && !w->redis->err
               ? RESULT_OK
               : fleet_wire_away(w, w->redis ? w->redis->errstr : "no memory to connect", err);
}

static enum result greet(struct fleet_wire *w, struct err *err)
{
    enum result result = w->tls ? RESULT_OK : fleet_tls_new(&w->tls, w->place, err);

    return result == RESULT_OK ? fleet_tls_open(w->tls, w->redis->fd, uv_hrtime() + CALL_NS, err)
                               : result;
}

enum result fleet_wire_connect(struct fleet_wire *w, struct err *err)
{
    const struct timeval limit = { .tv_sec = FLEET_CALL_MS / 1000 };
    enum result result =
        w->place->socket[0] ? connect_by_path(w, limit, err) : connect_by_name(w, limit, err);

    if (result == RESULT_OK && redisSetTimeout(w->redis, limit) != REDIS_OK) {
        result = fleet_wire_away(w, w->redis->errstr, err);
    }
    w->has_read = false;
    return result == RESULT_OK && w->place->is_tls ? greet(w, err) : result;
}

void fleet_wire_release(struct fleet_wire *w)
{
    fleet_wire_close(w);
    fleet_tls_free(w->tls);
    fleet_lookup_free(w->lookup);
}
