#include "job/glob_parts.h"

#include "base/url.h"
#include "job/secret.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_MAX 24 /* UINT64_MAX has 20 digits */

/* "page=" when `before`, the literal in front of the varying part, ends in "?page=" or "&page=". */
static struct str key_head(struct str before)
{
    static const struct str names[] = { STR_INIT("page="), STR_INIT("_page="), STR_INIT("p="),
                                        STR_INIT("offset="), STR_INIT("cursor=") };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = names[i].len;
        const char *end = before.data + before.len;

        if (before.len > len && memcmp(end - len, names[i].data, len) == 0 &&
            (end[-1 - (ptrdiff_t)len] == '?' || end[-1 - (ptrdiff_t)len] == '&')) {
            return names[i];
        }
    }
    return STR_NONE;
}

static void find_key_head(struct glob *glob)
{
    for (size_t i = 1; i < glob->part_count && glob->varying_count == 1; i++) {
        if (glob->parts[i].count > 1 && glob->parts[i - 1].kind == PART_LITERAL) {
            glob->key_head = key_head(glob->parts[i - 1].as.text);
        }
    }
}

static enum result append_value(const struct part *part, uint64_t value, struct buf *to)
{
    char digits[NUMBER_TEXT_MAX], *digit = digits + sizeof digits;
    uint64_t number;
    size_t len;
    enum result result = RESULT_OK;

    switch (part->kind) {
    case PART_LITERAL:
        return buf_append_str(to, part->as.text);
    case PART_SET:
        return buf_append_str(to, part->as.set.items[value]);
    case PART_LETTERS:
        return buf_append_char(to,
                               (char)(part->as.letters.low + (int)(value * part->as.letters.step)));
    case PART_NUMBERS:
        break;
    }
    number = part->as.numbers.low + value * part->as.numbers.step;
    do {
        *--digit = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    len = (size_t)(digits + sizeof digits - digit);
    for (size_t i = len; i < part->as.numbers.width && result == RESULT_OK; i++) {
        result = buf_append_char(to, '0');
    }
    return result == RESULT_OK ? buf_append(to, digit, len) : result;
}

/* The values of all parts at `index`: digits of a number whose places have the parts' counts as their
 * bases, the rightmost being the lowest. */
static void values_at(const struct glob *glob, uint64_t index, uint64_t values[GLOB_PARTS_MAX])
{
    for (size_t i = glob->part_count; i-- > 0;) {
        values[i] = index % glob->parts[i].count;
        index /= glob->parts[i].count;
    }
}

static enum result build_url(const struct glob *glob, const uint64_t *values, struct buf *url)
{
    enum result result = RESULT_OK;

    buf_reset(url);
    for (size_t i = 0; i < glob->part_count && result == RESULT_OK; i++) {
        result = append_value(&glob->parts[i], values[i], url);
    }
    return result;
}

static enum result build_key(const struct glob *glob, const uint64_t *values, struct str url,
                             struct buf *key)
{
    enum result result;
    bool first = true;

    buf_reset(key);
    if (!glob->varying_count) {
        return glob_url_key(url, key);
    }
    result = buf_append_str(key, glob->key_head);
    for (size_t i = 0; i < glob->part_count && result == RESULT_OK; i++) {
        if (glob->parts[i].count == 1) {
            continue;
        }
        if (!first) {
            result = buf_append_char(key, ',');
        }
        first = false;
        if (result == RESULT_OK) {
            result = append_value(&glob->parts[i], values[i], key);
        }
    }
    return result;
}

static enum result check_value(const struct glob *glob, uint64_t *values, size_t part,
                               uint64_t value, struct buf *url, struct err *err)
{
    uint64_t before = values[part];
    struct url split;
    enum result result;

    values[part] = value;
    result = build_url(glob, values, url);
    values[part] = before;
    if (result == RESULT_LIMIT) {
        return err_set(err, RESULT_LIMIT, "E-URL7", "URL too long (over %d bytes)", URL_MAX_BYTES);
    }
    return result == RESULT_OK ? url_split(buf_view(url), &split, err)
                               : err_nomem(err, "expanding a URL pattern");
}

/* Every member of a set and both ends of a range, each with the other parts at their first value: a
 * set may stand where the scheme or the host is. */
static enum result check_urls(const struct glob *glob, struct err *err)
{
    uint64_t values[GLOB_PARTS_MAX] = { 0 };
    struct buf url;
    enum result result;

    buf_init(&url, URL_MAX_BYTES);
    result = check_value(glob, values, 0, 0, &url, err);
    for (size_t i = 0; i < glob->part_count && result == RESULT_OK; i++) {
        const struct part *part = &glob->parts[i];
        uint64_t value = part->kind == PART_NUMBERS ? part->count - 1 : 1;

        for (; value && value < part->count && result == RESULT_OK; value++) {
            result = check_value(glob, values, i, value, &url, err);
            if (result != RESULT_OK) {
                err_prefix(err, "URL pattern, value %llu of the part at byte %zu",
                           (unsigned long long)value + 1, part->at + 1);
            }
        }
    }
    buf_release(&url);
    return result;
}

/* A NUL would end the pattern early; every other bad byte is found in the URLs it makes. */
static enum result check_pattern(struct str pattern, struct err *err)
{
    const char *nul = pattern.len ? memchr(pattern.data, '\0', pattern.len) : NULL;

    if (nul) {
        return err_set(err, RESULT_INVALID, "E-URL1", "control character \\x00 in URL at byte %zu",
                       (size_t)(nul - pattern.data) + 1);
    }
    if (!pattern.len) {
        return err_set(err, RESULT_INVALID, "E-URL4", "empty URL");
    }
    if (pattern.len > GLOB_PATTERN_MAX) {
        return err_set(err, RESULT_LIMIT, "E-GLOB4", "URL pattern too long (%zu > %u bytes)",
                       pattern.len, (unsigned)GLOB_PATTERN_MAX);
    }
    return RESULT_OK;
}

static size_t count_members(struct str pattern)
{
    size_t count = 1;

    for (size_t i = 0; i < pattern.len; i++) {
        count += pattern.data[i] == ',' || pattern.data[i] == '{';
    }
    return count;
}

static void parse_nothing(struct glob *glob, struct str pattern)
{
    memcpy(glob->bytes, pattern.data, pattern.len);
    glob->parts[0] =
        (struct part){ .kind = PART_LITERAL, .count = 1, .as.text = { glob->bytes, pattern.len } };
    glob->part_count = 1;
}

enum result glob_new(struct glob **glob, struct str pattern, bool globoff, struct err *err)
{
    struct glob *g;
    enum result result = check_pattern(pattern, err);

    *glob = NULL;
    if (result != RESULT_OK) {
        return result;
    }
    g = calloc(1, sizeof *g);
    if (!g) {
        return err_nomem(err, "reading a URL pattern");
    }
    g->count = 1;
    g->bytes = malloc(pattern.len);
    g->items = calloc(count_members(pattern), sizeof *g->items);
    if (!g->bytes || !g->items) {
        result = err_nomem(err, "reading a URL pattern");
        goto fail_glob;
    }
    if (globoff) {
        parse_nothing(g, pattern);
    } else {
        result = glob_parse(g, pattern, err);
    }
    if (result == RESULT_OK) {
        result = check_urls(g, err);
    }
    if (result != RESULT_OK) {
        goto fail_glob;
    }
    find_key_head(g);
    *glob = g;
    return RESULT_OK;

fail_glob:
    glob_free(g);
    return result;
}

void glob_free(struct glob *glob)
{
    if (glob) {
        free(glob->items);
        free(glob->bytes);
        free(glob);
    }
}

bool glob_has_plain(const struct glob *glob)
{
    return glob->has_plain;
}

uint64_t glob_count(const struct glob *glob)
{
    return glob->count;
}

enum result glob_expand(const struct glob *glob, uint64_t index, struct buf *url, struct buf *key)
{
    uint64_t values[GLOB_PARTS_MAX];
    enum result result;

    values_at(glob, index, values);
    result = build_url(glob, values, url);
    if (result == RESULT_OK && key) {
        result = build_key(glob, values, buf_view(url), key);
    }
    return result;
}

enum result glob_url_key(struct str url, struct buf *key)
{
    struct url split;
    struct str target = STR_NONE;

    if (url_split(url, &split, NULL) == RESULT_OK) {
        target = split.target;
    }
    if (target.len && target.data[0] == '/') {
        target.data++;
        target.len--;
    }
    return target.len ? url_redact(target, key) : buf_append_str(key, STR("index"));
}
