#include "control/control_client.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/os.h"
#include "control/control_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)
#define SEND_WITHIN_MS 10000
#define HELLO_WITHIN_MS 5000
#define SSH_HELLO_WITHIN_MS 60000 /* somebody types a password */
#define SSH_ENDS_WITHIN_MS 1000
#define SSH_LOOK_MS 20
#define HOST_MAX 256
#define RUN_MAX 1024

extern char **environ;

/* In /tmp anybody can listen where a run of this user would, if he comes first. */
static bool is_of_this_user(int fd)
{
    uid_t user;

    return os_peer_user(fd, &user) && (user == geteuid() || user == 0);
}

enum result control_client_connect(struct control_client *c, const char *path, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    *c = (struct control_client){ .fd = -1 };
    buf_init(&c->in, CONTROL_LINE_MAX);
    if (strlen(path) >= sizeof address.sun_path) {
        return err_set(err, RESULT_INVALID, "E-CTL6", "%.80s...: the path of a socket is shorter",
                       path);
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    /* A run that is stopped (Ctrl-Z) takes no connection: once its queue is full, connecting would wait for ever. */
    c->fd = os_socket(AF_UNIX, SOCK_STREAM, 0);
    if (c->fd < 0 || os_set_nonblocking(c->fd) != 0) {
        return err_set_errno(err, errno, "E-CTL8", "cannot make a socket");
    }
    if (connect(c->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int errnum = errno;

        control_client_close(c);
        return errnum == ENOENT || errnum == ECONNREFUSED
                   ? err_set(err, RESULT_NOT_FOUND, "E-CTL6", "no live run listens at %s", path)
               : errnum == EAGAIN
                   ? err_set(err, RESULT_IO, "E-CTL8", "the run at %s takes no connections", path)
                   : err_set_errno(err, errnum, "E-CTL8", "cannot connect to %s", path);
    }
    if (!is_of_this_user(c->fd)) {
        control_client_close(c);
        return err_set(err, RESULT_DENIED, "E-CTL8", "another user listens at %s", path);
    }
    return RESULT_OK;
}

/* A word of the other side's shell: ssh joins its arguments with blanks and hands them to one. */
static bool is_plain_word(const char *word)
{
    return word[0] && word[0] != '-' &&
           strspn(word, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789@%+=:,./_-") == strlen(word);
}

/* 0, or an errno. Without `may_ask` what it would write goes nowhere: a screen is in its place. */
static int spawn_ssh(struct control_client *c, int end, char *const *words, bool may_ask)
{
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);

    if (failed != 0) {
        return failed;
    }
    posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, end, STDOUT_FILENO);
    if (!may_ask) {
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    failed = posix_spawnp(&c->ssh, "ssh", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

enum result control_client_ssh(struct control_client *c, const char *host, const char *run,
                               bool may_ask, struct err *err)
{
    char ssh[] = "ssh", no_terminal[] = "-T", end[] = "--", program[] = "scrapetop", ctl[] = "ctl",
         stdio[] = "--stdio", batch[] = "-oBatchMode=yes", soon[] = "-oConnectTimeout=5",
         to[HOST_MAX], which[RUN_MAX];
    char *const asking[] = { ssh, no_terminal, end, to, program, ctl, stdio, end, which, NULL };
    char *const silent[] = { ssh,     no_terminal, batch, soon, end,   to,
                             program, ctl,         stdio, end,  which, NULL };
    int ends[2], failed = EMFILE;

    *c = (struct control_client){ .fd = -1 };
    buf_init(&c->in, CONTROL_LINE_MAX);
    if (!is_plain_word(host) || !is_plain_word(run) || strlen(host) >= sizeof to ||
        strlen(run) >= sizeof which) {
        return err_set(err, RESULT_INVALID, "E-CTL6",
                       "%.80s:%.80s: a host and a run directory on it without blanks or quotes",
                       host, run);
    }
    snprintf(to, sizeof to, "%s", host);
    snprintf(which, sizeof which, "%s", run);
    if (os_socket_pair(ends) == 0) {
        failed = spawn_ssh(c, ends[1], may_ask ? asking : silent, may_ask);
        close(ends[1]);
        c->fd = ends[0];
        (void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
    }
    if (failed != 0) {
        c->ssh = 0;
        control_client_close(c);
        return err_set_errno(err, failed, "E-CTL8", "cannot start ssh");
    }
    return RESULT_OK;
}

/* It ends with its input, unless it is still connecting or asks for a password. */
static void end_ssh(pid_t ssh, bool is_hasty)
{
    if (is_hasty) {
        kill(ssh, SIGTERM);
    }
    for (int i = 0; i < SSH_ENDS_WITHIN_MS / SSH_LOOK_MS; i++) {
        pid_t ended = waitpid(ssh, NULL, WNOHANG);

        if (ended != 0 && (ended > 0 || errno != EINTR)) {
            return;
        }
        poll(NULL, 0, SSH_LOOK_MS);
    }
    kill(ssh, SIGTERM);
    (void)waitpid(ssh, NULL, 0);
}

void control_client_close(struct control_client *c)
{
    if (c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
    if (c->ssh > 0) {
        end_ssh(c->ssh, c->is_hasty);
        c->ssh = 0;
    }
    buf_release(&c->in);
    c->taken = 0;
}

static enum result send_all(struct control_client *c, struct str bytes, struct err *err)
{
    while (bytes.len) {
        ssize_t sent = os_send(c->fd, bytes.data, bytes.len, true);
        struct pollfd room = { .fd = c->fd, .events = POLLOUT };

        if (sent >= 0) {
            bytes.data += sent;
            bytes.len -= (size_t)sent;
        } else if (errno != EAGAIN && errno != EINTR) {
            return err_set_errno(err, errno, "E-CTL8", "cannot send to the run");
        } else if (errno == EAGAIN && poll(&room, 1, c->is_hasty ? 0 : SEND_WITHIN_MS) == 0) {
            return err_set(err, RESULT_IO, "E-CTL8", "the run takes no requests");
        }
    }
    return RESULT_OK;
}

/* In one write: a server that answers a line at once and closes has then read all of it. */
enum result control_client_send(struct control_client *c, struct str line, struct err *err)
{
    struct buf whole = { 0 };
    enum result result = RESULT_NOMEM;

    if (buf_append_str(&whole, line) == RESULT_OK && buf_append_char(&whole, '\n') == RESULT_OK) {
        result = send_all(c, buf_view(&whole), err);
    } else {
        err_nomem(err, "asking the run");
    }
    buf_release(&whole);
    return result;
}

static void forget_taken(struct control_client *c)
{
    if (c->taken) {
        memmove(c->in.data, c->in.data + c->taken, c->in.len - c->taken);
        c->in.len -= c->taken;
        c->taken = 0;
    }
}

enum result control_client_read(struct control_client *c, int timeout_ms, struct err *err)
{
    struct pollfd wait = { .fd = c->fd, .events = POLLIN };
    ssize_t count;
    int ready;

    forget_taken(c);
    do {
        ready = poll(&wait, 1, timeout_ms);
    } while (ready < 0 && errno == EINTR && timeout_ms < 0);
    if (ready <= 0) {
        return RESULT_CANCELLED;
    }
    if (buf_reserve(&c->in, READ_BYTES) != RESULT_OK) {
        return err_set(err, RESULT_IO, "E-CTL8", "the other side sends a line without end");
    }
    count = read(c->fd, c->in.data + c->in.len, READ_BYTES);
    if (count > 0) {
        c->in.len += (size_t)count;
        return RESULT_OK;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return RESULT_CANCELLED;
    }
    return err_set(err, RESULT_NOT_FOUND, "E-CTL6", "the run has gone");
}

bool control_client_line(struct control_client *c, struct str *line)
{
    while (c->taken < c->in.len) {
        const char *from = c->in.data + c->taken, *end = memchr(from, '\n', c->in.len - c->taken);

        if (!end) {
            return false;
        }
        *line = str_trim((struct str){ from, (size_t)(end - from) });
        c->taken += (size_t)(end - from) + 1;
        if (line->len && json_check(*line, JSON_DEPTH_MAX, NULL)) {
            return true; /* what a login shell prints before is no JSON, and is skipped */
        }
    }
    return false;
}

/* "jo@pts/3": who it is that steers, for the run's events. */
static void who_am_i(char *name, size_t size)
{
    char room[1024], tty[64] = "";
    struct passwd entry, *found = NULL;

    (void)getpwuid_r(getuid(), &entry, room, sizeof room, &found);
    if (ttyname_r(STDIN_FILENO, tty, sizeof tty) != 0) {
        tty[0] = '\0';
    }
    snprintf(name, size, "%s%s%s", found ? found->pw_name : "", tty[0] ? "@" : "",
             strncmp(tty, "/dev/", 5) == 0 ? tty + 5 : tty);
}

enum result control_client_is_greeted(struct str line, struct err *err)
{
    struct str value, code;
    bool is_version;

    if (json_find(line, STR("/hello"), &value)) {
        return RESULT_OK;
    }
    if (!json_find(line, STR("/reply"), &value)) {
        return RESULT_CANCELLED;
    }
    is_version =
        json_find(line, STR("/error"), &code) && str_equal(json_string_raw(code), STR("E-CTL3"));
    return err_set(err, is_version ? RESULT_INVALID : RESULT_IO, is_version ? "E-CTL3" : "E-CTL8",
                   "the run refuses: %.*s", STR_ARG(json_string_raw(value)));
}

static enum result read_hello(struct control_client *c, struct str *answer, struct err *err)
{
    for (;;) {
        enum result result;

        if (control_client_line(c, answer)) {
            result = control_client_is_greeted(*answer, err);
            if (result != RESULT_CANCELLED) {
                return result;
            }
            continue;
        }
        result = control_client_read(c, c->ssh ? SSH_HELLO_WITHIN_MS : HELLO_WITHIN_MS, err);
        if (result == RESULT_CANCELLED) {
            return err_set(err, RESULT_IO, "E-CTL8", "the run does not answer");
        }
        if (result != RESULT_OK) {
            return result;
        }
    }
}

enum result control_client_say_hello(struct control_client *c, const struct control_hello *hello,
                                     struct err *err)
{
    struct buf line = { 0 };
    enum result result;
    char name[128];

    who_am_i(name, sizeof name);
    result = buf_printf(&line,
                        "{\"hello\":1,\"as\":\"%s\",\"frames\":\"%s\",\"every_ms\":%u,"
                        "\"events\":%s,\"name\":",
                        hello->is_viewer ? "viewer" : "driver", hello->frames, hello->every_ms,
                        hello->wants_events ? "true" : "false");
    if (result == RESULT_OK) {
        result = json_text_append(&line, str_view(name));
    }
    if (result == RESULT_OK) {
        result = buf_append_char(&line, '}');
    }
    result = result == RESULT_OK ? control_client_send(c, buf_view(&line), err)
                                 : err_nomem(err, "saying hello");
    buf_release(&line);
    return result;
}

enum result control_client_hello(struct control_client *c, const struct control_hello *hello,
                                 struct str *answer, struct err *err)
{
    enum result result = control_client_say_hello(c, hello, err);

    return result == RESULT_OK ? read_hello(c, answer, err) : result;
}
