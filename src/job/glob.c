#include "job/glob.h"

#include "base/url.h"
#include "job/secret.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS_SPAN_MAX ('z' - 'a') /* curl's bound: no range from 'A' to 'z' */
#define NUMBER_TEXT_MAX 24           /* UINT64_MAX has 20 digits */

enum part_kind { PART_LITERAL, PART_SET, PART_NUMBERS, PART_LETTERS };

struct part {
    enum part_kind kind;
    uint64_t count; /* values; a literal has one */
    size_t at;      /* where it stands in the pattern, for messages */
    union {
        struct str text;
        struct {
            const struct str *items;
        } set;
        struct {
            uint64_t low, step;
            size_t width; /* digits to pad to with zeros */
        } numbers;
        struct {
            char low;
            unsigned step;
        } letters;
    } as;
};

struct glob {
    struct part parts[GLOB_PARTS_MAX];
    size_t part_count;
    size_t varying_count; /* parts with more than one value */
    struct str key_head;  /* "page=", when the only varying part is that parameter's value */
    uint64_t count;
    bool has_plain;    /* brackets or braces in a query that stand for themselves */
    char *bytes;       /* literals and set members, unescaped; parts are views into it */
    struct str *items; /* members of all sets */
    size_t bytes_len, items_len;
};

/* Where glob_new has got to. The pattern is a C string here, so `text[at]` is always readable. */
struct cursor {
    const char *text;
    size_t at;
    struct err *err;
};

/* The way out for brackets that were never meant as a range. */
#define AS_TEXT "; for brackets as they stand write \\[ and \\], or -g"

static enum result fail(const struct cursor *c, size_t at, const char *code, const char *what)
{
    return err_set(c->err, RESULT_INVALID, code, "bad URL pattern at byte %zu: %s", at + 1, what);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of an IPv6 literal with its brackets at the head of `text`, 0 when there is none. Such a
 * literal stands for itself wherever it is met, as in curl. */
static size_t ipv6_len(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    const char *close = strchr(text, ']');
    size_t len, zone;

    if (!close) {
        return 0;
    }
    len = (size_t)(close - text) - 1;
    zone = strcspn(text + 1, "%]"); /* a zone id may follow the address */
    if (zone >= sizeof address) {
        return 0;
    }
    memcpy(address, text + 1, zone);
    address[zone] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1 ? len + 2 : 0;
}

/* Length of brackets in a query that name a member and are no range: `filter[status]`, `page[size]`,
 * `id[0]`. A range has a `-`, and what is mistyped for one is to be told. `at` in `text` is the bracket. */
static size_t member_len(const char *text, size_t at)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$";
    size_t len = strspn(text + at + 1, word);

    return memchr(text, '?', at) && text[at + 1 + len] == ']' ? len + 2 : 0;
}

/* Length of brackets that stand for themselves; 0 when a range begins. */
static size_t plain_brackets_len(const char *text, size_t at)
{
    size_t len = text[at + 1] == ']' ? 2 : ipv6_len(text + at);

    return len ? len : member_len(text, at);
}

/* Braces in a query that can be no set, as of JSON, up to where they are closed or the text ends; 0 when they can. */
static size_t plain_braces_len(const char *text, size_t at)
{
    size_t depth = 0, end = at;
    bool in_string = false;

    if (text[at] != '{' || !memchr(text, '?', at) ||
        (!strchr("\"{[$}", text[at + 1]) && strchr(text + at, '}'))) {
        return 0;
    }
    for (; text[end]; end++) {
        if (in_string && text[end] == '\\' && text[end + 1]) {
            end++;
        } else if (text[end] == '"') {
            in_string = !in_string;
        } else if (!in_string && (text[end] == '{' || text[end] == '[')) {
            depth++;
        } else if (!in_string && (text[end] == '}' || text[end] == ']') && --depth == 0) {
            return end + 1 - at;
        }
    }
    return end - at;
}

static size_t plain_len(const char *text, size_t at)
{
    return text[at] == '[' ? plain_brackets_len(text, at) : plain_braces_len(text, at);
}

static void skip_blanks(struct cursor *c)
{
    while (c->text[c->at] == ' ' || c->text[c->at] == '\t') {
        c->at++;
    }
}

static bool take_number(struct cursor *c, uint64_t *number)
{
    size_t len = strspn(c->text + c->at, "0123456789");
    struct str digits = { c->text + c->at, len };

    c->at += len;
    return str_to_u64(digits, number);
}

/* After the upper bound: "]" or ":STEP]". */
static bool take_step(struct cursor *c, uint64_t *step)
{
    *step = 1;
    if (c->text[c->at] == ':') {
        c->at++;
        skip_blanks(c);
        if (!take_number(c, step)) {
            return false;
        }
    }
    if (c->text[c->at] != ']') {
        return false;
    }
    c->at++;
    return true;
}

/* A range of one value takes step 1 only, and a step may not pass over the whole range: curl's rules,
 * which catch a mistyped step. */
static bool range_makes_sense(uint64_t low, uint64_t high, uint64_t step)
{
    return low == high ? step == 1 : low < high && step > 0 && step <= high - low;
}

static enum result parse_numbers(struct cursor *c, struct part *part)
{
    size_t start = c->at;
    uint64_t low, high, step;

    if (c->text[c->at] == '0') {
        part->as.numbers.width = strspn(c->text + c->at, "0123456789");
    }
    if (!take_number(c, &low)) {
        return fail(c, start, "E-GLOB1", "the range's lower bound is above 18446744073709551615");
    }
    if (c->text[c->at] != '-') {
        return fail(c, c->at, "E-GLOB1", "bad range, want [1-100] or [1-100:5]" AS_TEXT);
    }
    c->at++;
    skip_blanks(c);
    start = c->at;
    if (!is_digit(c->text[c->at])) {
        return fail(c, start, "E-GLOB1", "bad range, want a number for its upper bound");
    }
    if (!take_number(c, &high)) {
        return fail(c, start, "E-GLOB1", "the range's upper bound is above 18446744073709551615");
    }
    if (!take_step(c, &step)) {
        return fail(c, c->at, "E-GLOB1", "bad range, want \"]\" or \":STEP]\" here");
    }
    if (low > high) {
        return fail(c, start, "E-GLOB1", "bad range, it ends below its start");
    }
    if (!range_makes_sense(low, high, step)) {
        return fail(c, start, "E-GLOB1", "bad range, the step must be from 1 to its length");
    }
    part->kind = PART_NUMBERS;
    part->as.numbers.low = low;
    part->as.numbers.step = step;
    if (__builtin_add_overflow((high - low) / step, 1, &part->count)) {
        return fail(c, start, "E-GLOB2", "the range has more than 2^64-1 values");
    }
    return RESULT_OK;
}

static enum result parse_letters(struct cursor *c, struct part *part)
{
    size_t start = c->at;
    char low = c->text[start], high;
    uint64_t step;

    if (c->text[start + 1] != '-' || !c->text[start + 2]) {
        return fail(c, start, "E-GLOB1", "bad range, want [a-z] or [a-z:2]" AS_TEXT);
    }
    high = c->text[start + 2];
    c->at += 3;
    if (!take_step(c, &step)) {
        return fail(c, c->at, "E-GLOB1", "bad range, want \"]\" or \":STEP]\" here");
    }
    if (low > high || high - low > LETTERS_SPAN_MAX) {
        return fail(c, start, "E-GLOB1", "bad range, letters run from a to z or from A to Z");
    }
    if (!range_makes_sense((uint64_t)low, (uint64_t)high, step)) {
        return fail(c, start, "E-GLOB1", "bad range, the step must be from 1 to its length");
    }
    part->kind = PART_LETTERS;
    part->as.letters.low = low;
    part->as.letters.step = (unsigned)step;
    part->count = (uint64_t)(high - low) / step + 1;
    return RESULT_OK;
}

static enum result parse_range(struct cursor *c, struct part *part)
{
    c->at++;
    if (is_digit(c->text[c->at])) {
        return parse_numbers(c, part);
    }
    if (is_letter(c->text[c->at])) {
        return parse_letters(c, part);
    }
    return fail(c, c->at, "E-GLOB1", "bad range, want digits or a letter after \"[\"" AS_TEXT);
}

static void add_byte(struct glob *glob, char c)
{
    glob->bytes[glob->bytes_len++] = c;
}

/* One member of a set, up to its comma or closing brace. */
static enum result parse_member(struct glob *glob, struct cursor *c, size_t open, struct str *item)
{
    *item = (struct str){ glob->bytes + glob->bytes_len, 0 };
    for (;; c->at++) {
        char byte = c->text[c->at];

        switch (byte) {
        case '\0':
            return fail(c, open, "E-GLOB3", "unmatched brace, \"}\" is missing");
        case '{':
        case '[':
            return fail(c, c->at, "E-GLOB3", "nested brace, a set holds plain text only");
        case ']':
            return fail(c, c->at, "E-GLOB3", "unexpected \"]\" within braces");
        case ',':
        case '}':
            item->len = (size_t)(glob->bytes + glob->bytes_len - item->data);
            return RESULT_OK;
        case '\\':
            if (c->text[c->at + 1]) {
                byte = c->text[++c->at];
            }
            break;
        default:
            break;
        }
        add_byte(glob, byte);
    }
}

static enum result parse_set(struct glob *glob, struct cursor *c, struct part *part)
{
    size_t open = c->at;

    part->kind = PART_SET;
    part->as.set.items = glob->items + glob->items_len;
    if (c->text[open + 1] == '}') {
        return fail(c, open + 1, "E-GLOB3", "nothing within braces");
    }
    do {
        enum result result;

        c->at++;
        result = parse_member(glob, c, open, &glob->items[glob->items_len]);
        if (result != RESULT_OK) {
            return result;
        }
        glob->items_len++;
        part->count++;
    } while (c->text[c->at] == ',');
    c->at++;
    return RESULT_OK;
}

static enum result parse_literal(struct glob *glob, struct cursor *c, struct part *part)
{
    const char *start = glob->bytes + glob->bytes_len;

    for (;;) {
        char byte = c->text[c->at];

        if (byte == '[' || byte == '{') {
            size_t len = plain_len(c->text, c->at);

            if (!len) {
                break;
            }
            glob->has_plain |= byte == '{' || memchr(c->text, '?', c->at);
            while (len--) {
                add_byte(glob, c->text[c->at++]);
            }
            continue;
        }
        if (byte == '\0') {
            break;
        }
        if (byte == '}' || byte == ']') {
            return fail(c, c->at, "E-GLOB3",
                        "unmatched closing brace or bracket; write a backslash before it, or -g");
        }
        if (byte == '\\' && c->text[c->at + 1] && strchr("{}[]", c->text[c->at + 1])) {
            byte = c->text[++c->at];
        }
        add_byte(glob, byte);
        c->at++;
    }
    part->kind = PART_LITERAL;
    part->count = 1;
    part->as.text = (struct str){ start, (size_t)(glob->bytes + glob->bytes_len - start) };
    return RESULT_OK;
}

static bool opens_part(const char *text, size_t at)
{
    return (text[at] == '{' || text[at] == '[') && !plain_len(text, at);
}

static enum result parse_parts(struct glob *glob, struct cursor *c)
{
    while (c->text[c->at]) {
        struct part *part = &glob->parts[glob->part_count];
        enum result result;

        if (glob->part_count == GLOB_PARTS_MAX) {
            return fail(c, c->at, "E-GLOB4", "too many ranges and sets in one URL");
        }
        part->at = c->at;
        if (!opens_part(c->text, c->at)) {
            result = parse_literal(glob, c, part);
        } else if (c->text[c->at] == '{') {
            result = parse_set(glob, c, part);
        } else {
            result = parse_range(c, part);
        }
        if (result != RESULT_OK) {
            return result;
        }
        if (__builtin_mul_overflow(glob->count, part->count, &glob->count)) {
            return fail(c, part->at, "E-GLOB2", "the pattern makes more than 2^64-1 URLs");
        }
        glob->varying_count += part->count > 1;
        glob->part_count++;
    }
    return RESULT_OK;
}

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
    char digits[NUMBER_TEXT_MAX];
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
    len = (size_t)snprintf(
        digits, sizeof digits, "%llu",
        (unsigned long long)(part->as.numbers.low + value * part->as.numbers.step));
    for (size_t i = len; i < part->as.numbers.width && result == RESULT_OK; i++) {
        result = buf_append_char(to, '0');
    }
    return result == RESULT_OK ? buf_append(to, digits, len) : result;
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

static enum result parse_pattern(struct glob *glob, struct str pattern, struct err *err)
{
    char *text = str_dup(pattern);
    struct cursor cursor = { text, 0, err };
    enum result result;

    if (!text) {
        return err_nomem(err, "reading a URL pattern");
    }
    result = parse_parts(glob, &cursor);
    free(text);
    return result;
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
        result = parse_pattern(g, pattern, err);
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
