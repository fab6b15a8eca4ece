#include "ui/save.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- files ------------------------------------------------------------------------------------------ */

static enum result write_file(const char *path, const char *ending, struct str bytes,
                              struct err *err)
{
    char full[SAVE_PATH_MAX + 8];
    int fd;

    snprintf(full, sizeof full, "%s%s", path, ending);
    fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_set_errno(err, errno, "E-SAVE1", "%s", full);
    }
    while (bytes.len) {
        ssize_t written = write(fd, bytes.data, bytes.len);

        if (written < 0 && errno != EINTR) {
            int why = errno;

            close(fd);
            return err_set_errno(err, why, "E-SAVE1", "%s", full);
        }
        bytes.data += written > 0 ? written : 0;
        bytes.len -= written > 0 ? (size_t)written : 0;
    }
    close(fd);
    return RESULT_OK;
}

/* Text of a snapshot as a JSON string: display-safe first, so only quotes and backslashes are left. */
static enum result append_text(struct buf *out, const char *name, const char *text)
{
    char safe[1024];
    enum result result = buf_printf(out, ",\"%s\":\"", name);

    utf8_display(safe, sizeof safe, str_view(text), SIZE_MAX);
    for (const char *p = safe; *p && result == RESULT_OK; p++) {
        if (*p == '"' || *p == '\\') {
            result = buf_append_char(out, '\\');
        }
        if (result == RESULT_OK) {
            result = buf_append_char(out, *p);
        }
    }
    return result == RESULT_OK ? buf_append_char(out, '"') : result;
}

static double figure(double value)
{
    return isfinite(value) ? value : 0;
}

static enum result append_figures(const struct snapshot *s, struct buf *out)
{
    return buf_printf(
        out,
        ",\"requests\":%llu,\"ok\":%llu,\"failed\":%llu,\"retried\":%llu,\"waiting\":%llu,"
        "\"queued\":%llu,\"in_flight\":%llu,\"cap\":%u,\"req_per_s\":%.1f,"
        "\"req_per_s_average\":%.1f,\"bytes\":%llu,\"latency_ms\":{\"p50\":%llu,\"p90\":%llu,"
        "\"p95\":%llu,\"p99\":%llu},\"answers\":{\"2xx\":%llu,\"3xx\":%llu,\"4xx\":%llu,"
        "\"429\":%llu,\"5xx\":%llu,\"none\":%llu},\"cpu_s\":%.2f,\"wall_s\":%.1f",
        (unsigned long long)s->total, (unsigned long long)s->ok, (unsigned long long)s->failed,
        (unsigned long long)s->retried, (unsigned long long)s->waiting,
        (unsigned long long)s->queued, (unsigned long long)s->in_flight, s->cap,
        figure(s->requests_per_s), figure(s->requests_per_s_average), (unsigned long long)s->bytes,
        (unsigned long long)(s->p50_us / US_PER_MS), (unsigned long long)(s->p90_us / US_PER_MS),
        (unsigned long long)(s->p95_us / US_PER_MS), (unsigned long long)(s->p99_us / US_PER_MS),
        (unsigned long long)s->mix.ok, (unsigned long long)s->mix.redirect,
        (unsigned long long)s->mix.client_error, (unsigned long long)s->mix.throttled,
        (unsigned long long)s->mix.server_error, (unsigned long long)s->mix.network,
        figure(s->cpu_s), (double)s->started_ago_us / 1e6);
}

enum result save_figures(const struct snapshot *s, struct buf *out)
{
    char when[CLOCK_TEXT_SIZE], limit[LIMIT_TEXT_MAX];
    enum result result;

    clock_format_utc(s->wall_us, when);
    result = buf_printf(out, "{\"at\":\"%s\",\"state\":\"%s\"", when, run_state_word(s->state));
    if (result == RESULT_OK) {
        result = append_text(out, "run", s->name);
    }
    if (result == RESULT_OK) {
        limit_words(&s->limit, NULL, limit);
        result = append_text(out, "limited_by", limit);
    }
    if (result == RESULT_OK) {
        result = append_figures(s, out);
    }
    return result == RESULT_OK ? buf_append_str(out, STR("}\n")) : result;
}

/* In the run's directory, named by the moment, to the second; colons are no friends of file names. */
static void place_file(const struct snapshot *s, const char *name, char path[SAVE_PATH_MAX])
{
    char when[CLOCK_TEXT_SIZE];

    clock_format_utc(s->wall_us, when);
    when[19] = '\0';
    when[13] = when[16] = '-';
    snprintf(path, SAVE_PATH_MAX, "%s/%s-%s", s->run_dir, name, when);
}

enum result save_bytes(const struct snapshot *s, const char *name, const char *ending,
                       struct str bytes, char path[SAVE_PATH_MAX], struct err *err)
{
    enum result result;
    size_t length;

    place_file(s, name, path);
    result = write_file(path, ending, bytes, err);
    length = strlen(path);
    snprintf(path + length, SAVE_PATH_MAX - length, "%s", ending);
    return result;
}

enum result save_picture(const struct canvas *canvas, const struct snapshot *s,
                         char path[SAVE_PATH_MAX], struct err *err)
{
    struct buf text = { 0 };
    enum result result;

    place_file(s, "screen", path);
    result = canvas_text(canvas, &text);
    if (result == RESULT_OK) {
        result = write_file(path, ".txt", buf_view(&text), err);
        buf_reset(&text);
    }
    if (result == RESULT_OK) {
        result = save_figures(s, &text);
    }
    if (result == RESULT_OK) {
        result = write_file(path, ".json", buf_view(&text), err);
    }
    buf_release(&text);
    return result == RESULT_NOMEM ? err_nomem(err, "writing the screen") : result;
}

/* --- curl --------------------------------------------------------------------------------------------- */

/* In single quotes nothing has a meaning for a shell; the quote itself is left and entered again. */
static enum result append_quoted(struct buf *out, struct str text)
{
    char safe[2048];
    enum result result = buf_append_char(out, '\'');

    utf8_display(safe, sizeof safe, text, SIZE_MAX);
    for (const char *p = safe; *p && result == RESULT_OK; p++) {
        result = *p == '\'' ? buf_append_str(out, STR("'\\''")) : buf_append_char(out, *p);
    }
    return result == RESULT_OK ? buf_append_char(out, '\'') : result;
}

static enum result append_curl(const struct snapshot_detail *d, struct buf *out)
{
    struct str rest = str_view(d->sent);
    enum result result = buf_append_str(out, STR("curl -g"));

    if (result == RESULT_OK && strcmp(d->method, "GET") != 0) {
        result = buf_append_str(out, STR(" -X "));
        if (result == RESULT_OK) {
            result = append_quoted(out, str_view(d->method));
        }
    }
    while (result == RESULT_OK && rest.len) {
        result = buf_append_str(out, STR(" -H "));
        if (result == RESULT_OK) {
            result = append_quoted(out, str_cut(&rest, '\n'));
        }
    }
    if (result == RESULT_OK) {
        result = buf_append_char(out, ' ');
    }
    return result == RESULT_OK ? append_quoted(out, str_view(d->url)) : result;
}

enum result save_curl(const struct snapshot_detail *d, struct buf *out)
{
    struct buf line = { 0 };
    enum result result = append_curl(d, &line);

    if (result == RESULT_OK) {
        result = buf_append_str(out, STR("\033]52;c;"));
    }
    if (result == RESULT_OK) {
        result = base64_append(out, buf_view(&line));
    }
    buf_release(&line);
    return result == RESULT_OK ? buf_append_char(out, '\007') : result;
}
