#include "engine/http_notes.h"

#include "base/url.h"

#include <stdio.h>
#include <string.h>

void http_notes_release(struct http_notes *notes)
{
    buf_release(&notes->text);
}

/* Its line without the line break before it; STR_NONE: it has none. */
static struct str line_of(const struct http_notes *notes, const char *origin)
{
    char start[URL_ORIGIN_MAX + 4];
    int len = snprintf(start, sizeof start, "\n%s ", origin);
    const char *at =
        notes->text.len ? memmem(notes->text.data, notes->text.len, start, (size_t)len) : NULL;
    struct str rest = STR_NONE;

    if (at) {
        rest = (struct str){ at + 1, notes->text.len - (size_t)(at + 1 - notes->text.data) };
        rest = str_cut(&rest, '\n');
    }
    return rest;
}

static enum job_http version_of(struct str line)
{
    (void)str_cut(&line, ' ');
    for (int http = JOB_HTTP_1_1; line.data && http < JOB_HTTPS; http++) {
        if (str_equal(line, str_view(job_http_word((enum job_http)http)))) {
            return (enum job_http)http;
        }
    }
    return JOB_HTTP_AUTO;
}

enum job_http http_notes_find(const struct http_notes *notes, const char *origin)
{
    return version_of(line_of(notes, origin));
}

static void remove_line(struct http_notes *notes, struct str line)
{
    size_t at = (size_t)(line.data - notes->text.data), end = at + line.len + 1;

    memmove(notes->text.data + at, notes->text.data + end, notes->text.len - end);
    notes->text.len -= end - at;
}

static bool add_line(struct http_notes *notes, struct str line)
{
    notes->text.max = HTTP_NOTES_BYTES;
    if (notes->text.len + line.len + 2 > HTTP_NOTES_BYTES ||
        (!notes->text.len && buf_append_char(&notes->text, '\n') != RESULT_OK)) {
        return false;
    }
    return buf_printf(&notes->text, "%.*s\n", STR_ARG(line)) == RESULT_OK;
}

bool http_notes_put(struct http_notes *notes, const char *origin, enum job_http http)
{
    struct str line = line_of(notes, origin);
    char text[URL_ORIGIN_MAX + 32];

    if (version_of(line) == http) {
        return false;
    }
    if (line.data) {
        remove_line(notes, line);
    }
    if (!http) {
        return true;
    }
    snprintf(text, sizeof text, "%s %s", origin, job_http_word(http));
    return add_line(notes, str_view(text));
}

enum result http_notes_read(struct http_notes *notes, struct str text)
{
    buf_reset(&notes->text);
    while (text.data && text.len) {
        struct str line = str_cut(&text, '\n');

        if (version_of(line) && line.len < URL_ORIGIN_MAX + 32 && !add_line(notes, line)) {
            return notes->text.len + line.len + 2 > HTTP_NOTES_BYTES ? RESULT_OK : RESULT_NOMEM;
        }
    }
    return RESULT_OK;
}
