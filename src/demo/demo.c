/*
 * The life of the server: a socket, a thread, a loop.
 *
 * One thread does everything, so nothing is locked. It lets libmicrohttpd wait for sockets through
 * its epoll descriptor and keeps the deadlines of the suspended answers itself, to the microsecond;
 * MHD's own threads would need a second one for the deadlines and a lock between the two.
 */
#include "demo/demo.h"

#include "base/os.h"
#include "demo/exchange.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define CONNECTIONS_MAX 30000U
#define CONNECTION_MEMORY_BYTES ((size_t)24 * 1024) /* the longest head of a request */
#define IDLE_TIMEOUT_S 75U
#define PRODUCTS_USUAL 100000 /* 5000 pages of the usual size */
#define TOKEN_LIFE_US (3600 * US_PER_S)
#define SLACK_MAX_US 10000

struct demo {
    struct server server;
    struct MHD_Daemon *mhd;
    int epoll_fd;  /* MHD's */
    int stop[2];   /* a pipe, with a byte in it when the thread shall end */
    int listen_fd; /* MHD's as soon as it runs, -1 here then */
    uint16_t port;
    pthread_t thread;
};

/* MHD walks all suspended connections at each turn in which one was resumed, which at ten thousand
 * takes a millisecond. So with many of them the answers that fall due within some time, a microsecond
 * for each, are given in one turn. */
static uint64_t slack_us(const struct server *server)
{
    uint64_t us = server->timers.count;

    return us < SLACK_MAX_US ? us : SLACK_MAX_US;
}

/* When the loop should look at its timers; TIME_NEVER when it has none. */
static uint64_t next_turn_us(const struct server *server)
{
    uint64_t next_us = timers_next_us(&server->timers);

    return next_us == TIME_NEVER ? TIME_NEVER : next_us + slack_us(server);
}

/* True when something was resumed, so that MHD has work without any socket saying so. */
static bool fire_timers(struct server *server)
{
    uint64_t turn_us = next_turn_us(server), now_us;
    struct exchange *x;
    bool is_any = false;

    if (turn_us == TIME_NEVER) {
        return false; /* what benchmarks ask: not even the clock is read */
    }
    now_us = clock_now_us(&server->clock);
    while (turn_us <= now_us && (x = timers_pop(&server->timers, now_us))) {
        exchange_on_timer(x);
        is_any = true;
    }
    return is_any;
}

/* How long the loop may sleep: until MHD or the first deadline wants it. */
static struct timespec sleep_time(const struct demo *demo)
{
    const struct server *server = &demo->server;
    uint64_t us = 3600 * US_PER_S, turn_us = next_turn_us(server);
    MHD_UNSIGNED_LONG_LONG mhd_ms;

    if (turn_us != TIME_NEVER) {
        uint64_t now_us = clock_now_us(&server->clock);

        us = turn_us > now_us ? turn_us - now_us : 0;
    }
    if (MHD_get_timeout(demo->mhd, &mhd_ms) == MHD_YES && mhd_ms < us / US_PER_MS) {
        us = mhd_ms * US_PER_MS;
    }
    return (struct timespec){ .tv_sec = (time_t)(us / US_PER_S),
                              .tv_nsec = (long)(us % US_PER_S * 1000) };
}

static void *run(void *context)
{
    struct demo *demo = context;
    struct pollfd wait[2] = {
        { .fd = demo->stop[0], .events = POLLIN },
        { .fd = demo->epoll_fd, .events = POLLIN },
    };

    while (!(wait[0].revents & POLLIN)) {
        struct timespec time = { 0 };

        if (!fire_timers(&demo->server)) {
            time = sleep_time(demo);
        }
        if (os_poll(wait, 2, &time) < 0 && errno != EINTR) {
            break;
        }
        MHD_run(demo->mhd);
    }
    return NULL;
}

static enum result open_socket(struct demo *demo, uint16_t port, struct err *err)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = { htonl(INADDR_LOOPBACK) },
    };
    socklen_t size = sizeof address;
    int one = 1;
    int fd = os_socket(AF_INET, SOCK_STREAM, 0);

    demo->listen_fd = fd;
    if (fd < 0 || os_set_nonblocking(fd) != 0) {
        return err_set_errno(err, errno, "E-DEMO3", "cannot open a socket");
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0) {
        if (errno == EADDRINUSE) {
            return err_set(err, RESULT_BUSY, "E-DEMO3",
                           "port %u is taken; --port 0 picks a free one", (unsigned)port);
        }
        return err_set_errno(err, errno, "E-DEMO3", "cannot listen on 127.0.0.1:%u",
                             (unsigned)port);
    }
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        return err_set_errno(err, errno, "E-DEMO3", "cannot tell the port");
    }
    demo->port = ntohs(address.sin_port);
    return RESULT_OK;
}

static enum result start_mhd(struct demo *demo, struct err *err)
{
    const union MHD_DaemonInfo *info;

    demo->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
                                 NULL, exchange_on_request, &demo->server, MHD_OPTION_LISTEN_SOCKET,
                                 demo->listen_fd, MHD_OPTION_URI_LOG_CALLBACK, exchange_on_target,
                                 &demo->server, MHD_OPTION_NOTIFY_COMPLETED, exchange_on_completed,
                                 &demo->server, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES,
                                 MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_END);
    if (!demo->mhd) {
        return err_set(err, RESULT_IO, "E-DEMO3", "libmicrohttpd does not start");
    }
    demo->listen_fd = -1;
    info = MHD_get_daemon_info(demo->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info) {
        return err_set(err, RESULT_IO, "E-DEMO3", "this libmicrohttpd is built without epoll");
    }
    demo->epoll_fd = info->epoll_fd;
    return RESULT_OK;
}

static enum result set_up_server(struct server *server, const struct demo_options *options,
                                 struct err *err)
{
    server->clock = clock_system(); /* a server lives in real time: it is its own root */
    server->weather = weather_from(options);
    limiter_init(&server->limiter, options->limit, options->limit_burst,
                 clock_now_us(&server->clock));
    server->asked = asked_new();
    if (!server->asked) {
        return err_nomem(err, "starting the demo API");
    }
    server->world = (struct world){
        .seed = options->seed,
        .products = options->products ? options->products : PRODUCTS_USUAL,
        .tokens = { .seed = options->seed,
                    .life_us = options->token_us ? options->token_us : TOKEN_LIFE_US,
                    .uses_max = options->token_uses },
        .asked = server->asked,
        .more = options->more,
        .more_count = options->more_count,
    };
    return access_log_open(&server->log, options->log_path, err);
}

/* Signals are for the program's own threads, so this one is born with all of them blocked. */
static enum result start_thread(struct demo *demo, struct err *err)
{
    sigset_t all, before;
    int errnum;

    if (os_pipe(demo->stop) != 0) {
        return err_set_errno(err, errno, "E-DEMO3", "cannot make a pipe");
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errnum = pthread_create(&demo->thread, NULL, run, demo);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errnum) {
        return err_set_errno(err, errnum, "E-DEMO3", "cannot start a thread");
    }
    return RESULT_OK;
}

static void release(struct demo *demo)
{
    struct server *server = &demo->server;
    struct exchange *x;

    if (demo->mhd) {
        while ((x = timers_pop(&server->timers, TIME_NEVER))) {
            exchange_abandon(x);
        }
        MHD_stop_daemon(demo->mhd);
    }
    if (demo->listen_fd >= 0) {
        close(demo->listen_fd);
    }
    if (demo->stop[0] >= 0) {
        close(demo->stop[0]);
        close(demo->stop[1]);
    }
    timers_release(&server->timers);
    access_log_close(&server->log);
    buf_release(&server->world.kept);
    asked_free(server->asked);
    free(demo);
}

enum result demo_start(struct demo **demo, const struct demo_options *options, struct err *err)
{
    enum result result = weather_check(options, err);
    struct demo *made;

    *demo = NULL;
    if (result != RESULT_OK) {
        return result;
    }
    made = calloc(1, sizeof *made);
    if (!made) {
        return err_nomem(err, "starting the demo API");
    }
    made->listen_fd = made->stop[0] = made->stop[1] = -1;
    result = set_up_server(&made->server, options, err);
    if (result == RESULT_OK) {
        result = open_socket(made, options->port, err);
    }
    if (result == RESULT_OK) {
        made->server.world.port = made->port;
        result = start_mhd(made, err);
    }
    if (result == RESULT_OK) {
        result = start_thread(made, err);
    }
    if (result != RESULT_OK) {
        release(made);
        return result;
    }
    *demo = made;
    return RESULT_OK;
}

uint16_t demo_port(const struct demo *demo)
{
    return demo->port;
}

void demo_stop(struct demo *demo)
{
    if (demo) {
        (void)!write(demo->stop[1], "", 1);
        pthread_join(demo->thread, NULL);
        release(demo);
    }
}
