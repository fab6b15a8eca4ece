#include "control/control_server.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/os.h"
#include "control/control_client.h"
#include "control/snapshot_json.h"
#include "control/socket_place.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES (64 * 1024)
#define OUT_MAX_BYTES (1024 * 1024)
#define HELLO_WITHIN_US UINT64_C(2000000)
#define STUCK_AFTER_US UINT64_C(30000000)
#define END_WITHIN_MS 1000
#define TICK_MS 50
#define EVERY_MS 250
#define EVERY_MS_LEAST 100
#define EVERY_MS_MOST 60000
#define REQUESTS_PER_S 50
#define REFUSALS_PER_S 1000 /* then it is closed: each costs the loop a write */
#define DEPTH_MAX 16
#define REPLY_MAX_BYTES (64 * 1024)
#define SEQ_MAX_BYTES 64
#define READ_BYTES (16 * 1024)
#define QUEUE_MAX 64 /* of clients that come within one turn of the loop: they do not wait */

enum frames { FRAMES_NONE, FRAMES_TOTALS, FRAMES_SNAPSHOT };

struct client {
    struct control_server *server;
    uv_pipe_t pipe;
    bool open, said_hello, closing, ending;
    bool is_viewer, wants_events;
    enum frames frames;
    uint64_t every_us, next_us; /* of frames */
    uint64_t since_us;          /* connected */
    uint64_t detail;            /* request id; 0: none */
    struct buf in;
    size_t queued;      /* bytes that it has not read */
    uint64_t read_us;   /* when it last read some, or had read all */
    uint64_t second_us; /* of which `requests` is the count */
    unsigned requests;
    char who[CONTROL_WHO_MAX];
};

struct control_server {
    struct control_server_options options;
    uv_pipe_t listener;
    uv_timer_t tick;
    uint64_t now_us;
    struct client *clients[CONTROL_CLIENTS_MAX];
    struct snapshot *snapshot;
    struct buf frame, reply, texts, event; /* an event comes while a request is read in `texts` */
    char bytes[READ_BYTES];
    char path[SOCKET_PATH_MAX];
    char run[4096];
    bool closing, told_end;
    unsigned handles; /* open, of the server itself */
    uint64_t close_by_us;
    void (*closed)(void *context);
};

struct outgoing {
    uv_write_t request;
    struct client *client;
    size_t len;
    char bytes[];
};

static void finish(struct control_server *s);

/* --- clients ------------------------------------------------------------------------------------------ */

unsigned control_server_watchers(const struct control_server *s)
{
    unsigned count = 0;

    for (size_t i = 0; s && i < CONTROL_CLIENTS_MAX; i++) {
        const struct client *c = s->clients[i];

        count += c && c->said_hello && !c->closing && c->frames == FRAMES_SNAPSHOT;
    }
    return count;
}

static void tell_watched(struct control_server *s)
{
    unsigned drivers = 0;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        const struct client *c = s->clients[i];

        drivers +=
            c && c->said_hello && !c->closing && !c->is_viewer && c->frames == FRAMES_SNAPSHOT;
    }
    if (!s->closing) {
        s->options.calls->watched(s->options.context, drivers);
    }
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *c = handle->data;
    struct control_server *s = c->server;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (s->clients[i] == c) {
            s->clients[i] = NULL;
        }
    }
    buf_release(&c->in);
    free(c);
    finish(s);
}

static void close_client(struct client *c)
{
    if (c->closing) {
        return;
    }
    c->closing = true;
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
    tell_watched(c->server);
}

static void on_written(uv_write_t *request, int status)
{
    struct outgoing *out = request->data;
    struct client *c = out->client;

    c->queued -= out->len;
    c->read_us = c->server->now_us;
    free(out);
    if (status != 0 || (c->ending && !c->queued)) {
        close_client(c);
    }
}

/* False when it does not take it: the client reads too slowly, or there is no memory. */
static bool send_bytes(struct client *c, struct str bytes)
{
    struct outgoing *out;
    uv_buf_t part;

    if (c->closing || c->queued + bytes.len > OUT_MAX_BYTES) {
        return false;
    }
    out = malloc(sizeof *out + bytes.len);
    if (!out) {
        return false;
    }
    out->client = c;
    out->len = bytes.len;
    out->request.data = out;
    memcpy(out->bytes, bytes.data, bytes.len);
    part = uv_buf_init(out->bytes, (unsigned)bytes.len);
    if (uv_write(&out->request, (uv_stream_t *)&c->pipe, &part, 1, on_written) != 0) {
        free(out);
        return false;
    }
    if (!c->queued) {
        c->read_us = c->server->now_us;
    }
    c->queued += bytes.len;
    return true;
}

/* An answer that cannot be sent would leave the client waiting for ever. */
static void send_reply(struct client *c)
{
    if (buf_append_char(&c->server->reply, '\n') != RESULT_OK ||
        !send_bytes(c, buf_view(&c->server->reply))) {
        close_client(c);
    }
}

/* --- answers ------------------------------------------------------------------------------------------ */

/* `{"seq":7,"ok":true` of a request; `seq` is STR_NONE for one without. */
static bool begin_reply(struct control_server *s, struct str seq, bool ok)
{
    buf_reset(&s->reply);
    return buf_append_char(&s->reply, '{') == RESULT_OK &&
           (!seq.len || buf_printf(&s->reply, "\"seq\":%.*s,", STR_ARG(seq)) == RESULT_OK) &&
           buf_append_str(&s->reply, ok ? STR("\"ok\":true") : STR("\"ok\":false")) == RESULT_OK;
}

static bool put_text(struct buf *to, const char *name, struct str text)
{
    return buf_printf(to, ",\"%s\":", name) == RESULT_OK &&
           json_text_append_shown(to, text) == RESULT_OK;
}

static void refuse(struct client *c, struct str seq, const char *code, struct str why)
{
    struct control_server *s = c->server;

    if (begin_reply(s, seq, false) && put_text(&s->reply, "error", str_view(code)) &&
        put_text(&s->reply, "reply", why) && buf_append_char(&s->reply, '}') == RESULT_OK) {
        send_reply(c);
    } else {
        close_client(c);
    }
}

static void close_with(struct client *c, const char *code, struct str why)
{
    c->ending = true;
    refuse(c, STR_NONE, code, why);
}

/* A member that is a text, plain, in the server's room for texts; STR_NONE without one. */
static struct str text_member(struct control_server *s, struct str object, struct str pointer)
{
    struct str value;

    buf_reset(&s->texts);
    if (!json_find(object, pointer, &value) || json_type_of(value) != JSON_STRING ||
        json_unescape(&s->texts, json_string_raw(value), NULL) != RESULT_OK) {
        return STR_NONE;
    }
    return buf_view(&s->texts);
}

static bool number_member(struct str object, struct str pointer, uint64_t *number)
{
    struct str value;

    return json_find(object, pointer, &value) && str_to_u64(str_trim(value), number);
}

static bool truth_member(struct str object, struct str pointer)
{
    struct str value;

    return json_find(object, pointer, &value) && str_equal(str_trim(value), STR("true"));
}

/* As it came, for its answer; nothing long, nothing that is no number or text. */
static struct str seq_of(struct str object)
{
    struct str value;

    if (!json_find(object, STR("/seq"), &value)) {
        return STR_NONE;
    }
    value = str_trim(value);
    return value.len <= SEQ_MAX_BYTES &&
                   (json_type_of(value) == JSON_NUMBER || json_type_of(value) == JSON_STRING)
               ? value
               : STR_NONE;
}

/* --- hello -------------------------------------------------------------------------------------------- */

static void read_hello(struct client *c, struct str line)
{
    struct control_server *s = c->server;
    struct str word = text_member(s, line, STR("/as"));
    uint64_t every_ms = EVERY_MS;

    c->is_viewer = str_equal(word, STR("viewer"));
    word = text_member(s, line, STR("/frames"));
    c->frames = str_equal(word, STR("snapshot")) ? FRAMES_SNAPSHOT
                : str_equal(word, STR("totals")) ? FRAMES_TOTALS
                                                 : FRAMES_NONE;
    if (number_member(line, STR("/every_ms"), &every_ms)) {
        every_ms = every_ms < EVERY_MS_LEAST  ? EVERY_MS_LEAST
                   : every_ms > EVERY_MS_MOST ? EVERY_MS_MOST
                                              : every_ms;
    }
    c->every_us = every_ms * 1000;
    c->next_us = s->now_us;
    c->wants_events = truth_member(line, STR("/events"));
    word = text_member(s, line, STR("/name"));
    snprintf(c->who, sizeof c->who, "%.*s", STR_ARG(word));
}

static void answer_hello(struct client *c)
{
    struct control_server *s = c->server;

    buf_reset(&s->reply);
    if (buf_printf(&s->reply, "{\"hello\":1,\"scrapetop\":\"" SCRAPETOP_VERSION "\",\"pid\":%ld",
                   (long)getpid()) == RESULT_OK &&
        put_text(&s->reply, "run", str_view(s->run)) &&
        put_text(&s->reply, "job", str_view(s->options.job)) &&
        put_text(&s->reply, "as", c->is_viewer ? STR("viewer") : STR("driver")) &&
        buf_append_char(&s->reply, '}') == RESULT_OK) {
        send_reply(c);
    } else {
        close_client(c);
    }
}

static void greet(struct client *c, struct str line)
{
    uint64_t version;

    if (!number_member(line, STR("/hello"), &version)) {
        close_with(c, "E-CTL1", STR("say hello first: {\"hello\":1}"));
        return;
    }
    if (version != 1) {
        close_with(
            c, "E-CTL3",
            STR("this run speaks version 1 of the control protocol (scrapetop " SCRAPETOP_VERSION
                ")"));
        return;
    }
    read_hello(c, line);
    c->said_hello = true;
    answer_hello(c);
    tell_watched(c->server);
}

/* --- requests ----------------------------------------------------------------------------------------- */

static void obey(struct client *c, struct str seq, struct str words)
{
    struct control_server *s = c->server;
    struct buf said = { .max = REPLY_MAX_BYTES };
    bool ok;

    if (c->is_viewer) {
        refuse(c, seq, "E-CTL2", STR("this client may only look"));
        return;
    }
    ok = s->options.calls->obey(s->options.context, words, c->who, &said);
    if (c->closing) { /* the words ended the run */
        buf_release(&said);
        return;
    }
    if (begin_reply(s, seq, ok) && (ok || put_text(&s->reply, "error", STR("E-CTL1"))) &&
        put_text(&s->reply, "reply", str_trim(buf_view(&said))) &&
        buf_append_char(&s->reply, '}') == RESULT_OK) {
        send_reply(c);
    } else {
        close_client(c);
    }
    buf_release(&said);
}

static void answer_report(struct client *c, struct str seq)
{
    struct control_server *s = c->server;
    struct buf report = { .max = OUT_MAX_BYTES / 2 };

    s->options.calls->report(s->options.context, &report);
    if (report.len && begin_reply(s, seq, true) &&
        buf_printf(&s->reply, ",\"report\":%.*s}", STR_ARG(str_trim(buf_view(&report)))) ==
            RESULT_OK) {
        send_reply(c);
    } else {
        refuse(c, seq, "E-CTL1", STR("there is no report now"));
    }
    buf_release(&report);
}

static bool is_flood(struct client *c)
{
    struct control_server *s = c->server;

    if (s->now_us - c->second_us >= US_PER_S) {
        c->second_us = s->now_us;
        c->requests = 0;
    }
    c->requests++;
    return c->requests > REQUESTS_PER_S;
}

static void answer(struct client *c, struct str line)
{
    struct control_server *s = c->server;
    struct str seq = seq_of(line), text;
    bool done = false;

    if (is_flood(c) && c->requests > REFUSALS_PER_S) {
        close_with(c, "E-CTL4", STR("far more than 50 requests in a second"));
        return;
    }
    if (c->requests > REQUESTS_PER_S) {
        refuse(c, seq, "E-CTL4", STR("more than 50 requests in a second"));
        return;
    }
    text = text_member(s, line, STR("/do"));
    if (text.data) {
        obey(c, seq, text);
        return;
    }
    text = text_member(s, line, STR("/detail"));
    if (text.data) {
        uint64_t id = 0;

        c->detail = str_to_u64(text, &id) ? id : 0;
        c->next_us = s->now_us;
        done = true;
    }
    if (done && begin_reply(s, seq, true) && buf_append_char(&s->reply, '}') == RESULT_OK) {
        send_reply(c);
    } else if (truth_member(line, STR("/report"))) {
        answer_report(c, seq);
    } else {
        refuse(c, seq, "E-CTL1", STR("a request has \"do\", \"detail\" or \"report\""));
    }
}

static void take_line(struct client *c, struct str line)
{
    line = str_trim(line);
    if (!line.len) {
        return;
    }
    if (!json_check(line, DEPTH_MAX, NULL) || json_type_of(line) != JSON_OBJECT) {
        close_with(c, "E-CTL7", STR("a line must be one JSON object"));
    } else if (!c->said_hello) {
        greet(c, line);
    } else {
        answer(c, line);
    }
}

static void take_lines(struct client *c)
{
    struct str rest = buf_view(&c->in);
    size_t used = 0;
    const char *end;

    while (!c->closing && !c->ending && rest.len && (end = memchr(rest.data, '\n', rest.len))) {
        size_t len = (size_t)(end - rest.data);

        take_line(c, (struct str){ rest.data, len });
        rest.data += len + 1;
        rest.len -= len + 1;
        used += len + 1;
    }
    memmove(c->in.data, c->in.data + used, c->in.len - used);
    c->in.len -= used;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct client *c = handle->data;

    (void)suggested;
    *room = uv_buf_init(c->server->bytes, sizeof c->server->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct client *c = stream->data;

    c->server->now_us = clock_now_us(&c->server->options.clock);
    if (count < 0) {
        close_client(c);
        return;
    }
    if (c->closing || c->ending || count == 0) {
        return;
    }
    if (buf_append(&c->in, bytes->base, (size_t)count) != RESULT_OK) {
        take_lines(c);
        if (!c->closing && !c->ending &&
            buf_append(&c->in, bytes->base, (size_t)count) != RESULT_OK) {
            close_with(c, "E-CTL7", STR("a line is too long"));
        }
        return;
    }
    take_lines(c);
}

/* --- frames ------------------------------------------------------------------------------------------- */

static bool make_frame(struct control_server *s, enum frames frames)
{
    const struct field_group *group = frames == FRAMES_SNAPSHOT ? &snapshot_fields : &totals_fields;

    buf_reset(&s->frame);
    return buf_append_str(&s->frame, frames == FRAMES_SNAPSHOT
                                         ? STR("{\"snapshot\":")
                                         : STR("{\"totals\":")) == RESULT_OK &&
           snapshot_json_write(&s->frame, group, s->snapshot) == RESULT_OK &&
           buf_append_str(&s->frame, STR("}\n")) == RESULT_OK;
}

static bool is_due(const struct client *c, uint64_t now_us)
{
    return c && c->said_hello && !c->closing && !c->ending && c->frames != FRAMES_NONE &&
           c->next_us <= now_us;
}

/* Frames of one kind to all that are due; who has not read the last one gets none. */
static void send_frames(struct control_server *s, enum frames frames)
{
    bool made = false;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct client *c = s->clients[i];

        if (!is_due(c, s->now_us) || c->frames != frames) {
            continue;
        }
        c->next_us = s->now_us + c->every_us;
        if (c->queued) {
            continue;
        }
        if (c->detail && frames == FRAMES_SNAPSHOT) {
            memset(&s->snapshot->detail, 0, sizeof s->snapshot->detail);
            s->options.calls->detail(s->options.context, c->detail, &s->snapshot->detail);
            made = false;
        }
        made = made || make_frame(s, frames);
        if (made) {
            (void)send_bytes(c, buf_view(&s->frame));
        }
        made = made && !c->detail; /* a detail is one client's alone */
        memset(&s->snapshot->detail, 0, sizeof s->snapshot->detail);
    }
}

static bool look_if_due(struct control_server *s)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (is_due(s->clients[i], s->now_us)) {
            s->options.calls->look(s->options.context, s->snapshot);
            memset(&s->snapshot->detail, 0, sizeof s->snapshot->detail);
            return true;
        }
    }
    return false;
}

static void close_late_ones(struct control_server *s)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct client *c = s->clients[i];

        if (c && !c->closing &&
            ((!c->said_hello && s->now_us - c->since_us > HELLO_WITHIN_US) ||
             (c->queued && s->now_us - c->read_us > STUCK_AFTER_US) ||
             (s->closing && (!c->queued || s->now_us >= s->close_by_us)))) {
            close_client(c);
        }
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct control_server *s = timer->data;
    bool any = false;

    s->now_us = clock_now_us(&s->options.clock);
    close_late_ones(s);
    if (!s->closing && look_if_due(s)) {
        send_frames(s, FRAMES_TOTALS);
        send_frames(s, FRAMES_SNAPSHOT);
    }
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        any |= s->clients[i] != NULL;
    }
    if (!any && !s->closing) {
        uv_timer_stop(timer); /* the next client starts it again */
    }
}

void control_server_event(struct control_server *s, struct str line)
{
    for (size_t i = 0; s && i < CONTROL_CLIENTS_MAX; i++) {
        struct client *c = s->clients[i];

        if (!c || !c->wants_events || c->closing || c->ending) {
            continue;
        }
        buf_reset(&s->event);
        if (buf_printf(&s->event, "{\"event\":%.*s}\n", STR_ARG(str_trim(line))) == RESULT_OK) {
            (void)send_bytes(c, buf_view(&s->event));
        }
    }
}

/* --- connections -------------------------------------------------------------------------------------- */

static bool is_of_this_user(const uv_pipe_t *pipe)
{
    uid_t user;
    int fd;

    return uv_fileno((const uv_handle_t *)pipe, &fd) == 0 && os_peer_user(fd, &user) &&
           (user == geteuid() || user == 0);
}

static size_t free_slot(const struct control_server *s)
{
    size_t i = 0;

    while (i < CONTROL_CLIENTS_MAX && s->clients[i]) {
        i++;
    }
    return i;
}

static void on_refused(uv_handle_t *handle)
{
    free(handle);
}

/* One more than there may be: taken and closed, so that it does not wait. */
static void turn_away(struct control_server *s)
{
    uv_pipe_t *pipe = malloc(sizeof *pipe);

    if (!pipe || uv_pipe_init(s->options.loop, pipe, 0) != 0) {
        free(pipe);
        return;
    }
    (void)uv_accept((uv_stream_t *)&s->listener, (uv_stream_t *)pipe);
    uv_close((uv_handle_t *)pipe, on_refused);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct control_server *s = listener->data;
    size_t slot = free_slot(s);
    struct client *c;

    if (status != 0 || s->closing) {
        return;
    }
    s->now_us = clock_now_us(&s->options.clock);
    c = slot < CONTROL_CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c || uv_pipe_init(s->options.loop, &c->pipe, 0) != 0) {
        free(c);
        turn_away(s);
        return;
    }
    c->server = s;
    c->pipe.data = c;
    c->since_us = c->read_us = s->now_us;
    buf_init(&c->in, LINE_MAX_BYTES);
    s->clients[slot] = c;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) != 0 || !is_of_this_user(&c->pipe) ||
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) != 0) {
        close_client(c);
        return;
    }
    if (!uv_is_active((uv_handle_t *)&s->tick)) {
        uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
    }
}

/* --- begin and end ------------------------------------------------------------------------------------ */

/* Those of processes that were killed. A process that is not seen may live in another container, and answers. */
static bool remove_stale(void *context, pid_t pid, const char *path)
{
    struct control_client c;

    (void)context;
    if (kill(pid, 0) != 0 && errno == ESRCH) {
        if (control_client_connect(&c, path, NULL) == RESULT_NOT_FOUND) {
            (void)unlink(path);
        }
        control_client_close(&c);
    }
    return true;
}

static enum result name_in_run(struct control_server *s, struct err *err)
{
    struct buf text = { 0 };
    enum result result = RESULT_NOMEM;

    if (buf_append_str(&text, STR("{\"socket\":")) == RESULT_OK &&
        json_text_append(&text, str_view(s->path)) == RESULT_OK &&
        buf_printf(&text, ",\"pid\":%ld,\"version\":\"" SCRAPETOP_VERSION "\"}\n",
                   (long)getpid()) == RESULT_OK) {
        result = run_dir_replace(s->options.dir, RUN_DIR_CONTROL, buf_view(&text), err);
    }
    buf_release(&text);
    return result == RESULT_NOMEM ? err_nomem(err, "opening the control socket") : result;
}

static enum result listen_at(struct control_server *s, struct err *err)
{
    mode_t before;
    int status;

    (void)unlink(s->path); /* a process of our number that is gone */
    before = umask(S_IRWXG | S_IRWXO);
    status = uv_pipe_bind(&s->listener, s->path);
    umask(before);
    if (status == 0) {
        status = uv_listen((uv_stream_t *)&s->listener, QUEUE_MAX, on_connection);
    }
    return status == 0 ? RESULT_OK
                       : err_set(err, RESULT_IO, "E-CTL5", "cannot listen at %s: %s", s->path,
                                 uv_strerror(status));
}

static void on_own_handle_closed(uv_handle_t *handle)
{
    struct control_server *s = handle->data;

    s->handles--;
    finish(s);
}

static void close_own_handles(struct control_server *s)
{
    if (!uv_is_closing((uv_handle_t *)&s->listener)) {
        uv_close((uv_handle_t *)&s->listener, on_own_handle_closed);
    }
    if (!uv_is_closing((uv_handle_t *)&s->tick)) {
        uv_close((uv_handle_t *)&s->tick, on_own_handle_closed);
    }
}

static void no_one_is_told(void *context)
{
    (void)context;
}

enum result control_server_new(struct control_server **server,
                               const struct control_server_options *options, struct err *err)
{
    char place[SOCKET_PATH_MAX];
    struct control_server *s;
    enum result result = socket_place_make(place, err);

    *server = NULL;
    if (result != RESULT_OK) {
        return result;
    }
    s = calloc(1, sizeof *s);
    if (!s || !(s->snapshot = calloc(1, sizeof *s->snapshot)) ||
        socket_place_of(getpid(), s->path, NULL) != RESULT_OK) {
        free(s);
        return err_nomem(err, "opening the control socket");
    }
    s->options = *options;
    buf_init(&s->frame, OUT_MAX_BYTES);
    buf_init(&s->reply, OUT_MAX_BYTES);
    buf_init(&s->texts, LINE_MAX_BYTES * 2);
    buf_init(&s->event, LINE_MAX_BYTES * 2);
    if (!realpath(options->dir->path, s->run)) {
        snprintf(s->run, sizeof s->run, "%s", options->dir->path);
    }
    socket_place_each(remove_stale, NULL);
    uv_pipe_init(options->loop, &s->listener, 0);
    uv_timer_init(options->loop, &s->tick);
    s->listener.data = s->tick.data = s;
    s->handles = 2;
    result = listen_at(s, err);
    if (result == RESULT_OK) {
        result = name_in_run(s, err);
    }
    if (result != RESULT_OK) {
        control_server_close(s, 0, STR_NONE, no_one_is_told);
        return result;
    }
    *server = s;
    return RESULT_OK;
}

/* The last step, once all clients are gone. */
static void finish(struct control_server *s)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (s->clients[i]) {
            return;
        }
    }
    if (!s->closing) {
        return;
    }
    close_own_handles(s);
    if (s->handles) {
        return;
    }
    s->closed(s->options.context);
    buf_release(&s->frame);
    buf_release(&s->reply);
    buf_release(&s->texts);
    buf_release(&s->event);
    free(s->snapshot);
    free(s);
}

static void tell_end(struct control_server *s, int exit, struct str report)
{
    buf_reset(&s->reply);
    if (buf_printf(&s->reply, "{\"end\":{\"exit\":%d", exit) != RESULT_OK ||
        (report.len &&
         buf_printf(&s->reply, ",\"report\":%.*s", STR_ARG(str_trim(report))) != RESULT_OK) ||
        buf_append_str(&s->reply, STR("}}\n")) != RESULT_OK) {
        return;
    }
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct client *c = s->clients[i];

        if (c && !c->closing && c->said_hello) {
            c->ending = send_bytes(c, buf_view(&s->reply));
        }
    }
}

void control_server_close(struct control_server *s, int exit, struct str report,
                          void (*closed)(void *context))
{
    s->closed = closed;
    s->closing = true;
    s->now_us = clock_now_us(&s->options.clock);
    s->close_by_us = s->now_us + END_WITHIN_MS * UINT64_C(1000);
    (void)unlink(s->path);
    (void)unlinkat(s->options.dir->fd, RUN_DIR_CONTROL, 0);
    if (!uv_is_closing((uv_handle_t *)&s->listener)) {
        uv_close((uv_handle_t *)&s->listener, on_own_handle_closed);
    }
    tell_end(s, exit, report);
    uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
}
