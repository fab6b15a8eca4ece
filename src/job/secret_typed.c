/* Secrets that stand in texts, told by the names before them, or by their form. */
#include "job/secret.h"

#include "base/json_scan.h"
#include "base/one_of.h"
#include "base/os.h"
#include "base/url_make.h"

#include <string.h>

#define NAME_MAX_BYTES 96 /* no longer name is looked at */
#define VALUE_MAX_BYTES 8192

static bool is_alnum(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* `name: "value"`, `"name":"value"`, `name=value`, `<name>value</name>`, also within a JSON string, where
 * the quotes are escaped. */
struct typed {
    const char *begin;
    struct str rest;
    struct str name, value;
    bool is_quoted;
};

static bool is_name_byte(char c)
{
    return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == '%';
}

static void skip(struct typed *t, size_t len)
{
    t->rest.data += len;
    t->rest.len -= len;
}

static bool take(struct typed *t, const char *bytes)
{
    if (t->rest.len && t->rest.data[0] && strchr(bytes, t->rest.data[0])) {
        skip(t, 1);
        return true;
    }
    return false;
}

static void skip_blanks(struct typed *t)
{
    while (take(t, " \t\r\n")) {
    }
}

/* JSON may write any letter so. */
static bool is_escape(struct str text)
{
    if (text.len < 6 || text.data[0] != '\\' || text.data[1] != 'u') {
        return false;
    }
    return is_alnum(text.data[2]) && is_alnum(text.data[3]) && is_alnum(text.data[4]) &&
           is_alnum(text.data[5]);
}

static struct str take_name(struct typed *t)
{
    struct str name = { t->rest.data, 0 };

    for (size_t step = 1; step && name.len < t->rest.len; name.len += step) {
        struct str tail = { name.data + name.len, t->rest.len - name.len };

        step = is_name_byte(tail.data[0]) ? 1 : is_escape(tail) ? 6 : 0;
    }
    skip(t, name.len ? name.len : 1);
    return name;
}

/* Up to the quote that ends it: not one after a backslash, unless it began with such a one. */
static struct str take_quoted(struct typed *t, char quote, bool escaped)
{
    struct str value = { t->rest.data, 0 };

    while (t->rest.len) {
        if (t->rest.data[0] == '\\' && t->rest.len > 1) {
            if (escaped && t->rest.data[1] == quote) {
                break;
            }
            skip(t, 2);
            value.len += 2;
        } else if (t->rest.data[0] == quote && !escaped) {
            break;
        } else {
            skip(t, 1);
            value.len++;
        }
    }
    return value;
}

static struct str take_bare(struct typed *t, const char *ends)
{
    struct str value = { t->rest.data, 0 };

    while (t->rest.len && !(t->rest.data[0] && strchr(ends, t->rest.data[0]))) {
        skip(t, 1);
        value.len++;
    }
    return value;
}

/* An apostrophe that nothing ends before the string does in which it stands begins no value in quotes: else it would
 * hide all that follows. */
static bool is_closed(const struct typed *t, char quote)
{
    for (size_t i = 2; quote == '\'' && i < t->rest.len; i++) {
        if (t->rest.data[i] == '"') {
            return false;
        }
        if (t->rest.data[i] == '\'') {
            return true;
        }
    }
    return quote != '\'';
}

static void take_value(struct typed *t, bool is_xml)
{
    bool escaped = t->rest.len > 1 && t->rest.data[0] == '\\' && strchr("\"'", t->rest.data[1]);
    char quote = t->rest.len > escaped ? t->rest.data[escaped] : '\0';

    t->is_quoted = !is_xml && quote && strchr("\"'", quote) && is_closed(t, quote);
    if (!is_xml && quote == '\'' && !t->is_quoted) {
        skip(t, escaped + 1U);
    }
    if (is_xml) {
        t->value = take_bare(t, "<");
    } else if (t->is_quoted) {
        skip(t, escaped + 1U);
        t->value = take_quoted(t, quote, escaped);
    } else {
        t->value = take_bare(t, "&;,)]}{[<> \t\r\n\"'\\#");
    }
}

/* The name is an element's: after "<", or "<soap:". What else comes before a ">" is a comparison, in GraphQL too. */
static bool is_opened(const struct typed *t)
{
    const char *at = t->name.data;

    if (at > t->begin && at[-1] == ':') {
        at--;
        while (at > t->begin && is_name_byte(at[-1])) {
            at--;
        }
    }
    return at > t->begin && at[-1] == '<';
}

/* GraphQL's `$password: String!` says what it is, not its value. */
static bool is_declared(const struct typed *t)
{
    const char *at = t->name.data + t->name.len;

    while (at < t->rest.data && *at == ' ') {
        at++;
    }
    return t->name.data > t->begin && t->name.data[-1] == '$' && at < t->rest.data && *at == ':';
}

/* The next name that a value follows; `is_xml` tells what. */
static bool next_name(struct typed *t, bool *is_xml)
{
    while (t->rest.len) {
        t->name = take_name(t);
        if (!t->name.len) {
            continue;
        }
        *is_xml = is_opened(t) && take(t, ">");
        if (*is_xml) {
            return true;
        }
        take(t, "\\");
        take(t, "\"']");
        skip_blanks(t);
        if (take(t, ":=")) {
            skip_blanks(t);
            return true;
        }
    }
    return false;
}

static bool is_placeholder(struct str value)
{
    static const struct str words[] = { STR_INIT("true"), STR_INIT("false"), STR_INIT("null") };

    return value.len < SECRET_MIN_BYTES || value.len > VALUE_MAX_BYTES ||
           strchr("${[", value.data[0]) || ONE_OF(value, words);
}

static enum result add_plain(struct secrets *secrets, const struct typed *t, const char *label,
                             struct err *err)
{
    struct buf plain = { 0 };
    enum result result;

    if (t->is_quoted) {
        result = json_unescape(&plain, t->value, NULL);
    } else {
        result = buf_reserve(&plain, t->value.len);
        if (result == RESULT_OK) {
            plain.len = url_decode(t->value, plain.data).len;
        }
    }
    if (result == RESULT_OK) {
        result = secrets_add(secrets, buf_view(&plain), label, err);
    } else {
        result = result == RESULT_NOMEM ? err_nomem(err, "registering a secret")
                                        : secrets_add(secrets, t->value, label, err);
    }
    if (plain.data) {
        os_wipe(plain.data, plain.cap);
    }
    buf_release(&plain);
    return result;
}

/* The name as it is meant; as it stands when that cannot be told. */
static bool names_a_secret(const struct typed *t, bool *perhaps)
{
    char room[NAME_MAX_BYTES];
    struct str name = t->name;
    struct buf plain = { .data = NULL };
    bool is;

    if (memchr(name.data, '\\', name.len) && json_unescape(&plain, name, NULL) == RESULT_OK) {
        name = buf_view(&plain);
    }
    name = name.len <= sizeof room ? url_decode(name, room) : STR_NONE;
    is = name.len && secret_name_is(name);
    *perhaps = !is && name.len && secret_name_may_be(name);
    buf_release(&plain);
    return is || *perhaps;
}

/* Of JSON below such a name: the members of a list, and what an object has for a value. */
static bool is_value_name(struct str name)
{
    static const struct str words[] = { STR_INIT("value"), STR_INIT("text"),    STR_INIT("raw"),
                                        STR_INIT("plain"), STR_INIT("content"), STR_INIT("data") };

    return ONE_OF(name, words);
}

/* Up to the bracket that ends it. */
static enum result add_within(struct secrets *secrets, struct typed *t, const char *label,
                              size_t *count, struct err *err)
{
    enum result result = RESULT_OK;
    struct str name = STR_NONE;
    int depth = 0;

    t->is_quoted = true;
    do {
        bool opens = take(t, "[{"), closes = !opens && take(t, "]}");

        depth += opens - closes;
        if (opens || closes || !take(t, "\"")) {
            if (!opens && !closes) {
                skip(t, 1);
            }
            continue;
        }
        t->value = take_quoted(t, '"', false);
        take(t, "\"");
        skip_blanks(t);
        if (take(t, ":")) {
            name = t->value;
        } else if (!is_placeholder(t->value) && (!name.data || is_value_name(name))) {
            result = add_plain(secrets, t, label, err);
            ++*count;
        }
    } while (depth > 0 && t->rest.len && result == RESULT_OK);
    return result;
}

/* A list or an object, where a name in quotes says that this is JSON. */
static bool is_container(const struct typed *t)
{
    return t->rest.len && strchr("[{", t->rest.data[0]) && t->name.data > t->begin &&
           t->name.data[-1] == '"';
}

static enum result add_forms(struct secrets *secrets, struct str text, const char *kind,
                             size_t *count, struct err *err)
{
    enum result result = RESULT_OK;
    struct str value;

    while (result == RESULT_OK && (value = secret_form_next(&text)).len) {
        char label[SECRET_LABEL_SIZE];

        secret_label(label, kind, STR("token"));
        result = secrets_add(secrets, value, label, err);
        ++*count;
    }
    return result;
}

enum result secret_hide_forms(struct str text, struct buf *out)
{
    struct secrets forms = { .count = 0 };
    size_t count = 0;
    enum result result = add_forms(&forms, text, "typed", &count, NULL);

    if (result == RESULT_OK) {
        result = secrets_redact(&forms, text, SECRETS_WHOLE, out);
    }
    secrets_release(&forms);
    return result;
}

static enum result add_named(struct secrets *secrets, struct str text, const char *kind,
                             size_t *count, struct err *err)
{
    struct typed t = { .begin = text.data, .rest = text };
    enum result result = RESULT_OK;
    bool is_xml;

    while (result == RESULT_OK && next_name(&t, &is_xml)) {
        char label[SECRET_LABEL_SIZE];
        bool perhaps;

        if (!names_a_secret(&t, &perhaps) || is_declared(&t)) {
            continue; /* what follows it may hold further names */
        }
        secret_label(label, kind, t.name);
        if (!is_xml && !perhaps && is_container(&t)) {
            struct typed within = t; /* which may hold further names as well */

            result = add_within(secrets, &within, label, count, err);
            continue;
        }
        take_value(&t, is_xml);
        if (is_placeholder(t.value) || (perhaps && !secret_looks_random(t.value))) {
            continue;
        }
        result = add_plain(secrets, &t, label, err);
        ++*count;
    }
    return result;
}

struct str secret_next_placeholder(struct str *rest)
{
    struct typed t = { .begin = rest->data, .rest = *rest };
    struct str found = STR_NONE;
    bool is_xml, perhaps;

    while (!found.len && next_name(&t, &is_xml)) {
        if (!names_a_secret(&t, &perhaps) || perhaps || is_declared(&t)) {
            continue;
        }
        take(&t, "\\");
        take(&t, "\"'");
        if (take(&t, "{")) {
            take(&t, "+");
            found = take_bare(&t, "}{\"");
        }
    }
    *rest = t.rest;
    return found;
}

enum result secrets_add_typed(struct secrets *secrets, struct str text, const char *kind,
                              size_t *count, struct err *err)
{
    enum result result = add_named(secrets, text, kind, count, err);

    return result == RESULT_OK ? add_forms(secrets, text, kind, count, err) : result;
}

/* Short ones may be words that a text has for other reasons. */
static enum result add_known(struct secrets *to, const struct secrets *known)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; known && i < known->count && result == RESULT_OK; i++) {
        struct str value = str_view(known->list[i].value);

        if (value.len >= SECRET_BEGUN_BYTES) {
            result = secrets_add(to, value, "known", NULL);
        }
    }
    return result;
}

enum result secret_hide_typed(struct str text, const struct secrets *known, struct buf *out)
{
    struct secrets typed = { .count = 0 };
    size_t count = 0;
    enum result result = secrets_add_typed(&typed, text, "typed", &count, NULL);

    if (result == RESULT_OK) {
        result = add_known(&typed, known);
    }
    if (result == RESULT_OK) {
        result = secrets_redact(&typed, text, SECRETS_WHOLE, out);
    }
    secrets_release(&typed);
    return result;
}

static bool param_is_secret(struct str name, struct str value)
{
    return url_param_is_secret(name) || (secret_name_may_be(name) && secret_looks_random(value));
}

static enum result redact_parameter(struct str parameter, struct buf *out)
{
    struct str value = parameter;
    struct str name = str_cut(&value, '=');
    enum result result = buf_append_str(out, name);

    if (name.len == parameter.len || result != RESULT_OK) {
        return result;
    }
    result = buf_append_char(out, '=');
    if (result != RESULT_OK) {
        return result;
    }
    return value.len && param_is_secret(name, value) ? buf_append_str(out, SECRET_STARS)
                                                     : secret_hide_forms(value, out);
}

enum result url_redact(struct str url, struct buf *out)
{
    struct str query = url;
    struct str head = str_cut(&query, '?');
    enum result result = secret_hide_forms(head, out);
    char separator = '?';

    if (head.len == url.len) {
        return result;
    }
    for (;;) {
        size_t len = 0;

        while (len < query.len && !strchr("&;#", query.data[len])) {
            len++;
        }
        if (result == RESULT_OK) {
            result = buf_append_char(out, separator);
        }
        if (result == RESULT_OK) {
            result = redact_parameter((struct str){ query.data, len }, out);
        }
        if (len == query.len || result != RESULT_OK) {
            return result;
        }
        separator = query.data[len];
        query.data += len + 1;
        query.len -= len + 1;
    }
}
