#include "job/list_entry.h"

#include "base/utf8.h"

#include <cjson/cJSON.h>

#include <string.h>

void list_entry_init(struct list_entry_reader *reader)
{
    *reader = (struct list_entry_reader){ .origin_len = 0 };
    buf_init(&reader->name, LIST_LINE_MAX);
    buf_init(&reader->url, LIST_LINE_MAX);
}

void list_entry_release(struct list_entry_reader *reader)
{
    buf_release(&reader->name);
    buf_release(&reader->url);
}

/* No space, control character or DEL. Written so that the compiler can take many bytes at a time. */
static bool is_plain(struct str text)
{
    unsigned bad = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        bad |= (unsigned)(c <= 0x20) | (unsigned)(c == 0x7F);
    }
    return !bad;
}

/* Most lists are ASCII, which is seen many bytes at a time. */
static bool is_utf8(struct str text)
{
    unsigned all = 0;

    for (size_t i = 0; i < text.len; i++) {
        all |= (unsigned char)text.data[i];
    }
    return all < 0x80 || utf8_valid_prefix(text) == text.len;
}

/* Most lists ask one host: a URL with the same head as the last good one needs no second look at it. */
static bool same_origin_as_before(const struct list_entry_reader *reader, struct str url)
{
    struct str origin = { reader->origin, reader->origin_len };

    return origin.len && str_starts(url, origin) && url.len > origin.len &&
           url.data[origin.len] == '/' && url.len <= URL_MAX_BYTES && is_plain(url);
}

static enum result check_url(struct list_entry_reader *reader, struct str url, struct err *err)
{
    struct url split;
    enum result result;

    if (same_origin_as_before(reader, url)) {
        return RESULT_OK;
    }
    result = url_split(url, &split, err);
    if (result == RESULT_OK && split.origin.len <= sizeof reader->origin) {
        memcpy(reader->origin, split.origin.data, split.origin.len);
        reader->origin_len = split.origin.len;
    }
    return result;
}

static enum result take_text(const cJSON *member, size_t max, struct buf *to, struct err *err)
{
    struct str text;

    if (!cJSON_IsString(member)) {
        return err_set(err, RESULT_INVALID, "E-IN1", "\"%s\" must be a string", member->string);
    }
    if (to->len) {
        return err_set(err, RESULT_INVALID, "E-IN1", "\"%s\" is given twice", member->string);
    }
    text = str_view(member->valuestring);
    if (!text.len || text.len > max) {
        return err_set(err, RESULT_INVALID, "E-IN1", "\"%s\" must have 1 to %zu bytes",
                       member->string, max);
    }
    return buf_append_str(to, text) == RESULT_OK ? RESULT_OK
                                                 : err_nomem(err, "reading a line of a list");
}

static enum result take_members(struct list_entry_reader *reader, const cJSON *object,
                                struct err *err)
{
    const cJSON *member;
    enum result result = RESULT_OK;

    cJSON_ArrayForEach(member, object)
    {
        if (strcmp(member->string, "url") == 0) {
            result = take_text(member, URL_MAX_BYTES, &reader->url, err);
        } else if (strcmp(member->string, "name") == 0) {
            result = take_text(member, LIST_NAME_MAX, &reader->name, err);
        } else {
            /* Passing over, say, a method would ask for something else than was meant. */
            result = err_set(err, RESULT_INVALID, "E-IN1",
                             "unknown key \"%.64s\"; a line has \"url\" and, if wanted, \"name\"",
                             member->string);
        }
        if (result != RESULT_OK) {
            return result;
        }
    }
    if (!reader->url.len) {
        return err_set(err, RESULT_INVALID, "E-IN1", "a JSON line must have a \"url\"");
    }
    for (size_t i = 0; i < reader->name.len; i++) {
        unsigned char c = (unsigned char)reader->name.data[i];

        if (c < 0x20 || c == 0x7F) {
            return err_set(err, RESULT_INVALID, "E-IN1", "control character \\x%02x in \"name\"",
                           (unsigned)c);
        }
    }
    return RESULT_OK;
}

static enum result parse_json(struct list_entry_reader *reader, struct str line,
                              struct list_entry *entry, struct err *err)
{
    cJSON *object;
    enum result result;

    /* cJSON would take invalid UTF-8, and end a string at an escaped NUL. */
    if (utf8_valid_prefix(line) != line.len || memmem(line.data, line.len, "\\u0000", 6)) {
        return err_set(err, RESULT_INVALID, "E-IN1", "not valid UTF-8, or \\u0000 in a string");
    }
    buf_reset(&reader->name);
    buf_reset(&reader->url);
    if (buf_append_str(&reader->url, line) != RESULT_OK || !buf_cstr(&reader->url)) {
        return err_nomem(err, "reading a line of a list");
    }
    object = cJSON_ParseWithLengthOpts(reader->url.data, line.len + 1, NULL, true);
    buf_reset(&reader->url);
    if (!cJSON_IsObject(object)) {
        cJSON_Delete(object);
        return err_set(err, RESULT_INVALID, "E-IN1",
                       "not a JSON object; want {\"name\": \"...\", \"url\": \"...\"}");
    }
    result = take_members(reader, object, err);
    cJSON_Delete(object);
    entry->name = buf_view(&reader->name);
    entry->url = buf_view(&reader->url);
    return result;
}

enum result list_entry_read(struct list_entry_reader *reader, struct str line,
                            struct list_entry *entry, struct err *err)
{
    const char *nul;
    enum result result = RESULT_OK;

    *entry = (struct list_entry){ STR_NONE, STR_NONE };
    line = str_trim(line);
    if (!line.len || line.data[0] == '#') {
        return RESULT_OK;
    }
    nul = memchr(line.data, '\0', line.len);
    if (nul) {
        return err_set(err, RESULT_INVALID, "E-IN1", "control character \\x00 at byte %zu",
                       (size_t)(nul - line.data) + 1);
    }
    if (line.data[0] != '{' && !is_utf8(line)) {
        return err_set(err, RESULT_INVALID, "E-IN1",
                       "is not UTF-8: save the list as that (iconv -f WINDOWS-1252 -t UTF-8), or "
                       "write such letters as %%XX");
    }
    if (line.data[0] == '{') {
        result = parse_json(reader, line, entry, err);
    } else {
        entry->url = line;
    }
    return result == RESULT_OK ? check_url(reader, entry->url, err) : result;
}
