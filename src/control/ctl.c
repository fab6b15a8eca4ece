#include "control/ctl.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/say.h"
#include "control/snapshot_json.h"
#include "control/socket_place.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPLY_WITHIN_MS 10000
#define SNAPSHOT_WITHIN_MS 2000
#define FRAME_MS 1000
#define PIPE_BYTES 16384

enum result ctl_connect(struct control_client *c, const char *word, bool may_ask, struct err *err)
{
    const char *colon = strchr(word, ':');
    char path[SOCKET_PATH_MAX], host[256];
    struct stat at;
    enum result result;

    if (colon && colon > word && (size_t)(colon - word) < sizeof host && stat(word, &at) != 0) {
        snprintf(host, sizeof host, "%.*s", (int)(colon - word), word);
        return control_client_ssh(c, host, colon + 1, may_ask, err);
    }
    *c = (struct control_client){ .fd = -1 };
    result = socket_place_find(word, path, err);
    return result == RESULT_OK ? control_client_connect(c, path, err) : result;
}

/* A killed run leaves its control file, and another run may have its process number by now. */
static bool is_other_run(const char *word, struct str answer)
{
    struct stat asked, live;
    struct buf text = { 0 };
    struct str run;
    const char *path = NULL;
    bool is_other;

    if (json_find(answer, STR("/run"), &run) &&
        json_unescape(&text, json_string_raw(run), NULL) == RESULT_OK && text.len) {
        path = buf_cstr(&text);
    }
    is_other = path && stat(word, &asked) == 0 && S_ISDIR(asked.st_mode) &&
               stat(path, &live) == 0 &&
               (asked.st_dev != live.st_dev || asked.st_ino != live.st_ino);
    buf_release(&text);
    return is_other;
}

enum result ctl_is_greeted(const char *word, struct str line, struct err *err)
{
    enum result result = control_client_is_greeted(line, err);

    return result == RESULT_OK && is_other_run(word, line)
               ? err_set(err, RESULT_NOT_FOUND, "E-CTL6", "no run is live in %s", word)
               : result;
}

enum result ctl_greet(struct control_client *c, const char *word, const struct control_hello *hello,
                      struct err *err)
{
    struct str answer;
    enum result result = ctl_connect(c, word, true, err);

    if (result == RESULT_OK) {
        result = control_client_hello(c, hello, &answer, err);
    }
    return result == RESULT_OK ? ctl_is_greeted(word, answer, err) : result;
}

/* The next line, waiting for it. */
static enum result next_line(struct control_client *c, int timeout_ms, struct str *line,
                             struct err *err)
{
    while (!control_client_line(c, line)) {
        enum result result = control_client_read(c, timeout_ms, err);

        if (result == RESULT_CANCELLED) {
            return err_set(err, RESULT_IO, "E-CTL8", "the run does not answer");
        }
        if (result != RESULT_OK) {
            return result;
        }
    }
    return RESULT_OK;
}

/* A text member, plain; empty without one. */
static const char *text_of(struct str line, struct str pointer, struct buf *room)
{
    struct str value;

    buf_reset(room);
    if (json_find(line, pointer, &value) &&
        json_unescape(room, json_string_raw(value), NULL) != RESULT_OK) {
        buf_reset(room);
    }
    return room->len ? buf_cstr(room) : "";
}

static enum result tell_reply(struct str line, struct err *err)
{
    struct buf reply = { 0 }, code = { 0 };
    const char *said = text_of(line, STR("/reply"), &reply);
    const char *error = text_of(line, STR("/error"), &code);
    enum result result = RESULT_OK;
    struct str ok;

    if (json_find(line, STR("/ok"), &ok) && str_equal(str_trim(ok), STR("true"))) {
        struct str rest = str_view(said);

        while (rest.len) {
            struct str one = str_cut(&rest, '\n');

            say(stdout, "%.*s", STR_ARG(one));
        }
    } else {
        result = err_set(err, RESULT_INVALID, error ? error : "", "%s", said ? said : "");
    }
    buf_release(&reply);
    buf_release(&code);
    return result;
}

enum result ctl_say(const char *word, struct str words, struct err *err)
{
    struct buf request = { 0 };
    struct control_client c;
    struct str line, seq;
    const struct control_hello hello = { "none", FRAME_MS, .is_viewer = false };
    enum result result = ctl_greet(&c, word, &hello, err);

    if (result == RESULT_OK && (buf_append_str(&request, STR("{\"seq\":1,\"do\":")) != RESULT_OK ||
                                json_text_append(&request, words) != RESULT_OK ||
                                buf_append_char(&request, '}') != RESULT_OK)) {
        result = err_nomem(err, "asking the run");
    }
    if (result == RESULT_OK) {
        result = control_client_send(&c, buf_view(&request), err);
    }
    while (result == RESULT_OK) {
        result = next_line(&c, REPLY_WITHIN_MS, &line, err);
        if (result == RESULT_OK && json_find(line, STR("/seq"), &seq)) {
            result = tell_reply(line, err);
            break;
        }
    }
    buf_release(&request);
    control_client_close(&c);
    return result;
}

enum result ctl_snapshot(const char *word, struct buf *json, struct snapshot *s, struct err *err)
{
    struct control_client c;
    struct str line, snapshot;
    const struct control_hello hello = { "snapshot", FRAME_MS, .is_viewer = true };
    enum result result = ctl_greet(&c, word, &hello, err);

    while (result == RESULT_OK) {
        result = next_line(&c, SNAPSHOT_WITHIN_MS, &line, err);
        if (result == RESULT_OK && json_find(line, STR("/snapshot"), &snapshot)) {
            snapshot_json_read_all(snapshot, s);
            result = buf_append_str(json, str_trim(snapshot));
            break;
        }
    }
    control_client_close(&c);
    return result;
}

enum result ctl_report(const char *word, struct buf *json, struct err *err)
{
    struct control_client c;
    struct str line, report;
    const struct control_hello hello = { "none", FRAME_MS, .is_viewer = true };
    enum result result = ctl_greet(&c, word, &hello, err);

    if (result == RESULT_OK) {
        result = control_client_send(&c, STR("{\"seq\":1,\"report\":true}"), err);
    }
    while (result == RESULT_OK) {
        result = next_line(&c, SNAPSHOT_WITHIN_MS, &line, err);
        if (result == RESULT_OK && json_find(line, STR("/report"), &report)) {
            result = buf_append_str(json, str_trim(report));
            break;
        }
    }
    control_client_close(&c);
    return result;
}

enum result ctl_look(const char *word, struct err *err)
{
    struct snapshot *s = malloc(sizeof *s);
    struct buf json = { 0 };
    enum result result = s ? ctl_snapshot(word, &json, s, err) : err_nomem(err, "asking the run");

    if (result == RESULT_OK) {
        say_json(stdout, buf_view(&json));
        fputc('\n', stdout);
    }
    buf_release(&json);
    free(s);
    return result;
}

static bool read_exit(struct str line, int *exit)
{
    struct str value;
    uint64_t number;

    if (!json_find(line, STR("/end/exit"), &value) || !str_to_u64(str_trim(value), &number) ||
        number > 255) {
        return false;
    }
    *exit = (int)number;
    return true;
}

enum result ctl_follow(const char *word, enum ctl_follow what, int *exit, struct err *err)
{
    static const char *const members[] = {
        [CTL_FOLLOW_TOTALS] = "/totals",
        [CTL_FOLLOW_SNAPSHOT] = "/snapshot",
        [CTL_FOLLOW_EVENTS] = "/event",
    };
    struct control_client c;
    const struct control_hello hello = {
        .frames = what == CTL_FOLLOW_TOTALS     ? "totals"
                  : what == CTL_FOLLOW_SNAPSHOT ? "snapshot"
                                                : "none",
        .every_ms = FRAME_MS,
        .is_viewer = true,
        .wants_events = what == CTL_FOLLOW_EVENTS,
    };
    enum result result = ctl_greet(&c, word, &hello, err);

    while (result == RESULT_OK && !ferror(stdout)) {
        struct str line, value;

        result = next_line(&c, -1, &line, err);
        if (result != RESULT_OK || read_exit(line, exit)) {
            break;
        }
        if (json_find(line, str_view(members[what]), &value)) {
            say_json(stdout, str_trim(value));
            fputc('\n', stdout);
            fflush(stdout);
        }
    }
    control_client_close(&c);
    return result;
}

/* Copies what there is. False: that side has ended. */
static bool carry(int from, int to)
{
    char bytes[PIPE_BYTES];
    ssize_t count = read(from, bytes, sizeof bytes), sent = 0;

    if (count < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    while (sent < count) {
        struct pollfd room = { .fd = to, .events = POLLOUT };
        ssize_t now = write(to, bytes + sent, (size_t)(count - sent));

        if (now > 0) {
            sent += now;
        } else if (errno != EAGAIN && errno != EINTR) {
            return false;
        } else if (poll(&room, 1, -1) < 0 && errno != EINTR) {
            return false;
        }
    }
    return count > 0;
}

enum result ctl_pipe(const char *word, struct err *err)
{
    struct control_client c;
    enum result result = ctl_connect(&c, word, true, err);
    struct pollfd ends[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                             { .fd = c.fd, .events = POLLIN } };
    bool goes_on = result == RESULT_OK;

    while (goes_on) {
        int ready = poll(ends, 2, ends[0].fd < 0 ? REPLY_WITHIN_MS : -1);

        if (ready == 0 || (ready < 0 && errno != EINTR)) {
            break;
        }
        if (ready > 0 && ends[1].revents) {
            goes_on = carry(c.fd, STDOUT_FILENO);
        }
        if (ready > 0 && goes_on && ends[0].revents && !carry(STDIN_FILENO, c.fd)) {
            ends[0].fd = -1; /* poll looks at it no more */
            (void)shutdown(c.fd, SHUT_WR);
        }
    }
    control_client_close(&c);
    return result;
}
