#include "history/page_out.h"

#include "base/json_scan.h"
#include "base/units.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

#define PUT_MAX 2048
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define ELLIPSIS "\xE2\x80\xA6"

static void append(struct page_out *p, struct str text)
{
    p->no_memory = p->no_memory || buf_append_str(p->to, text) != RESULT_OK;
}

void page_put(struct page_out *p, const char *format, ...)
{
    char text[PUT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    append(p, str_view(text));
}

static const char *entity_of(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void page_text(struct page_out *p, struct str text, size_t max)
{
    size_t at = 0;

    while (at < text.len && !p->no_memory) {
        struct str rest = { text.data + at, text.len - at };
        uint32_t code;
        size_t len = utf8_decode(rest, &code);
        const char *entity = len ? entity_of(code) : NULL;

        if (at + len > max) {
            append(p, STR(ELLIPSIS));
            return;
        }
        if (entity) {
            append(p, str_view(entity));
        } else if (len && (code == '\n' || code == '\t' || utf8_is_safe(code))) {
            append(p, (struct str){ rest.data, len });
        } else {
            append(p, STR(REPLACEMENT));
        }
        at += len ? len : 1;
    }
}

void page_json_text(struct page_out *p, struct str json, size_t max)
{
    struct buf plain = { 0 };
    struct str raw = json_string_raw(json);

    if (!raw.data) {
        page_text(p, str_trim(json), max);
        return;
    }
    if (json_unescape(&plain, raw, NULL) == RESULT_OK) {
        page_text(p, buf_view(&plain), max);
    } else {
        p->no_memory = true;
    }
    buf_release(&plain);
}

void page_whole(struct page_out *p, uint64_t count)
{
    char text[UNITS_TEXT_MAX];

    units_format_whole(count, text);
    page_put(p, "%s", text);
}
