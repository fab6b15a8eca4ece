#include "base/json_write.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FIXED_DIGITS_MAX 9
#define KEY_PLAIN_MAX 32
#define REPLACEMENT_CHARACTER 0xFFFDU

struct json_writer json_write_begin(struct buf *out)
{
    return (struct json_writer){ .out = out };
}

static void put(struct json_writer *j, const char *bytes, size_t len)
{
    if (j->result == RESULT_OK) {
        j->result = buf_append(j->out, bytes, len);
    }
}

static void put_hex4(struct json_writer *j, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = { '\\', 'u' };

    for (int i = 0; i < 4; i++) {
        text[2 + i] = digits[unit >> (12 - 4 * i) & 0xF];
    }
    put(j, text, sizeof text);
}

static void put_character(struct json_writer *j, uint32_t c)
{
    if (c < 0x10000) {
        put_hex4(j, c);
    } else {
        put_hex4(j, 0xD800 + ((c - 0x10000) >> 10));
        put_hex4(j, 0xDC00 + ((c - 0x10000) & 0x3FF));
    }
}

static void put_escaped(struct json_writer *j, char c)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (size_t i = 0; i + 1 < sizeof named; i += 2) {
        if (c == named[i]) {
            char pair[2] = { '\\', named[i + 1] };

            put(j, pair, sizeof pair);
            return;
        }
    }
    put_hex4(j, (unsigned char)c);
}

static bool is_plain(char c)
{
    return c >= ' ' && c < 0x7F && c != '"' && c != '\\';
}

static void put_ascii(struct json_writer *j, struct str text)
{
    size_t at = 0;

    put(j, "\"", 1);
    while (at < text.len) {
        struct str rest = { text.data + at, text.len - at };
        size_t plain = 0, len;
        uint32_t c;

        while (plain < rest.len && is_plain(rest.data[plain])) {
            plain++;
        }
        if (plain) {
            put(j, rest.data, plain);
            at += plain;
        } else if ((unsigned char)rest.data[0] < 0x80) {
            put_escaped(j, rest.data[0]);
            at++;
        } else {
            len = utf8_decode(rest, &c);
            put_character(j, len ? c : REPLACEMENT_CHARACTER);
            at += len ? len : 1;
        }
    }
    put(j, "\"", 1);
}

static void put_quoted(struct json_writer *j, struct str text)
{
    if (j->ascii) {
        put_ascii(j, text);
    } else if (j->result == RESULT_OK) {
        j->result = json_text_append(j->out, text);
    }
}

/* `,"key":` at once, as most keys are short words of ours; false for any other key. */
static bool put_plain_key(struct json_writer *j, const char *key)
{
    char text[KEY_PLAIN_MAX + 4] = ",\"";
    size_t len = strnlen(key, KEY_PLAIN_MAX + 1), from = j->comma ? 0 : 1;

    if (len > KEY_PLAIN_MAX || !json_text_is_plain(key, len)) {
        return false;
    }
    memcpy(text + 2, key, len);
    text[2 + len] = '"';
    text[3 + len] = ':';
    put(j, text + from, 4 + len - from);
    return true;
}

/* What stands before every value: the comma, the line break, and the key when there is one. */
static void begin_value(struct json_writer *j, const char *key)
{
    if (key && !j->blank && put_plain_key(j, key)) {
        j->comma = true;
        return;
    }
    if (j->comma) {
        put(j, ",", 1);
    }
    for (unsigned i = 0; i < j->blank; i++) {
        put(j, i ? " " : "\n", 1);
    }
    j->blank = 0;
    if (key) {
        put_quoted(j, str_view(key));
        put(j, ":", 1);
    }
    j->comma = true;
}

static void open_with(struct json_writer *j, const char *key, const char *bracket)
{
    begin_value(j, key);
    put(j, bracket, 1);
    j->comma = false;
}

static void close_with(struct json_writer *j, const char *bracket)
{
    put(j, bracket, 1);
    j->comma = true;
}

void json_write_object(struct json_writer *j, const char *key)
{
    open_with(j, key, "{");
}

void json_write_object_end(struct json_writer *j)
{
    close_with(j, "}");
}

void json_write_array(struct json_writer *j, const char *key)
{
    open_with(j, key, "[");
}

void json_write_array_end(struct json_writer *j)
{
    close_with(j, "]");
}

void json_write_text(struct json_writer *j, const char *key, struct str text)
{
    begin_value(j, key);
    put_quoted(j, text);
}

void json_write_textf(struct json_writer *j, const char *key, const char *format, ...)
{
    char text[256];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(len >= 0);
    json_write_text(j, key, str_view(text));
}

static size_t format_uint(char *end, uint64_t number)
{
    char *at = end;

    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return (size_t)(end - at);
}

void json_write_uint(struct json_writer *j, const char *key, uint64_t number)
{
    char text[20];
    size_t len = format_uint(text + sizeof text, number);

    begin_value(j, key);
    put(j, text + sizeof text - len, len);
}

static size_t format_fixed(char text[40], int64_t scaled, unsigned digits)
{
    uint64_t magnitude = scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled;
    uint64_t unit = 1;
    int len;

    assert(digits <= FIXED_DIGITS_MAX);
    for (unsigned i = 0; i < digits; i++) {
        unit *= 10;
    }
    if (digits) {
        len = snprintf(text, 40, "%s%llu.%0*llu", scaled < 0 ? "-" : "",
                       (unsigned long long)(magnitude / unit), (int)digits,
                       (unsigned long long)(magnitude % unit));
    } else {
        len = snprintf(text, 40, "%lld", (long long)scaled);
    }
    return (size_t)len;
}

void json_write_fixed(struct json_writer *j, const char *key, int64_t scaled, unsigned digits)
{
    char text[40];
    size_t len = format_fixed(text, scaled, digits);

    begin_value(j, key);
    put(j, text, len);
}

void json_write_int(struct json_writer *j, const char *key, int64_t number)
{
    json_write_fixed(j, key, number, 0);
}

void json_write_fixed_text(struct json_writer *j, const char *key, int64_t scaled, unsigned digits)
{
    char text[40];
    size_t len = format_fixed(text, scaled, digits);

    json_write_text(j, key, (struct str){ text, len });
}

void json_write_bool(struct json_writer *j, const char *key, bool value)
{
    begin_value(j, key);
    put(j, value ? "true" : "false", value ? 4 : 5);
}

void json_write_null(struct json_writer *j, const char *key)
{
    begin_value(j, key);
    put(j, "null", 4);
}

void json_write_known(struct json_writer *j, const char *key, uint64_t number, bool is_known)
{
    if (is_known) {
        json_write_uint(j, key, number);
    } else {
        json_write_null(j, key);
    }
}

void json_write_raw(struct json_writer *j, const char *key, struct str json)
{
    begin_value(j, key);
    put(j, json.data, json.len);
}

void json_write_base64(struct json_writer *j, const char *key, struct str bytes)
{
    begin_value(j, key);
    put(j, "\"", 1);
    if (j->result == RESULT_OK) {
        j->result = base64_append(j->out, bytes);
    }
    put(j, "\"", 1);
}

void json_write_key(struct json_writer *j, struct str key)
{
    begin_value(j, NULL);
    put_quoted(j, key);
    put(j, ":", 1);
    j->comma = false;
}

void json_write_line(struct json_writer *j, unsigned blanks)
{
    j->blank = blanks + 1;
}

void json_write_moment(struct json_writer *j, const char *key, int64_t wall_us, int64_t absent)
{
    char text[CLOCK_TEXT_SIZE];

    if (wall_us == absent) {
        json_write_null(j, key);
        return;
    }
    clock_format_utc(wall_us, text);
    json_write_text(j, key, str_view(text));
}

void json_write_time(struct json_writer *j, const char *key, int64_t unix_s)
{
    char text[CLOCK_TEXT_SIZE];
    size_t seconds = strlen("2026-11-21T04:15:00");

    clock_format_utc(unix_s * (int64_t)US_PER_S, text);
    text[seconds] = 'Z';
    json_write_text(j, key, (struct str){ text, seconds + 1 });
}
