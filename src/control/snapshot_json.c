#include "control/snapshot_json.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_MAX 40

/* --- one value ------------------------------------------------------------------------------------- */

static uint64_t unsigned_at(const struct field *f, const char *at)
{
    uint32_t small;
    uint64_t large;

    if (f->size == sizeof small) {
        memcpy(&small, at, sizeof small);
        return small;
    }
    memcpy(&large, at, sizeof large);
    return large;
}

static int64_t signed_at(const struct field *f, const char *at)
{
    int32_t small;
    int64_t large;

    if (f->size == sizeof small) {
        memcpy(&small, at, sizeof small);
        return small;
    }
    memcpy(&large, at, sizeof large);
    return large;
}

static double double_at(const struct field *f, const char *at)
{
    float small;
    double large;

    if (f->kind == FIELD_FLOAT) {
        memcpy(&small, at, sizeof small);
        return (double)small;
    }
    memcpy(&large, at, sizeof large);
    return large;
}

static size_t count_of(const struct field *f, const char *from, size_t max)
{
    size_t count;

    memcpy(&count, from + f->count_offset, sizeof count);
    return count < max ? count : max;
}

static struct str text_at(const struct field *f, const char *from)
{
    const char *at = from + f->offset;

    return (struct str){ at, f->kind == FIELD_BYTES ? count_of(f, from, f->size)
                                                    : strnlen(at, f->size) };
}

/* What an element of a list leaves out. */
static bool is_nothing(const struct field *f, const char *from)
{
    const char *at = from + f->offset;

    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_BYTES:
        return text_at(f, from).len == 0;
    case FIELD_LIST:
        return count_of(f, from, f->max) == 0;
    case FIELD_NEVER:
        return unsigned_at(f, at) == 0;
    case FIELD_GROUP:
    case FIELD_NUMBERS:
        return false;
    default:
        for (size_t i = 0; i < f->size; i++) {
            if (at[i]) {
                return false;
            }
        }
        return true;
    }
}

/* --- writing ------------------------------------------------------------------------------------------ */

static enum result write_group(struct buf *out, const struct field_group *group, const char *from,
                               bool sparse);

/* Fifteen digits are enough for most, and then they are the figure that people know: 21.6. */
static enum result write_double(struct buf *out, double value)
{
    char text[32];

    if (!isfinite(value)) {
        return buf_append_str(out, STR("null"));
    }
    snprintf(text, sizeof text, "%.15g", value);
    return strtod(text, NULL) == value ? buf_append_str(out, str_view(text))
                                       : buf_printf(out, "%.17g", value);
}

static enum result write_failure(struct buf *out, const char *at)
{
    char word[FAILURE_TEXT_MAX];
    struct failure failure;

    memcpy(&failure, at, sizeof failure);
    failure_format_word(failure, word);
    return word[0] ? json_text_append_shown(out, str_view(word)) : buf_append_str(out, STR("null"));
}

static enum result write_list(struct buf *out, const struct field *f, const char *from)
{
    size_t count = count_of(f, from, f->max);
    enum result result = buf_append_char(out, '[');

    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        if (i) {
            result = buf_append_char(out, ',');
        }
        if (result == RESULT_OK) {
            result = write_group(out, f->of, from + f->offset + i * f->size, true);
        }
    }
    return result == RESULT_OK ? buf_append_char(out, ']') : result;
}

static enum result write_numbers(struct buf *out, const struct field *f, const char *from)
{
    enum result result = buf_append_char(out, '[');

    for (size_t i = 0; result == RESULT_OK && i < f->max; i++) {
        uint64_t number;

        memcpy(&number, from + f->offset + i * f->size, sizeof number);
        result = buf_printf(out, "%s%" PRIu64, i ? "," : "", number);
    }
    return result == RESULT_OK ? buf_append_char(out, ']') : result;
}

static enum result write_word(struct buf *out, const struct field *f, const char *at)
{
    int64_t value = signed_at(f, at);

    return value >= 0 && value < f->words->count
               ? json_text_append_shown(out, str_view(f->words->word((int)value)))
               : buf_append_str(out, STR("null"));
}

static enum result write_value(struct buf *out, const struct field *f, const char *from,
                               bool sparse)
{
    const char *at = from + f->offset;

    switch (f->kind) {
    case FIELD_BOOL:
        return buf_append_str(out, *at ? STR("true") : STR("false"));
    case FIELD_UNSIGNED:
        return buf_printf(out, "%" PRIu64, unsigned_at(f, at));
    case FIELD_SIGNED:
        return buf_printf(out, "%" PRId64, signed_at(f, at));
    case FIELD_NEVER:
        return unsigned_at(f, at) == UINT64_MAX ? buf_append_str(out, STR("null"))
                                                : buf_printf(out, "%" PRIu64, unsigned_at(f, at));
    case FIELD_ID:
        return buf_printf(out, "\"%" PRIu64 "\"", unsigned_at(f, at));
    case FIELD_DOUBLE:
    case FIELD_FLOAT:
        return write_double(out, double_at(f, at));
    case FIELD_TEXT:
    case FIELD_BYTES:
        return json_text_append_shown(out, text_at(f, from));
    case FIELD_WORD:
        return write_word(out, f, at);
    case FIELD_FAILURE:
        return write_failure(out, at);
    case FIELD_GROUP:
        return write_group(out, f->of, at, sparse);
    case FIELD_LIST:
        return write_list(out, f, from);
    case FIELD_NUMBERS:
        break;
    }
    return write_numbers(out, f, from);
}

static enum result write_group(struct buf *out, const struct field_group *group, const char *from,
                               bool sparse)
{
    enum result result = buf_append_char(out, '{');
    const char *comma = "";

    for (size_t i = 0; result == RESULT_OK && i < group->count; i++) {
        const struct field *f = &group->fields[i];

        if (sparse && is_nothing(f, from)) {
            continue;
        }
        result = buf_printf(out, "%s\"%s\":", comma, f->name);
        comma = ",";
        if (result == RESULT_OK) {
            result = write_value(out, f, from, sparse);
        }
    }
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}

enum result snapshot_json_write(struct buf *out, const struct field_group *group, const void *from)
{
    return write_group(out, group, from, false);
}

/* --- reading ------------------------------------------------------------------------------------------ */

/* A number's digits, terminated; false when it is none, or longer than any that was written here. */
static bool number_text(struct str value, char text[NUMBER_TEXT_MAX])
{
    struct str digits = str_trim(value);

    if (json_type_of(value) != JSON_NUMBER || digits.len >= NUMBER_TEXT_MAX) {
        return false;
    }
    memcpy(text, digits.data, digits.len);
    text[digits.len] = '\0';
    return true;
}

static void put_unsigned(const struct field *f, char *at, uint64_t value)
{
    uint32_t small = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;

    if (f->size == sizeof small) {
        memcpy(at, &small, sizeof small);
    } else {
        memcpy(at, &value, sizeof value);
    }
}

static void put_signed(const struct field *f, char *at, int64_t value)
{
    int32_t small = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;

    if (f->size == sizeof small) {
        memcpy(at, &small, sizeof small);
    } else {
        memcpy(at, &value, sizeof value);
    }
}

static void read_number(const struct field *f, struct str value, char *at)
{
    char text[NUMBER_TEXT_MAX];

    if (!number_text(value, text)) {
        return;
    }
    if (f->kind == FIELD_SIGNED) {
        put_signed(f, at, strtoll(text, NULL, 10));
    } else if (text[0] != '-') {
        put_unsigned(f, at, strtoull(text, NULL, 10));
    }
}

static void read_double(const struct field *f, struct str value, char *at)
{
    char text[NUMBER_TEXT_MAX];
    double number = NAN;
    float small;

    if (json_type_of(value) != JSON_NULL && !number_text(value, text)) {
        return;
    }
    if (json_type_of(value) != JSON_NULL) {
        number = strtod(text, NULL);
    }
    if (f->kind == FIELD_FLOAT) {
        small = (float)number;
        memcpy(at, &small, sizeof small);
    } else {
        memcpy(at, &number, sizeof number);
    }
}

/* The text, in a buffer to release. Empty for another type. */
static struct str decode(struct str value, struct buf *text)
{
    struct str raw = json_type_of(value) == JSON_STRING ? json_string_raw(value) : STR_NONE;

    return json_unescape(text, raw, NULL) == RESULT_OK ? buf_view(text) : STR_NONE;
}

static void read_text(const struct field *f, struct str value, char *to)
{
    struct buf text = { 0 };
    struct str s = decode(value, &text);
    size_t room = f->kind == FIELD_BYTES ? f->size : f->size - 1;
    size_t len = s.len < room ? s.len : room;

    while (len < s.len && len > 0 && ((unsigned char)s.data[len] & 0xC0) == 0x80) {
        len--; /* not within a character */
    }
    if (len) {
        memcpy(to + f->offset, s.data, len);
    }
    if (f->kind == FIELD_BYTES) {
        memcpy(to + f->count_offset, &len, sizeof len);
    } else {
        to[f->offset + len] = '\0';
    }
    buf_release(&text);
}

static void read_id(const struct field *f, struct str value, char *at)
{
    struct buf text = { 0 };
    uint64_t id;

    if (str_to_u64(decode(value, &text), &id)) {
        put_unsigned(f, at, id);
    }
    buf_release(&text);
}

static void read_word(const struct field *f, struct str value, char *at)
{
    struct str raw = json_string_raw(value);

    for (int i = 0; i < f->words->count && json_type_of(value) == JSON_STRING; i++) {
        if (json_raw_equal(raw, str_view(f->words->word(i)))) {
            put_signed(f, at, i);
            return;
        }
    }
}

static void read_failure(struct str value, char *at)
{
    struct buf text = { 0 };
    struct str word = decode(value, &text);
    struct failure_choice choice;

    if (word.len && failure_choice_parse(word, &choice)) {
        struct failure failure = { choice.class, choice.status };

        memcpy(at, &failure, sizeof failure);
    }
    buf_release(&text);
}

static void read_group(struct str object, const struct field_group *group, void *to);

static void read_list(const struct field *f, struct str value, char *to)
{
    struct json_walk walk;
    struct str element;
    size_t count = 0;

    if (json_type_of(value) != JSON_ARRAY) {
        return;
    }
    json_walk_begin(&walk, value);
    while (count < f->max && json_walk_next(&walk, NULL, &element)) {
        read_group(element, f->of, to + f->offset + count * f->size);
        count++;
    }
    memcpy(to + f->count_offset, &count, sizeof count);
}

static void read_numbers(const struct field *f, struct str value, char *to)
{
    struct json_walk walk;
    struct str element;

    if (json_type_of(value) != JSON_ARRAY) {
        return;
    }
    json_walk_begin(&walk, value);
    for (size_t i = 0; i < f->max && json_walk_next(&walk, NULL, &element); i++) {
        read_number(f, element, to + f->offset + i * f->size);
    }
}

static void read_value(const struct field *f, struct str value, char *to)
{
    char *at = to + f->offset;
    bool truth = str_equal(str_trim(value), STR("true"));
    uint64_t never = UINT64_MAX;

    switch (f->kind) {
    case FIELD_BOOL:
        memcpy(at, &truth, sizeof truth);
        break;
    case FIELD_NEVER:
        if (json_type_of(value) == JSON_NULL) {
            memcpy(at, &never, sizeof never);
            break;
        }
        /* fall through */
    case FIELD_UNSIGNED:
    case FIELD_SIGNED:
        read_number(f, value, at);
        break;
    case FIELD_ID:
        read_id(f, value, at);
        break;
    case FIELD_DOUBLE:
    case FIELD_FLOAT:
        read_double(f, value, at);
        break;
    case FIELD_TEXT:
    case FIELD_BYTES:
        read_text(f, value, to);
        break;
    case FIELD_WORD:
        read_word(f, value, at);
        break;
    case FIELD_FAILURE:
        read_failure(value, at);
        break;
    case FIELD_GROUP:
        read_group(value, f->of, at);
        break;
    case FIELD_LIST:
        read_list(f, value, to);
        break;
    case FIELD_NUMBERS:
        read_numbers(f, value, to);
        break;
    }
}

/* An object, into the struct at `to`, which is zeroed. */
static void read_group(struct str object, const struct field_group *group, void *to)
{
    struct json_walk walk;
    struct str key, value;
    size_t next = 0;

    if (json_type_of(object) != JSON_OBJECT) {
        return;
    }
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        /* Members come in the order of the rows: the next one is nearly always the right one. */
        for (size_t i = 0; i < group->count; i++) {
            const struct field *f = &group->fields[(next + i) % group->count];

            if (json_raw_equal(key, str_view(f->name))) {
                read_value(f, value, to);
                next = (next + i + 1) % group->count;
                break;
            }
        }
    }
}

void snapshot_json_read_all(struct str object, struct snapshot *to)
{
    memset(to, 0, sizeof *to);
    read_group(object, &snapshot_fields, to);
}
