#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 5
#define IN_MAX 65536
#define CONNECTIONS_MAX 4096

struct connection {
    int fd;
    unsigned number;
    char *in;
    size_t in_len;
    struct server_answer answer;
    size_t sent;
    uint64_t send_at_us;
    bool answering;
};

struct server {
    server_script *script;
    void *context;
    int listen_fd;
    uint16_t port;
    pthread_t thread;
    int wake[2];
    struct connection *connections;
    size_t count;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t idle_closed;
    unsigned accepted, closed;
    struct server_asked *asked;
    unsigned asked_count;
    bool stop, close_idle, released;
};

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static uint64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

static int bound_socket(uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0, "bind");
    must(getsockname(fd, (struct sockaddr *)&address, &len) == 0, "getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

uint16_t server_refusing_port(int *fd)
{
    uint16_t port;

    *fd = bound_socket(&port); /* bound, but nobody listens */
    return port;
}

/* Locked, or nobody else is left. */
static void end_connection(struct server *s, size_t at, bool reset)
{
    struct connection *c = &s->connections[at];

    if (reset) {
        struct linger hard = { .l_onoff = 1, .l_linger = 0 };

        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    close(c->fd);
    free(c->in);
    s->connections[at] = s->connections[--s->count];
    s->closed++;
}

static void accept_all(struct server *s)
{
    int fd, one = 1;

    while (s->count < CONNECTIONS_MAX &&
           (fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_mutex_lock(&s->lock);
        s->connections[s->count++] =
            (struct connection){ .fd = fd, .number = s->accepted++, .in = malloc(IN_MAX) };
        pthread_mutex_unlock(&s->lock);
    }
}

/* Bytes of the first whole request in hand, 0 while it is not whole. */
static size_t request_length(const struct connection *c)
{
    const char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    size_t head, body = 0;
    char *length;

    if (!end) {
        return 0;
    }
    head = (size_t)(end - c->in) + 4;
    length = strcasestr(c->in, "\r\ncontent-length:");
    if (length && length < end) {
        body = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    }
    return c->in_len >= head + body ? head + body : 0;
}

static void take_request(struct server *s, struct connection *c, size_t len)
{
    struct server_asked asked = { now_us(), c->number, malloc(len + 1) };

    memcpy(asked.head, c->in, len);
    asked.head[len] = '\0';
    c->in_len -= len;
    memmove(c->in, c->in + len, c->in_len + 1);
    /* The script first: whoever waits for this request by its count may then change what the script
       reads. Only this thread counts. */
    c->answer = s->script(s->context, &asked, s->asked_count);
    pthread_mutex_lock(&s->lock);
    must(s->asked_count < SERVER_ASKED_MAX, "too many requests");
    s->asked[s->asked_count++] = asked;
    pthread_mutex_unlock(&s->lock);
    c->answering = true;
    c->sent = 0;
    c->send_at_us = c->answer.delay_ms == SERVER_UNTIL_RELEASED
                        ? UINT64_MAX
                        : now_us() + c->answer.delay_ms * UINT64_C(1000);
}

/* False when the client has left. */
static bool receive(struct server *s, struct connection *c)
{
    ssize_t got = recv(c->fd, c->in + c->in_len, IN_MAX - 1 - c->in_len, 0);
    size_t len;

    if (got <= 0) {
        return got < 0 && errno == EAGAIN;
    }
    c->in_len += (size_t)got;
    c->in[c->in_len] = '\0';
    len = c->answering ? 0 : request_length(c);
    if (len) {
        take_request(s, c, len);
    }
    return true;
}

/* False when the connection is over; `*reset` tells how. */
static bool finish_answer(struct connection *c, bool *reset)
{
    switch (c->answer.then) {
    case SERVER_KEEP:
        c->answering = false;
        return true;
    case SERVER_CLOSE:
        return false;
    case SERVER_RESET:
        *reset = true;
        return false;
    case SERVER_DRIP:
        c->sent--;
        c->send_at_us = now_us() + TICK_MS * UINT64_C(1000);
        return true;
    case SERVER_FLOOD:
        c->sent = 0;
        return true;
    case SERVER_HANG:
        break;
    }
    return true;
}

static bool is_due(struct server *s, const struct connection *c)
{
    bool released;

    if (c->send_at_us != UINT64_MAX) {
        return now_us() >= c->send_at_us;
    }
    pthread_mutex_lock(&s->lock);
    released = s->released;
    pthread_mutex_unlock(&s->lock);
    return released;
}

static bool wants_to_send(struct server *s, const struct connection *c)
{
    bool done = c->sent == c->answer.len;

    return c->answering && is_due(s, c) && !(done && c->answer.then == SERVER_HANG);
}

static bool transmit(struct connection *c, bool *reset)
{
    size_t left = c->answer.len - c->sent;
    ssize_t put = left ? send(c->fd, c->answer.bytes + c->sent, left, MSG_NOSIGNAL) : 0;

    if (put < 0) {
        return errno == EAGAIN;
    }
    c->sent += (size_t)put;
    return c->sent == c->answer.len ? finish_answer(c, reset) : true;
}

static bool serve(struct server *s, struct connection *c, short events, bool *reset)
{
    if (events & POLLERR || (events & (POLLIN | POLLHUP) && !receive(s, c))) {
        return false;
    }
    return !wants_to_send(s, c) || transmit(c, reset);
}

static void close_idle(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->close_idle) {
        for (size_t i = s->count; i-- > 0;) {
            if (!s->connections[i].answering) {
                end_connection(s, i, false);
            }
        }
        s->close_idle = false;
        pthread_cond_signal(&s->idle_closed);
    }
    pthread_mutex_unlock(&s->lock);
}

static bool is_stopped(struct server *s)
{
    bool stop;

    pthread_mutex_lock(&s->lock);
    stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static void *run(void *argument)
{
    struct server *s = argument;
    struct pollfd *polls = calloc(CONNECTIONS_MAX + 2, sizeof *polls);

    while (!is_stopped(s)) {
        size_t count = s->count;

        polls[0] = (struct pollfd){ .fd = s->listen_fd, .events = POLLIN };
        polls[1] = (struct pollfd){ .fd = s->wake[0], .events = POLLIN };
        for (size_t i = 0; i < count; i++) {
            polls[i + 2] = (struct pollfd){
                .fd = s->connections[i].fd,
                .events = (short)(POLLIN | (wants_to_send(s, &s->connections[i]) ? POLLOUT : 0))
            };
        }
        poll(polls, count + 2, TICK_MS);
        if (polls[1].revents) {
            char byte;

            must(read(s->wake[0], &byte, 1) == 1, "wake");
        }
        for (size_t i = count; i-- > 0;) {
            bool reset = false;

            if (!serve(s, &s->connections[i], polls[i + 2].revents, &reset)) {
                pthread_mutex_lock(&s->lock);
                end_connection(s, i, reset);
                pthread_mutex_unlock(&s->lock);
            }
        }
        if (polls[0].revents) {
            accept_all(s);
        }
        close_idle(s);
    }
    free(polls);
    return NULL;
}

struct server *server_start(server_script *script, void *context)
{
    struct server *s = calloc(1, sizeof *s);

    must(s != NULL, "calloc");
    s->script = script;
    s->context = context;
    s->asked = calloc(SERVER_ASKED_MAX, sizeof *s->asked);
    s->connections = calloc(CONNECTIONS_MAX, sizeof *s->connections);
    must(s->asked && s->connections && pipe2(s->wake, O_CLOEXEC) == 0, "server_start");
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->idle_closed, NULL);
    s->listen_fd = bound_socket(&s->port);
    must(fcntl(s->listen_fd, F_SETFL, O_NONBLOCK) == 0 && listen(s->listen_fd, 4096) == 0,
         "listen");
    must(pthread_create(&s->thread, NULL, run, s) == 0, "pthread_create");
    return s;
}

static void wake(struct server *s)
{
    must(write(s->wake[1], "", 1) == 1, "wake");
}

void server_release(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->released = true;
    pthread_mutex_unlock(&s->lock);
    wake(s);
}

void server_stop(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    wake(s);
    pthread_join(s->thread, NULL);
    while (s->count) {
        end_connection(s, 0, false);
    }
    for (unsigned i = 0; i < s->asked_count; i++) {
        free(s->asked[i].head);
    }
    close(s->listen_fd);
    close(s->wake[0]);
    close(s->wake[1]);
    pthread_cond_destroy(&s->idle_closed);
    pthread_mutex_destroy(&s->lock);
    free(s->connections);
    free(s->asked);
    free(s);
}

const char *server_url(const struct server *s, const char *path)
{
    static char urls[8][512];
    static unsigned turn;
    char *url = urls[turn++ % 8];

    snprintf(url, sizeof urls[0], "http://127.0.0.1:%u%s", s->port, path);
    return url;
}

unsigned server_connections(struct server *s)
{
    unsigned count;

    pthread_mutex_lock(&s->lock);
    count = s->accepted;
    pthread_mutex_unlock(&s->lock);
    return count;
}

unsigned server_open(struct server *s)
{
    unsigned count;

    pthread_mutex_lock(&s->lock);
    count = s->accepted - s->closed;
    pthread_mutex_unlock(&s->lock);
    return count;
}

unsigned server_count(struct server *s)
{
    unsigned count;

    pthread_mutex_lock(&s->lock);
    count = s->asked_count;
    pthread_mutex_unlock(&s->lock);
    return count;
}

struct server_asked server_asked_at(struct server *s, unsigned n)
{
    struct server_asked asked;

    pthread_mutex_lock(&s->lock);
    must(n < s->asked_count, "server_asked_at");
    asked = s->asked[n];
    pthread_mutex_unlock(&s->lock);
    return asked;
}

void server_close_idle(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->close_idle = true;
    wake(s);
    while (s->close_idle) {
        pthread_cond_wait(&s->idle_closed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}
