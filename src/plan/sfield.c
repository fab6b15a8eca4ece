#include "plan/sfield.h"

#include <string.h>

#define NUMBER_DIGITS_MAX 15 /* RFC 9651 section 3.3.1 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alpha(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool at(const struct sfield *f, char c)
{
    return f->at < f->end && *f->at == c;
}

static void skip_spaces(struct sfield *f, bool tabs)
{
    while (at(f, ' ') || (tabs && at(f, '\t'))) {
        f->at++;
    }
}

static bool fail(struct sfield *f)
{
    f->failed = true;
    return false;
}

/* A list begins with an item: a bare key with "=" after it can only begin a dictionary. */
static bool begins_dictionary(const struct sfield *f)
{
    const char *c = f->at;

    while (c < f->end && (is_lower(*c) || is_digit(*c) || strchr("_-.*", *c)) && *c != '\0') {
        c++;
    }
    return c > f->at && !is_digit(*f->at) && c < f->end && *c == '=';
}

void sfield_begin(struct sfield *f, struct str text)
{
    *f = (struct sfield){ .at = text.data, .end = text.data ? text.data + text.len : NULL };
    skip_spaces(f, false);
    while (f->end > f->at && f->end[-1] == ' ') {
        f->end--;
    }
    f->is_dictionary = begins_dictionary(f);
}

static bool take_key(struct sfield *f, struct str *key)
{
    const char *from = f->at;

    if (f->at == f->end || !(is_lower(*f->at) || *f->at == '*')) {
        return fail(f);
    }
    while (f->at < f->end && (is_lower(*f->at) || is_digit(*f->at) || at(f, '_') || at(f, '-') ||
                              at(f, '.') || at(f, '*'))) {
        f->at++;
    }
    *key = (struct str){ from, (size_t)(f->at - from) };
    return true;
}

static bool take_number(struct sfield *f, struct sfield_value *value)
{
    bool negative = at(f, '-');
    int digits = 0, decimals = 0;
    double number = 0, unit = 1;

    f->at += negative;
    for (; f->at < f->end && is_digit(*f->at); f->at++, digits++) {
        number = number * 10 + (*f->at - '0');
    }
    if (digits && at(f, '.')) {
        f->at++;
        for (; f->at < f->end && is_digit(*f->at); f->at++, decimals++) {
            number += (*f->at - '0') * (unit /= 10);
        }
        if (!decimals || decimals > 3 || digits > NUMBER_DIGITS_MAX - 3) {
            return fail(f);
        }
    }
    if (!digits || digits > NUMBER_DIGITS_MAX) {
        return fail(f);
    }
    value->type = SFIELD_NUMBER;
    value->number = negative ? -number : number;
    return true;
}

static bool take_string(struct sfield *f, struct sfield_value *value)
{
    const char *from = ++f->at;

    for (; f->at < f->end && *f->at != '"'; f->at++) {
        if (*f->at == '\\') {
            f->at++;
            if (!at(f, '"') && !at(f, '\\')) {
                return fail(f);
            }
        } else if (*f->at < ' ' || *f->at > '~') {
            return fail(f);
        }
    }
    if (f->at == f->end) {
        return fail(f);
    }
    value->type = SFIELD_STRING;
    value->text = (struct str){ from, (size_t)(f->at++ - from) };
    return true;
}

static bool take_bytes(struct sfield *f, struct sfield_value *value)
{
    const char *from = ++f->at;

    while (f->at < f->end &&
           (is_alpha(*f->at) || is_digit(*f->at) || at(f, '+') || at(f, '/') || at(f, '='))) {
        f->at++;
    }
    if (!at(f, ':')) {
        return fail(f);
    }
    value->type = SFIELD_BYTES;
    value->text = (struct str){ from, (size_t)(f->at++ - from) };
    return true;
}

static bool take_boolean(struct sfield *f, struct sfield_value *value)
{
    f->at++;
    if (!at(f, '0') && !at(f, '1')) {
        return fail(f);
    }
    value->type = SFIELD_BOOLEAN;
    value->number = *f->at++ - '0';
    return true;
}

static bool take_token(struct sfield *f, struct sfield_value *value)
{
    const char *from = f->at;

    while (f->at < f->end && *f->at != '\0' &&
           (is_alpha(*f->at) || is_digit(*f->at) || strchr("!#$%&'*+-.^_`|~:/", *f->at))) {
        f->at++;
    }
    value->type = SFIELD_TOKEN;
    value->text = (struct str){ from, (size_t)(f->at - from) };
    return true;
}

static bool take_item(struct sfield *f, struct sfield_value *value)
{
    *value = (struct sfield_value){ .text = STR_NONE };
    if (f->at == f->end) {
        return fail(f);
    }
    switch (*f->at) {
    case '"':
        return take_string(f, value);
    case ':':
        return take_bytes(f, value);
    case '?':
        return take_boolean(f, value);
    default:
        break;
    }
    if (is_digit(*f->at) || *f->at == '-') {
        return take_number(f, value);
    }
    return is_alpha(*f->at) || *f->at == '*' ? take_token(f, value) : fail(f);
}

/* A key without a value is true, in a dictionary as in parameters. */
static bool take_value(struct sfield *f, struct sfield_value *value)
{
    if (!at(f, '=')) {
        *value = (struct sfield_value){ .type = SFIELD_BOOLEAN, .number = 1 };
        return true;
    }
    f->at++;
    return take_item(f, value);
}

bool sfield_member(struct sfield *f, struct str *key, struct sfield_value *value)
{
    if (f->failed || (!f->begun && f->at == f->end)) {
        return false;
    }
    if (f->begun) {
        skip_spaces(f, true);
        if (f->at == f->end) {
            return false;
        }
        if (*f->at++ != ',') {
            return fail(f);
        }
        skip_spaces(f, true);
    }
    f->begun = true;
    *key = STR_NONE;
    return f->is_dictionary ? take_key(f, key) && take_value(f, value) : take_item(f, value);
}

bool sfield_parameter(struct sfield *f, struct str *key, struct sfield_value *value)
{
    if (f->failed || !at(f, ';')) {
        return false;
    }
    f->at++;
    skip_spaces(f, false);
    return take_key(f, key) && take_value(f, value);
}

bool sfield_is_whole(const struct sfield *f)
{
    return !f->failed && f->at == f->end;
}
