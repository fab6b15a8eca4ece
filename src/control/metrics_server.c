#include "control/metrics_server.h"

#include "control/health.h"
#include "control/metrics_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 4
#define HEAD_MAX_BYTES 4096
#define ANSWER_MAX_BYTES (1024 * 1024)
#define WITHIN_MS 2000
#define PLAIN "text/plain; charset=utf-8"

struct connection {
    struct metrics_server *server;
    uv_tcp_t tcp;
    uv_timer_t limit;
    uv_write_t write;
    unsigned handles; /* open */
    bool closing, answered;
    size_t length;
    char head[HEAD_MAX_BYTES];
    struct buf answer;
};

struct metrics_server {
    const struct metrics_calls *calls;
    void *context;
    uv_loop_t *loop;
    uv_tcp_t listener;
    bool closing, listener_open;
    unsigned count;
    struct connection *connections[CONNECTIONS_MAX];
};

/* --- the end of things -------------------------------------------------------------------------------- */

static void free_if_closed(struct metrics_server *s)
{
    if (s->closing && !s->listener_open && !s->count) {
        free(s);
    }
}

static void on_part_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    struct metrics_server *s = c->server;

    if (--c->handles) {
        return;
    }
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (s->connections[i] == c) {
            s->connections[i] = NULL;
        }
    }
    s->count--;
    buf_release(&c->answer);
    free(c);
    free_if_closed(s);
}

static void close_connection(struct connection *c)
{
    if (!c->closing) {
        c->closing = true;
        uv_close((uv_handle_t *)&c->tcp, on_part_closed);
        uv_close((uv_handle_t *)&c->limit, on_part_closed);
    }
}

static void on_late(uv_timer_t *timer)
{
    close_connection(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_connection(write->data);
}

/* --- answers ------------------------------------------------------------------------------------------ */

static void send_answer(struct connection *c, const char *status, const char *type, struct str body)
{
    bool is_head = strncmp(c->head, "HEAD ", 5) == 0;
    uv_buf_t part;

    c->answered = true;
    uv_read_stop((uv_stream_t *)&c->tcp);
    if (buf_printf(&c->answer,
                   "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                   "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
                   status, type, body.len) != RESULT_OK ||
        (!is_head && buf_append_str(&c->answer, body) != RESULT_OK)) {
        close_connection(c);
        return;
    }
    part = uv_buf_init(c->answer.data, (unsigned)c->answer.len);
    c->write.data = c;
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &part, 1, on_written) != 0) {
        close_connection(c);
    }
}

/* Whether the head says that it takes OpenMetrics: scrapers name it in Accept. */
static bool wants_open(const char *head)
{
    return strcasestr(head, "application/openmetrics-text") != NULL;
}

static void answer_metrics(struct connection *c)
{
    struct buf text = { .max = ANSWER_MAX_BYTES };
    bool is_open = wants_open(c->head);

    if (c->server->calls->metrics(c->server->context, &text, is_open) == RESULT_OK) {
        send_answer(c, "200 OK", is_open ? METRICS_TYPE_OPEN : METRICS_TYPE_OLD, buf_view(&text));
    } else {
        send_answer(c, "503 Service Unavailable", PLAIN,
                    STR("not now: the run is ending, or there is no memory\n"));
    }
    buf_release(&text);
}

static void answer_health(struct connection *c)
{
    char why[HEALTH_TEXT_MAX], line[HEALTH_TEXT_MAX + 2];

    if (c->server->calls->is_well(c->server->context, why)) {
        send_answer(c, "200 OK", PLAIN, STR("ok\n"));
    } else {
        snprintf(line, sizeof line, "%s\n", why);
        send_answer(c, "503 Service Unavailable", PLAIN, str_view(line));
    }
}

/* The target without its query; NULL when it is no GET or HEAD. */
static const char *target_of(const char *head, size_t *len)
{
    const char *target = strncmp(head, "GET ", 4) == 0    ? head + 4
                         : strncmp(head, "HEAD ", 5) == 0 ? head + 5
                                                          : NULL;

    *len = target ? strcspn(target, " ?\r\n") : 0;
    return target;
}

static void answer(struct connection *c)
{
    size_t len;
    const char *target = target_of(c->head, &len);
    struct str path = { target, len };

    if (!target) {
        send_answer(c, "405 Method Not Allowed", PLAIN, STR("only GET\n"));
    } else if (str_equal(path, STR("/metrics"))) {
        answer_metrics(c);
    } else if (str_equal(path, STR("/healthz")) || str_equal(path, STR("/readyz"))) {
        answer_health(c);
    } else {
        send_answer(c, "404 Not Found", PLAIN, STR("/metrics, /healthz, /readyz\n"));
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct connection *c = handle->data;

    (void)suggested;
    *room = uv_buf_init(c->head + c->length, (unsigned)(sizeof c->head - 1 - c->length));
}

static bool is_whole(const struct connection *c)
{
    return memmem(c->head, c->length, "\r\n\r\n", 4) || memmem(c->head, c->length, "\n\n", 2);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct connection *c = stream->data;

    (void)bytes;
    if (count < 0) {
        if (count == UV_ENOBUFS && !c->answered) {
            send_answer(c, "431 Request Header Fields Too Large", PLAIN, STR("too long\n"));
        } else if (!c->answered) {
            close_connection(c);
        }
        return;
    }
    c->length += (size_t)count;
    c->head[c->length] = '\0';
    if (!c->answered && is_whole(c)) {
        answer(c);
    }
}

/* --- connections -------------------------------------------------------------------------------------- */

static void on_refused(uv_handle_t *handle)
{
    free(handle);
}

static void turn_away(struct metrics_server *s)
{
    uv_tcp_t *tcp = malloc(sizeof *tcp);

    if (!tcp || uv_tcp_init(s->loop, tcp) != 0) {
        free(tcp);
        return;
    }
    (void)uv_accept((uv_stream_t *)&s->listener, (uv_stream_t *)tcp);
    uv_close((uv_handle_t *)tcp, on_refused);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct metrics_server *s = listener->data;
    struct connection *c;
    size_t slot = 0;

    if (status != 0 || s->closing) {
        return;
    }
    while (slot < CONNECTIONS_MAX && s->connections[slot]) {
        slot++;
    }
    c = slot < CONNECTIONS_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        turn_away(s);
        return;
    }
    c->server = s;
    c->handles = 2;
    buf_init(&c->answer, ANSWER_MAX_BYTES + HEAD_MAX_BYTES);
    uv_tcp_init(s->loop, &c->tcp);
    uv_timer_init(s->loop, &c->limit);
    c->tcp.data = c->limit.data = c;
    s->connections[slot] = c;
    s->count++;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
        close_connection(c);
        return;
    }
    uv_timer_start(&c->limit, on_late, WITHIN_MS, 0);
}

/* --- begin and end ------------------------------------------------------------------------------------ */

static enum result no_address(const char *address, struct err *err)
{
    return err_set(
        err, RESULT_INVALID, "E-MET1",
        "\"%.64s\" is no address to serve metrics at; want 127.0.0.1:9464, [::1]:9464, or "
        ":9464 for all addresses",
        address);
}

static enum result read_address(const char *address, struct sockaddr_storage *at, struct err *err)
{
    const char *colon = strrchr(address, ':');
    struct str digits = str_view(colon ? colon + 1 : NULL);
    char host[64];
    uint64_t port;
    size_t len = colon ? (size_t)(colon - address) : 0;

    if (!colon || !str_to_u64(digits, &port) || port > UINT16_MAX || len >= sizeof host) {
        return no_address(address, err);
    }
    if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
        snprintf(host, sizeof host, "%.*s", (int)(len - 2), address + 1);
        return uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)at) == 0
                   ? RESULT_OK
                   : no_address(address, err);
    }
    snprintf(host, sizeof host, "%.*s", (int)len, address);
    return uv_ip4_addr(len ? host : "0.0.0.0", (int)port, (struct sockaddr_in *)at) == 0
               ? RESULT_OK
               : no_address(address, err);
}

enum result metrics_server_check(const char *address, struct err *err)
{
    struct sockaddr_storage at = { .ss_family = 0 };

    return read_address(address, &at, err);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct metrics_server *s = handle->data;

    s->listener_open = false;
    free_if_closed(s);
}

enum result metrics_server_new(struct metrics_server **server, uv_loop_t *loop, const char *address,
                               const struct metrics_calls *calls, void *context, struct err *err)
{
    struct sockaddr_storage at = { .ss_family = 0 };
    struct metrics_server *s;
    enum result result = read_address(address, &at, err);
    int status;

    *server = NULL;
    if (result != RESULT_OK) {
        return result;
    }
    s = calloc(1, sizeof *s);
    if (!s) {
        return err_nomem(err, "serving metrics");
    }
    s->calls = calls;
    s->context = context;
    s->loop = loop;
    uv_tcp_init(loop, &s->listener);
    s->listener.data = s;
    s->listener_open = true;
    status = uv_tcp_bind(&s->listener, (const struct sockaddr *)&at, 0);
    if (status == 0) {
        status = uv_listen((uv_stream_t *)&s->listener, CONNECTIONS_MAX, on_connection);
    }
    if (status != 0) {
        metrics_server_close(s);
        return err_set(err, status == UV_EADDRINUSE ? RESULT_BUSY : RESULT_INVALID, "E-MET1",
                       "cannot serve metrics at %.64s: %s", address, uv_strerror(status));
    }
    *server = s;
    return RESULT_OK;
}

unsigned metrics_server_port(const struct metrics_server *s)
{
    struct sockaddr_storage at = { .ss_family = 0 };
    int len = sizeof at;
    uint16_t port = 0;

    if (uv_tcp_getsockname(&s->listener, (struct sockaddr *)&at, &len) == 0) {
        port = at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                        : ((struct sockaddr_in *)&at)->sin_port;
    }
    return ntohs(port);
}

void metrics_server_close(struct metrics_server *s)
{
    if (!s || s->closing) {
        return;
    }
    s->closing = true;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (s->connections[i]) {
            close_connection(s->connections[i]);
        }
    }
    uv_close((uv_handle_t *)&s->listener, on_listener_closed);
}
