#include "demo/exchange.h"

#include "demo/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_BODY_MAX 65536 /* a login is a hundred bytes */
#define METHOD_MAX 16
#define HUNG_LOOK_US US_PER_S /* how often a hung connection is looked at */
#define STREAM_BLOCK_BYTES 32768

/*
 *   TARGET --> READING --+--> DELAYED --+--> PAUSED --> SENT
 *   (URL     (headers,   |  (latency)   |  (/slow)      ^
 *    seen)    body)      +--> HUNG      +---------------+
 *                        +------------------------------+
 */
enum exchange_state {
    EXCHANGE_TARGET,
    EXCHANGE_READING,
    EXCHANGE_DELAYED,
    EXCHANGE_PAUSED, /* the reply is ready, and waits */
    EXCHANGE_HUNG,
    EXCHANGE_SENT, /* handed to MHD, or given up */
};

struct exchange {
    struct server *server;
    struct MHD_Connection *connection;
    enum exchange_state state;
    bool is_counted; /* in server->in_flight */
    bool is_body_too_large;
    enum fate fate;
    struct limiter_verdict verdict;
    struct access_line line;
    struct buf body; /* of the request */
    struct reply reply;
    char method[METHOD_MAX];
    size_t target_len;
    char target[];
};

void *exchange_on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    size_t len = strlen(target);
    struct exchange *x = calloc(1, sizeof *x + len + 1);

    if (x) {
        x->server = context;
        x->connection = connection;
        buf_init(&x->body, REQUEST_BODY_MAX);
        reply_init(&x->reply);
        memcpy(x->target, target, len);
        x->target_len = len;
    }
    return x;
}

void exchange_on_completed(void *context, struct MHD_Connection *connection, void **exchange,
                           enum MHD_RequestTerminationCode how)
{
    struct server *server = context;
    struct exchange *x = *exchange;

    (void)connection;
    (void)how;
    *exchange = NULL;
    if (!x) {
        return;
    }
    if (x->is_counted) {
        server->in_flight--;
        x->line.took_us = clock_now_us(&server->clock) - x->line.arrived_us;
        x->line.method = str_view(x->method);
        x->line.url = (struct str){ x->target, x->target_len };
        access_log_write(&server->log, &x->line);
    }
    buf_release(&x->body);
    reply_release(&x->reply);
    free(x);
}

/* Sleeps until `due_us` in that state. Without memory for a timer the connection is given up. */
static enum MHD_Result wait_as(struct exchange *x, enum exchange_state state, uint64_t due_us)
{
    if (timers_add(&x->server->timers, due_us, x) != RESULT_OK) {
        return MHD_NO;
    }
    x->state = state;
    MHD_suspend_connection(x->connection);
    return MHD_YES;
}

static int socket_of(const struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? info->connect_fd : -1;
}

/* A suspended connection is not watched by MHD; without this a client that gave up stays forever. */
static bool peer_has_left(const struct exchange *x)
{
    char byte;
    ssize_t got = recv(socket_of(x), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void exchange_on_timer(struct exchange *x)
{
    struct server *server = x->server;

    if (x->state == EXCHANGE_HUNG && !peer_has_left(x) &&
        timers_add(&server->timers, clock_now_us(&server->clock) + HUNG_LOOK_US, x) == RESULT_OK) {
        return;
    }
    MHD_resume_connection(x->connection);
}

void exchange_abandon(struct exchange *x)
{
    x->state = EXCHANGE_HUNG;
    MHD_resume_connection(x->connection);
}

/* MHD closes the socket when the handler says no; with this the close is a reset. */
static enum MHD_Result reset_connection(struct exchange *x)
{
    const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(socket_of(x), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    x->state = EXCHANGE_SENT;
    return MHD_NO;
}

/* The valid beginning of a JSON text: {"items":[0,0,0 and so on. */
static ssize_t read_endless(void *context, uint64_t at, char *out, size_t max)
{
    static const char head[] = "{\"items\":[0";

    (void)context;
    for (size_t i = 0; i < max; i++, at++) {
        out[i] = at < sizeof head - 1 ? head[at] : ",0"[(at - (sizeof head - 1)) % 2];
    }
    return (ssize_t)max;
}

/* The first half of a body whose whole length was announced; then the connection is closed. */
static ssize_t read_first_half(void *context, uint64_t at, char *out, size_t max)
{
    const struct exchange *x = context;
    size_t half = x->reply.body.len / 2;

    if (at >= half) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    max = max < half - at ? max : half - (size_t)at;
    memcpy(out, x->reply.body.data + at, max);
    return (ssize_t)max;
}

static struct MHD_Response *make_response(struct exchange *x)
{
    struct reply *reply = &x->reply;
    struct MHD_Response *response;
    size_t len = reply->body.len;

    if (reply->is_endless) {
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_endless,
                                                 NULL, NULL);
    }
    if (reply->lent) {
        return MHD_create_response_from_buffer(reply->lent->len, reply->lent->data,
                                               MHD_RESPMEM_PERSISTENT);
    }
    if (x->fate == FATE_TRUNCATE && len) {
        return MHD_create_response_from_callback(len, STREAM_BLOCK_BYTES, read_first_half, x, NULL);
    }
    response = MHD_create_response_from_buffer(len, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (response) {
        reply->body = (struct buf){ 0 }; /* MHD has it now */
    }
    return response;
}

static void tell_limit(struct exchange *x)
{
    const struct limiter_verdict *v = &x->verdict;
    uint64_t now_s = (uint64_t)clock_wall_us(&x->server->clock) / US_PER_S;

    if (!v->is_limited) {
        return;
    }
    reply_header(&x->reply, "X-RateLimit-Limit", "%llu", (unsigned long long)v->limit);
    reply_header(&x->reply, "X-RateLimit-Remaining", "%llu", (unsigned long long)v->remaining);
    reply_header(&x->reply, "X-RateLimit-Reset", "%llu",
                 (unsigned long long)(now_s + v->full_in_s));
}

static bool add_headers(const struct reply *reply, struct MHD_Response *response)
{
    const char *name, *value;
    size_t at = 0;
    bool is_ok = true;

    if (reply->type) {
        is_ok = MHD_add_response_header(response, "Content-Type", reply->type) == MHD_YES;
    }
    while (is_ok && reply_next_header(reply, &at, &name, &value)) {
        is_ok = MHD_add_response_header(response, name, value) == MHD_YES;
    }
    return is_ok;
}

static enum MHD_Result send_reply(struct exchange *x)
{
    struct MHD_Response *response;
    enum MHD_Result sent = MHD_NO;

    x->state = EXCHANGE_SENT;
    tell_limit(x);
    if (x->reply.result != RESULT_OK) {
        return MHD_NO; /* out of memory: a closed connection is the honest answer */
    }
    response = make_response(x);
    if (!response) {
        return MHD_NO;
    }
    if (add_headers(&x->reply, response)) {
        sent = MHD_queue_response(x->connection, x->reply.status, response);
    }
    if (sent == MHD_YES) {
        x->line.status = x->reply.status;
    }
    MHD_destroy_response(response);
    return sent;
}

struct header_list {
    struct ask_header headers[ASK_HEADERS_MAX];
    size_t count;
};

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct header_list *list = context;

    (void)kind;
    if (list->count == ASK_HEADERS_MAX) {
        return MHD_NO;
    }
    list->headers[list->count++] = (struct ask_header){ str_view(name), str_view(value) };
    return MHD_YES;
}

static void answer_by_route(struct exchange *x)
{
    struct server *server = x->server;
    struct header_list list;
    struct ask ask = {
        .method = str_view(x->method),
        .body = buf_view(&x->body),
        .headers = list.headers,
        .now_us = clock_now_us(&server->clock),
        .wall_us = clock_wall_us(&server->clock),
    };

    if (x->is_body_too_large) {
        reply_error(&x->reply, 413, "a request body may have %d bytes", REQUEST_BODY_MAX);
        return;
    }
    list.count = 0; /* the array is left as it is: zeroing it would cost more than the answer */
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_header, &list);
    ask.header_count = list.count;
    ask_set_target(&ask, (struct str){ x->target, x->target_len });
    routes_answer(&server->world, &ask, &x->reply);
}

/* The latency is over. The body is made only now: ten thousand that wait need no memory for it. */
static enum MHD_Result answer(struct exchange *x)
{
    switch (x->fate) {
    case FATE_RESET:
        return reset_connection(x);
    case FATE_500:
        reply_error(&x->reply, 500, "something broke");
        break;
    case FATE_503:
    case FATE_503_RETRY_AFTER:
        reply_error(&x->reply, 503, "too busy");
        if (x->fate == FATE_503_RETRY_AFTER) {
            reply_header(&x->reply, "Retry-After", "1");
        }
        break;
    case FATE_FINE:
    case FATE_HANG:
    case FATE_TRUNCATE:
        answer_by_route(x);
        break;
    }
    if (x->reply.pause_us) {
        return wait_as(x, EXCHANGE_PAUSED, clock_now_us(&x->server->clock) + x->reply.pause_us);
    }
    return send_reply(x);
}

/* The whole request is there: let in or refused, and what the weather holds for it. */
static enum MHD_Result decide(struct exchange *x)
{
    struct server *server = x->server;
    uint64_t now_us = clock_now_us(&server->clock);
    struct forecast forecast;

    x->is_counted = true;
    x->line = (struct access_line){
        .arrived_us = now_us,
        .wall_us = server->log.file ? clock_wall_us(&server->clock) : 0,
        .in_flight = ++server->in_flight,
    };
    x->verdict = limiter_ask(&server->limiter, now_us);
    if (!x->verdict.is_admitted) {
        reply_error(&x->reply, 429, "rate limit reached");
        reply_header(&x->reply, "Retry-After", "%llu",
                     (unsigned long long)x->verdict.retry_after_s);
        return send_reply(x);
    }
    forecast = weather_forecast(&server->weather, server->asked, str_view(x->method),
                                (struct str){ x->target, x->target_len }, server->in_flight);
    x->fate = forecast.fate;
    if (x->fate == FATE_HANG) {
        return wait_as(x, EXCHANGE_HUNG, now_us + HUNG_LOOK_US);
    }
    if (forecast.delay_us) {
        return wait_as(x, EXCHANGE_DELAYED, now_us + forecast.delay_us);
    }
    return answer(x);
}

static void take_body(struct exchange *x, const char *data, size_t len)
{
    if (buf_append(&x->body, data, len) != RESULT_OK) {
        x->is_body_too_large = true;
    }
}

enum MHD_Result exchange_on_request(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *data, size_t *data_size, void **exchange)
{
    struct exchange *x = *exchange;

    (void)context;
    (void)connection;
    (void)path;
    (void)version;
    if (!x) {
        return MHD_NO; /* there was no memory for it */
    }
    switch (x->state) {
    case EXCHANGE_TARGET:
        strncpy(x->method, method, sizeof x->method - 1);
        x->state = EXCHANGE_READING;
        return MHD_YES;
    case EXCHANGE_READING:
        if (*data_size) {
            take_body(x, data, *data_size);
            *data_size = 0;
            return MHD_YES;
        }
        return decide(x);
    case EXCHANGE_DELAYED:
        return answer(x);
    case EXCHANGE_PAUSED:
        return send_reply(x);
    case EXCHANGE_HUNG:
    case EXCHANGE_SENT:
        break;
    }
    return MHD_NO;
}
