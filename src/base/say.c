#include "base/say.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define ESCAPED_BYTES 4 /* at most, of each byte */
#define SHORT_BYTES 512 /* of a line, without memory */

static void put_safe(FILE *to, struct str text)
{
    char shorter[SHORT_BYTES];
    size_t size = text.len * ESCAPED_BYTES + 1;
    char *safe = malloc(size);

    utf8_display(safe ? safe : shorter, safe ? size : sizeof shorter, text, SIZE_MAX);
    fputs(safe ? safe : shorter, to);
    free(safe);
}

__attribute__((format(printf, 2, 0))) static void say_formatted(FILE *to, const char *format,
                                                                va_list args)
{
    char shorter[SHORT_BYTES], *text = NULL;
    va_list again;
    int len;

    va_copy(again, args);
    len = vasprintf(&text, format, args);
    if (len >= 0) {
        put_safe(to, (struct str){ text, (size_t)len });
        free(text);
    } else if (vsnprintf(shorter, sizeof shorter, format, again) > 0) {
        put_safe(to, str_view(shorter));
    }
    va_end(again);
}

void say_part(FILE *to, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_formatted(to, format, args);
    va_end(args);
}

void say(FILE *to, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_formatted(to, format, args);
    va_end(args);
    fputc('\n', to);
}

void say_lines(FILE *to, struct str text)
{
    while (text.len) {
        struct str line = str_cut(&text, '\n');

        say(to, "scrapetop: %.*s", STR_ARG(line));
    }
}

/* It stands within a string, where alone JSON has anything but ASCII. */
static void put_escape(FILE *to, uint32_t code)
{
    if (code >= 0x10000) {
        code -= 0x10000;
        fprintf(to, "\\u%04x\\u%04x", 0xD800U + (code >> 10), 0xDC00U + (code & 0x3FF));
    } else {
        fprintf(to, "\\u%04x", code);
    }
}

void say_json(FILE *to, struct str json)
{
    size_t plain = 0; /* bytes at its head that stand for themselves */

    while (plain < json.len) {
        unsigned char c = (unsigned char)json.data[plain];
        uint32_t code = c;
        size_t len = 1;

        if (c >= 0x80) {
            len = utf8_decode((struct str){ json.data + plain, json.len - plain }, &code);
        }
        if (len && (c == '\n' || c == '\t' || utf8_is_safe(code))) {
            plain += len;
            continue;
        }
        fwrite(json.data, 1, plain, to);
        put_escape(to, len ? code : 0xFFFD);
        len = len ? len : 1;
        json = (struct str){ json.data + plain + len, json.len - plain - len };
        plain = 0;
    }
    fwrite(json.data, 1, plain, to);
}

/* Nothing of a shell's in it. */
static bool is_bare(struct str word)
{
    static const char bare[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=@%+,-";

    for (size_t i = 0; i < word.len; i++) {
        if (!word.data[i] || !strchr(bare, word.data[i])) {
            return false;
        }
    }
    return word.len > 0;
}

static bool is_shown_as_it_is(struct str word)
{
    char *safe = malloc(word.len * ESCAPED_BYTES + 1);
    bool same;

    if (!safe) {
        return false;
    }
    utf8_display(safe, word.len * ESCAPED_BYTES + 1, word, SIZE_MAX);
    same = str_equal(str_view(safe), word);
    free(safe);
    return same;
}

enum result say_shell_word(struct buf *out, struct str word)
{
    bool is_plain;
    enum result result;

    if (is_bare(word)) {
        return buf_append_str(out, word);
    }
    is_plain = is_shown_as_it_is(word);
    result = buf_append_str(out, is_plain ? STR("'") : STR("$'"));
    for (size_t i = 0; i < word.len && result == RESULT_OK; i++) {
        unsigned char c = (unsigned char)word.data[i];

        if (is_plain) {
            result = c == '\'' ? buf_append_str(out, STR("'\\''")) : buf_append_char(out, (char)c);
        } else if (c == '\'' || c == '\\') {
            result = buf_printf(out, "\\%c", c);
        } else if (c < 0x20 || c >= 0x7F) {
            result = buf_printf(out, "\\x%02x", c);
        } else {
            result = buf_append_char(out, (char)c);
        }
    }
    return result == RESULT_OK ? buf_append_char(out, '\'') : result;
}
