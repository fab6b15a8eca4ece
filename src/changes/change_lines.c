#include "changes/change_lines.h"

#include "base/json_text.h"
#include "base/temporary_file.h"
#include "base/timestamp.h"
#include "base/write_all.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HELD_BYTES ((size_t)256 << 10)

static enum result fail(int error, struct err *err)
{
    return err_set_errno(err, error, "E-IN2", "cannot write a temporary file (TMPDIR)");
}

enum result change_lines_begin(struct change_lines *lines, const char *endpoint, int64_t until_us,
                               struct err *err)
{
    *lines =
        (struct change_lines){ .endpoint = endpoint, .until_us = until_us, .fd = temporary_file() };
    return lines->fd < 0 ? fail(errno, err) : RESULT_OK;
}

void change_lines_drop(struct change_lines *lines)
{
    if (lines->fd >= 0) {
        close(lines->fd);
    }
    lines->fd = -1;
    buf_release(&lines->held);
}

static enum result flush(struct change_lines *lines, struct err *err)
{
    int error = write_all(lines->fd, buf_view(&lines->held));

    buf_reset(&lines->held);
    return error ? fail(error, err) : RESULT_OK;
}

static enum result put(struct buf *out, const char *name, struct str text)
{
    enum result result = buf_printf(out, "\"%s\":", name);

    if (result != RESULT_OK) {
        return result;
    }
    return text.data ? json_text_append(out, text) : buf_append_str(out, STR("null"));
}

enum result change_line_append(struct buf *out, const char *endpoint, const struct change *change)
{
    enum result result = buf_append_char(out, '{');

    result = result == RESULT_OK ? put(out, "_time", change->time) : result;
    result = result == RESULT_OK ? buf_printf(out, ",\"_round\":%u,", change->round) : result;
    result = result == RESULT_OK ? put(out, "_endpoint", str_view(endpoint)) : result;
    if (result == RESULT_OK && change->key.len) {
        result = buf_append_char(out, ',');
        result = result == RESULT_OK ? buf_append_str(out, change->key) : result;
    }
    result = result == RESULT_OK ? buf_append_char(out, ',') : result;
    result = result == RESULT_OK ? put(out, "_change", str_view(change_kind_name(change->kind)))
                                 : result;
    result = result == RESULT_OK ? buf_append_char(out, ',') : result;
    result = result == RESULT_OK ? put(out, "_field", change->field) : result;
    result = result == RESULT_OK ? buf_append_char(out, ',') : result;
    result = result == RESULT_OK ? put(out, "_from", change->before) : result;
    result = result == RESULT_OK ? buf_append_char(out, ',') : result;
    result = result == RESULT_OK ? put(out, "_to", change->now) : result;
    return result == RESULT_OK ? buf_append_str(out, STR("}\n")) : result;
}

enum result change_lines_take(void *context, const struct change *change, struct err *err)
{
    struct change_lines *lines = context;
    int64_t us;

    if (lines->until_us && timestamp_parse(change->time, &us) && us > lines->until_us) {
        lines->later++;
        return RESULT_OK;
    }
    if (change_line_append(&lines->held, lines->endpoint, change) != RESULT_OK) {
        return err_nomem(err, "telling changes");
    }
    return lines->held.len >= HELD_BYTES ? flush(lines, err) : RESULT_OK;
}

#define TIME_FRONT STR("{\"_time\":\"")

/* Whether the line tells of something that was seen later than is asked for. */
static bool is_later(const struct change_lines *lines, struct str line)
{
    const char *end;
    int64_t us;

    if (!lines->until_us || !str_starts(line, TIME_FRONT)) {
        return false;
    }
    line = (struct str){ line.data + TIME_FRONT.len, line.len - TIME_FRONT.len };
    end = memchr(line.data, '"', line.len);
    return end && timestamp_parse((struct str){ line.data, (size_t)(end - line.data) }, &us) &&
           us > lines->until_us;
}

enum result change_lines_take_lines(void *context, struct str text, struct err *err)
{
    struct change_lines *lines = context;

    while (text.len) {
        struct str line = str_cut(&text, '\n');

        if (is_later(lines, line)) {
            lines->later++;
        } else if (buf_append_str(&lines->held, line) != RESULT_OK ||
                   buf_append_char(&lines->held, '\n') != RESULT_OK) {
            return err_nomem(err, "telling changes");
        }
    }
    return lines->held.len >= HELD_BYTES ? flush(lines, err) : RESULT_OK;
}

enum result change_lines_end(struct change_lines *lines, int *fd, struct err *err)
{
    enum result result = flush(lines, err);

    *fd = -1;
    if (result == RESULT_OK) {
        *fd = lines->fd;
        lines->fd = -1;
    }
    change_lines_drop(lines);
    return result;
}
