#include "engine/events.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void events_release(struct events *events)
{
    buf_release(&events->line);
    buf_release(&events->text);
}

static const char *level_name(enum event_level level)
{
    static const char *const names[] = { "info", "notice", "warning", "error" };

    return names[level];
}

/* `text` is display-safe already: only quotes and backslashes are left to escape. */
static enum result append_json_text(struct buf *out, const char *text)
{
    enum result result = buf_append_char(out, '"');

    for (; *text && result == RESULT_OK; text++) {
        if (*text == '"' || *text == '\\') {
            result = buf_append_char(out, '\\');
        }
        if (result == RESULT_OK) {
            result = buf_append_char(out, *text);
        }
    }
    return result == RESULT_OK ? buf_append_char(out, '"') : result;
}

static void write_line(struct events *e, int64_t wall_us, const char *level, const char *kind,
                       const char *fields, const char *text)
{
    char when[CLOCK_TEXT_SIZE];
    enum result result;

    if (!e->write) {
        return;
    }
    clock_format_utc(wall_us, when);
    buf_reset(&e->line);
    result =
        buf_printf(&e->line, "{\"at\":\"%s\",\"event\":\"%s\"%s%s%s%s", when, kind,
                   level ? ",\"level\":\"" : "", level ? level : "", level ? "\"" : "", fields);
    if (result == RESULT_OK && text) {
        result = buf_append_str(&e->line, STR(",\"text\":"));
        if (result == RESULT_OK) {
            result = append_json_text(&e->line, text);
        }
    }
    if (result == RESULT_OK && buf_append_char(&e->line, '}') == RESULT_OK) {
        e->write(e->context, buf_view(&e->line));
    } /* without memory an event is lost, never a body */
}

void events_add(struct events *e, enum event_level level, const char *kind, const char *fields,
                const char *format, ...)
{
    struct snapshot_event *event = &e->ring[e->serial % SNAPSHOT_EVENTS_MAX];
    char
        raw[SNAPSHOT_EVENT_TEXT + HEADER_LINE_MAX]; /* no secret is cut before it is known as one */
    struct str text;
    va_list args;

    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    text = str_view(raw);
    buf_reset(&e->text);
    if (e->secrets) {
        text = secrets_redact(e->secrets, text, &e->text) == RESULT_OK
                   ? buf_view(&e->text)
                   : STR("(out of memory for this text)");
    }
    event->serial = ++e->serial;
    event->wall_us = clock_wall_us(&e->clock);
    event->level = level;
    utf8_display(event->text, sizeof event->text, text, sizeof event->text);
    write_line(e, event->wall_us, level_name(level), kind, fields, event->text);
}

void events_note(struct events *e, const char *kind, const char *fields)
{
    write_line(e, clock_wall_us(&e->clock), NULL, kind, fields, NULL);
}

const struct snapshot_event *events_at(const struct events *e, size_t back)
{
    if (back >= e->serial || back >= SNAPSHOT_EVENTS_MAX) {
        return NULL;
    }
    return &e->ring[(e->serial - 1 - back) % SNAPSHOT_EVENTS_MAX];
}
