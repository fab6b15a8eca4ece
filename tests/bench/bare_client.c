/*
 * The least that fetches with libcurl on libuv: what scrapetop costs above it is scrapetop's own.
 *
 *   bare_client URL REQUESTS CAP FILE     URL has %d twice: a file's number, and the request's
 *
 * Pooled handles, one multi handle, one file that bodies are appended to. Nothing is checked, counted, kept in a
 * ledger or asked again: a transfer that fails ends the program with 1. Built and run by tests/bench/fetch.py.
 */
#include <curl/curl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define FILES 200
#define DESCRIPTORS 65536
#define NEVER UINT64_MAX

struct transfer {
    CURL *easy;
    char *body;
    size_t len, room;
};

struct watch {
    uv_poll_t poll;
    curl_socket_t fd;
    int events;
};

static struct {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    uint64_t armed_ms, deadline_ms;
    bool kick;
    const char *url;
    int next, done, total;
    FILE *out;
    struct watch *watches[DESCRIPTORS];
} bare = { .armed_ms = NEVER, .deadline_ms = NEVER };

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "bare_client: %s\n", why);
    exit(1);
}

static size_t on_body(char *bytes, size_t one, size_t len, void *context)
{
    struct transfer *t = context;

    (void)one;
    if (t->len + len + 1 > t->room) {
        t->room = (t->len + len + 1) * 2;
        t->body = realloc(t->body, t->room);
        if (!t->body) {
            die("out of memory");
        }
    }
    memcpy(t->body + t->len, bytes, len);
    t->len += len;
    return len;
}

static void begin(struct transfer *t)
{
    char url[512];
    int number = bare.next++;

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(url, sizeof url, bare.url, number % FILES + 1, number);
    t->len = 0;
    curl_easy_setopt(t->easy, CURLOPT_URL, url);
    curl_multi_add_handle(bare.multi, t->easy);
}

static void end(struct transfer *t, CURLcode code)
{
    if (code != CURLE_OK) {
        die(curl_easy_strerror(code));
    }
    curl_multi_remove_handle(bare.multi, t->easy);
    if (fwrite(t->body, 1, t->len, bare.out) != t->len || fputc('\n', bare.out) == EOF) {
        die("cannot write");
    }
    bare.done++;
    if (bare.next < bare.total) {
        begin(t);
    }
}

static void act(curl_socket_t fd, int flags)
{
    CURLMsg *message;
    int running, left;

    curl_multi_socket_action(bare.multi, fd, flags, &running);
    while ((message = curl_multi_info_read(bare.multi, &left))) {
        CURLcode code = message->data.result;
        struct transfer *t;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        end(t, code);
    }
    if (bare.done == bare.total) {
        uv_stop(bare.loop);
    }
}

static void kick(void)
{
    while (bare.kick) {
        bare.kick = false;
        act(CURL_SOCKET_TIMEOUT, 0);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    const struct watch *w = poll->data;

    (void)status;
    act(w->fd, (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                   (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
    kick();
}

/* A socket stays watched while its connection idles. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    struct watch *w = bare.watches[fd];

    (void)easy;
    (void)context;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        return 0;
    }
    if (!w) {
        w = bare.watches[fd] = calloc(1, sizeof *w);
        if (!w) {
            die("out of memory");
        }
        w->fd = fd;
        uv_poll_init(bare.loop, &w->poll, fd);
        w->poll.data = w;
    }
    if (events != w->events) {
        w->events = events;
        uv_poll_start(&w->poll, events, on_ready);
    }
    return 0;
}

static void on_timer(uv_timer_t *timer);

static void arm(void)
{
    uint64_t now_ms = uv_now(bare.loop);

    if (bare.deadline_ms < bare.armed_ms) {
        bare.armed_ms = bare.deadline_ms;
        uv_timer_start(&bare.timer, on_timer,
                       bare.deadline_ms > now_ms ? bare.deadline_ms - now_ms : 1, 0);
    }
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    bare.armed_ms = NEVER;
    if (bare.deadline_ms <= uv_now(bare.loop)) {
        bare.deadline_ms = NEVER;
        act(CURL_SOCKET_TIMEOUT, 0);
        kick();
    } else {
        arm();
    }
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    (void)context;
    if (timeout_ms == 0) {
        bare.kick = true;
        return 0;
    }
    bare.deadline_ms = timeout_ms < 0 ? NEVER : uv_now(bare.loop) + (uint64_t)timeout_ms;
    arm();
    return 0;
}

static void add_transfer(void)
{
    struct transfer *t = calloc(1, sizeof *t);
    CURL *easy = curl_easy_init();

    if (!t || !easy) {
        die("out of memory");
    }
    t->easy = easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    begin(t);
}

int main(int count, char **arguments)
{
    long cap = count == 5 ? strtol(arguments[3], NULL, 10) : 0;
    long total = count == 5 ? strtol(arguments[2], NULL, 10) : 0;

    if (cap <= 0 || cap > 100000 || total <= 0 || total > INT_MAX) {
        die("give URL, REQUESTS, CAP and FILE");
    }
    bare.url = arguments[1];
    bare.total = (int)total;
    bare.out = fopen(arguments[4], "ab");
    bare.loop = uv_default_loop();
    curl_global_init(CURL_GLOBAL_ALL);
    bare.multi = curl_multi_init();
    if (!bare.out || !bare.multi) {
        die("cannot begin");
    }
    uv_timer_init(bare.loop, &bare.timer);
    curl_multi_setopt(bare.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(bare.multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(bare.multi, CURLMOPT_MAXCONNECTS, cap + 16);
    for (int i = 0; i < cap && bare.next < bare.total; i++) {
        add_transfer();
    }
    kick();
    uv_run(bare.loop, UV_RUN_DEFAULT);
    return fclose(bare.out) == 0 ? 0 : 1;
}
