#include "job/glob_parts.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS_SPAN_MAX ('z' - 'a') /* curl's bound: no range from 'A' to 'z' */

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

/* JSON as it stands there, up to where it is closed or the text ends. */
static size_t json_len(const char *text, size_t at)
{
    size_t depth = 0, end = at;
    bool in_string = false;

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

/* Braces in a query that can be no set, as of JSON; 0 when they can. */
static size_t plain_braces_len(const char *text, size_t at)
{
    return text[at] != '{' || !memchr(text, '?', at) ||
                   (!strchr("\"{[$}", text[at + 1]) && strchr(text + at, '}'))
               ? 0
               : json_len(text, at);
}

/* Of what is within brackets: a list ("1,2"), decimals, a wildcard, a date, words ("10 TO 20") are no range, and not
 * mistyped for one, as "1..5" is. A blank may stand behind what parts the numbers of a range. */
static bool is_no_range(const char *text, size_t len)
{
    size_t dashes = 0, odd = 0, commas = 0;

    for (size_t i = 0; i < len; i++) {
        dashes += text[i] == '-';
        commas += text[i] == ',';
        odd += (text[i] == '.' && text[i + 1] != '.' && (!i || text[i - 1] != '.')) ||
               text[i] == '*' || text[i] == '"' || text[i] == '\'' ||
               ((text[i] == ' ' || text[i] == '+' || text[i] == '%') && i && text[i - 1] != '-' &&
                text[i - 1] != ':' && text[i - 1] != ' ');
    }
    return odd || dashes > 1 || (commas && !dashes);
}

/* Brackets in a query that can be no range: of JSON, or what is_no_range tells. */
static size_t plain_array_len(const char *text, size_t at)
{
    const char *close = strchr(text + at, ']');

    if (!memchr(text, '?', at) || !close) {
        return 0;
    }
    if (strchr("\"{[", text[at + 1])) {
        return json_len(text, at);
    }
    return is_no_range(text + at + 1, (size_t)(close - text) - at - 1)
               ? (size_t)(close - text) + 1 - at
               : 0;
}

/* Length of brackets that stand for themselves; 0 when a range begins. */
static size_t plain_brackets_len(const char *text, size_t at)
{
    size_t len = text[at + 1] == ']' ? 2 : ipv6_len(text + at);

    len = len ? len : member_len(text, at);
    return len ? len : plain_array_len(text, at);
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
        return fail(c, c->at, "E-GLOB1", "bad range, want \"]\" or \":STEP]\" here" AS_TEXT);
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
        return fail(c, c->at, "E-GLOB1", "bad range, want \"]\" or \":STEP]\" here" AS_TEXT);
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

enum result glob_parse(struct glob *glob, struct str pattern, struct err *err)
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
