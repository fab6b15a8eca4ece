#include "engine/events.h"

#include "base/json_text.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void events_release(struct events *events)
{
    buf_release(&events->line);
    buf_release(&events->text);
}

#define FOLD_WITHIN 4 /* events back, so that two hosts that are held by turns fold too */

static void write_line(struct events *e, int64_t wall_us, const char *level, const char *kind,
                       const char *fields, const char *member, const char *text)
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
        result = buf_printf(&e->line, ",\"%s\":", member);
        if (result == RESULT_OK) {
            result = json_text_append_shown(&e->line, str_view(text));
        }
    }
    if (result == RESULT_OK && buf_append_char(&e->line, '}') == RESULT_OK) {
        e->write(e->context, buf_view(&e->line));
    } /* without memory an event is lost, never a body */
}

static struct snapshot_event *slot(struct events *e, uint64_t back)
{
    return &e->ring[(e->kept - 1 - back) % SNAPSHOT_EVENTS_MAX];
}

/* Alike but for figures after the first word: that one names what it is about. */
static bool is_alike(const char *a, const char *b)
{
    bool first_word = true;

    for (;; a++, b++) {
        while (!first_word && ((*a >= '0' && *a <= '9') || *a == '.')) {
            a++;
        }
        while (!first_word && ((*b >= '0' && *b <= '9') || *b == '.')) {
            b++;
        }
        if (*a != *b || !*a) {
            return *a == *b;
        }
        first_word = first_word && *a != ' ';
    }
}

/* Room in the ring for an event, of which `repeats` says how many it stands for. */
static struct snapshot_event *take_slot(struct events *e, enum event_level level, const char *text)
{
    uint64_t kept = e->kept < SNAPSHOT_EVENTS_MAX ? e->kept : SNAPSHOT_EVENTS_MAX;
    uint32_t repeats = 1;

    for (uint64_t back = 0; level == EVENT_WARNING && back < kept && back < FOLD_WITHIN; back++) {
        if (slot(e, back)->level == level && is_alike(slot(e, back)->text, text)) {
            repeats += slot(e, back)->repeats;
            for (; back > 0; back--) {
                *slot(e, back) = *slot(e, back - 1);
            }
            e->kept--;
            break;
        }
    }
    e->kept++;
    slot(e, 0)->repeats = repeats;
    return slot(e, 0);
}

__attribute__((format(printf, 5, 0))) static void add(struct events *e, enum event_level level,
                                                      const char *kind, const char *fields,
                                                      const char *format, va_list args)
{
    /* no secret is cut before it is known as one */
    char raw[SNAPSHOT_EVENT_TEXT + HEADER_LINE_MAX];
    char shown[SNAPSHOT_EVENT_TEXT];
    struct snapshot_event *event;
    struct str text;

    vsnprintf(raw, sizeof raw, format, args);
    text = str_view(raw);
    buf_reset(&e->text);
    if (e->secrets) {
        text = secrets_redact(e->secrets, text, SECRETS_BEGUN, &e->text) == RESULT_OK
                   ? buf_view(&e->text)
                   : STR("(out of memory for this text)");
    }
    utf8_display(shown, sizeof shown, text, sizeof shown);
    event = take_slot(e, level, shown);
    event->serial = ++e->serial;
    event->wall_us = clock_wall_us(&e->clock);
    event->level = level;
    event->is_failure = strcmp(kind, EVENTS_FAILED) == 0;
    memcpy(event->text, shown, sizeof shown);
    write_line(e, event->wall_us, event_level_word(level), kind, fields, "text", event->text);
}

void events_add(struct events *e, enum event_level level, const char *kind, const char *fields,
                const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(e, level, kind, fields, format, args);
    va_end(args);
}

void events_add_host(struct events *e, enum event_level level, const char *kind, struct str host,
                     const char *fields, const char *format, ...)
{
    struct buf all = { .max = 0 };
    va_list args;

    if (events_put_text(e, &all, "host", host) != RESULT_OK ||
        buf_append_str(&all, str_view(fields)) != RESULT_OK || !buf_cstr(&all)) {
        buf_reset(&all);
    }
    va_start(args, format);
    add(e, level, kind, all.len ? all.data : fields, format, args);
    va_end(args);
    buf_release(&all);
}

enum result events_put_text(struct events *e, struct buf *fields, const char *name, struct str text)
{
    enum result result = buf_printf(fields, ",\"%s\":", name);

    buf_reset(&e->text);
    if (result == RESULT_OK && e->secrets) {
        result = secrets_redact(e->secrets, text, SECRETS_BEGUN, &e->text);
        text = buf_view(&e->text);
    }
    return result == RESULT_OK ? json_text_append_shown(fields, text) : result;
}

void events_note(struct events *e, const char *kind, const char *fields, const char *words)
{
    write_line(e, clock_wall_us(&e->clock), NULL, kind, fields, "words", words);
}

const struct snapshot_event *events_at(const struct events *e, size_t back)
{
    if (back >= e->kept || back >= SNAPSHOT_EVENTS_MAX) {
        return NULL;
    }
    return &e->ring[(e->kept - 1 - back) % SNAPSHOT_EVENTS_MAX];
}
