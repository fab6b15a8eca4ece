#include "control/server_client.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES (64 * 1024)
#define OUT_MAX_BYTES (CONTROL_LINE_MAX + 1024 * 1024) /* the longest line, and frames before it */
#define READ_BYTES (16 * 1024)

struct outgoing {
    uv_write_t request;
    struct server_client *client;
    size_t len;
    char bytes[];
};

/* --- closing ------------------------------------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
    struct server_client *c = handle->data;

    c->calls->gone(c->context, c);
    buf_release(&c->in);
    free(c);
}

void server_client_close(struct server_client *c)
{
    if (c->closing) {
        return;
    }
    c->closing = true;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
    c->calls->leaves(c->context, c);
}

bool server_client_is_stuck(const struct server_client *c, uint64_t now_us, uint64_t us)
{
    return c->queued && now_us - c->read_us > us;
}

/* --- out ---------------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
    struct outgoing *out = request->data;
    struct server_client *c = out->client;

    c->queued -= out->len;
    c->read_us = clock_now_us(&c->clock);
    free(out);
    if (status != 0 || (c->ending && !c->queued)) {
        server_client_close(c);
    }
}

bool server_client_send(struct server_client *c, struct str bytes)
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
        c->read_us = clock_now_us(&c->clock);
    }
    c->queued += bytes.len;
    return true;
}

/* --- in ----------------------------------------------------------------------------------------------- */

static void take_lines(struct server_client *c)
{
    struct str rest = buf_view(&c->in);
    size_t used = 0;
    const char *end;

    while (!c->closing && !c->ending && rest.len && (end = memchr(rest.data, '\n', rest.len))) {
        size_t len = (size_t)(end - rest.data);
        struct str line = str_trim((struct str){ rest.data, len });

        if (line.len) {
            c->calls->line(c->context, c, line);
        }
        rest.data += len + 1;
        rest.len -= len + 1;
        used += len + 1;
    }
    memmove(c->in.data, c->in.data + used, c->in.len - used);
    c->in.len -= used;
}

/* The end of a long line may come in one piece with most of the next. */
static void take_bytes(struct server_client *c, struct str bytes)
{
    while (bytes.len && !c->closing && !c->ending) {
        size_t room = LINE_MAX_BYTES - c->in.len;
        size_t part = bytes.len < room ? bytes.len : room;

        if (!part || buf_append(&c->in, bytes.data, part) != RESULT_OK) {
            c->calls->too_long(c->context, c);
            return;
        }
        bytes.data += part;
        bytes.len -= part;
        take_lines(c);
    }
}

/* All clients read into the same bytes, one after the other: they are taken before the next read. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    static char bytes[READ_BYTES];

    (void)handle;
    (void)suggested;
    *room = uv_buf_init(bytes, sizeof bytes);
}

/* Who has said all (`... | ctl --stdio`) still hears what he has asked. */
static void on_end_of_input(struct server_client *c, bool is_broken)
{
    if (is_broken || !c->queued) {
        server_client_close(c);
    } else {
        c->ending = true;
        uv_read_stop((uv_stream_t *)&c->pipe);
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct server_client *c = stream->data;

    if (count < 0) {
        on_end_of_input(c, count != UV_EOF);
        return;
    }
    if (c->closing || c->ending || count == 0) {
        return;
    }
    take_bytes(c, (struct str){ bytes->base, (size_t)count });
}

/* --- begin -------------------------------------------------------------------------------------------- */

static bool is_of_this_user(const uv_pipe_t *pipe)
{
    uid_t user;
    int fd;

    return uv_fileno((const uv_handle_t *)pipe, &fd) == 0 && os_peer_user(fd, &user) &&
           (user == geteuid() || user == 0);
}

static void on_refused(uv_handle_t *handle)
{
    free(handle);
}

void server_client_turn_away(uv_stream_t *listener)
{
    uv_pipe_t *pipe = malloc(sizeof *pipe);

    if (!pipe || uv_pipe_init(listener->loop, pipe, 0) != 0) {
        free(pipe);
        return;
    }
    (void)uv_accept(listener, (uv_stream_t *)pipe);
    uv_close((uv_handle_t *)pipe, on_refused);
}

static void on_stranger(uv_handle_t *handle)
{
    free(handle->data);
}

struct server_client *server_client_accept(uv_stream_t *listener, struct clock clock,
                                           const struct server_client_calls *calls, void *context)
{
    struct server_client *c = calloc(1, sizeof *c);

    if (!c || uv_pipe_init(listener->loop, &c->pipe, 0) != 0) {
        free(c);
        server_client_turn_away(listener);
        return NULL;
    }
    c->calls = calls;
    c->context = context;
    c->clock = clock;
    c->pipe.data = c;
    c->since_us = c->read_us = clock_now_us(&clock);
    buf_init(&c->in, LINE_MAX_BYTES);
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) != 0 || !is_of_this_user(&c->pipe) ||
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) != 0) {
        uv_close((uv_handle_t *)&c->pipe, on_stranger);
        return NULL;
    }
    return c;
}
