#include "probe/curl_command.h"

#include "base/url_make.h"
#include "probe/curl_cmd.h"
#include "probe/curl_config.h"
#include "probe/curl_form.h"
#include "probe/curl_headers.h"
#include "probe/curl_network.h"
#include "probe/curl_options.h"
#include "probe/curl_words.h"

#include <stdio.h>
#include <string.h>

#define FILES_DEPTH_MAX 4

struct reading {
    struct curl_command *to;
    struct curl_headers headers;
    struct curl_words words;
    struct buf word, value;
    bool is_get, has_form, is_digest;
    bool is_file;     /* it is a file of options */
    unsigned depth;   /* of files within files */
    struct buf user;  /* of -u */
    struct buf query; /* of --url-query */
    struct err *err;
};

void curl_command_release(struct curl_command *command)
{
    buf_release(&command->url);
    buf_release(&command->method);
    buf_release(&command->body);
    buf_release(&command->passed);
    buf_release(&command->digest_user);
    buf_release(&command->netrc);
    buf_release(&command->more_urls);
    for (size_t i = 0; i < command->network_count; i++) {
        buf_release(&command->networks[i].value);
    }
    for (size_t i = 0; i < command->header_count; i++) {
        buf_release(&command->headers[i]);
    }
    *command = (struct curl_command){ .header_count = 0 };
}

bool curl_command_is(struct str text)
{
    struct str trimmed = str_trim(text);

    while (str_starts(trimmed, STR("#"))) { /* a comment of the shell's */
        (void)str_cut(&trimmed, '\n');
        trimmed = str_trim(trimmed);
    }
    return str_starts(trimmed, STR("curl")) &&
           (trimmed.len == 4 || memchr(" \t\r\n\\", trimmed.data[4], 5));
}

/* An empty word may be nowhere. */
static bool holds(struct str word, char c)
{
    return word.len && memchr(word.data, c, word.len);
}

static enum result nomem(struct reading *r, enum result result)
{
    return result == RESULT_OK ? RESULT_OK : err_nomem(r->err, "reading a curl command");
}

static enum result refuse_file(struct reading *r)
{
    return err_set(r->err, RESULT_INVALID, "E-CURL2",
                   "curl command: the body is read from a file; give the text itself");
}

static enum result add_data(struct reading *r, struct str text, char between)
{
    struct curl_command *c = r->to;
    enum result result = RESULT_OK;

    if (c->has_body && between) {
        result = buf_append_char(&c->body, between);
    }
    c->has_body = true;
    return nomem(r, result == RESULT_OK ? buf_append_str(&c->body, text) : result);
}

/* "content", "=content", "name=content": the content is encoded, the name is not. */
static enum result add_encoded(struct reading *r, struct str text)
{
    struct str content = text, name = str_cut(&content, '=');
    struct buf made = { 0 };
    enum result result = RESULT_OK;

    if (!content.data) {
        content = name;
        name = STR_NONE;
        if (holds(content, '@')) {
            return refuse_file(r);
        }
    }
    if (name.len) {
        result =
            buf_append_str(&made, name) != RESULT_OK ? RESULT_NOMEM : buf_append_char(&made, '=');
    }
    if (result == RESULT_OK) {
        result = url_append_encoded(&made, content);
    }
    result = result == RESULT_OK ? add_data(r, buf_view(&made), '&') : nomem(r, result);
    buf_release(&made);
    return result;
}

static enum result set_text(struct reading *r, struct buf *to, struct str text)
{
    buf_reset(to);
    return nomem(r, buf_append_str(to, text));
}

static enum result add_url(struct reading *r, struct str url)
{
    struct buf *more = &r->to->more_urls;

    return nomem(r, buf_append_str(more, url) == RESULT_OK ? buf_append_char(more, '\n')
                                                           : RESULT_NOMEM);
}

/* "api.test:8080/x" is of http to curl. */
static bool has_scheme(struct str url)
{
    struct str place = str_cut(&url, '/');

    return place.len && place.data[place.len - 1] == ':' && str_starts(url, STR("/"));
}

static enum result put_url(struct reading *r, struct str url)
{
    buf_reset(&r->to->url);
    if (url.len && url.data[0] != '{' && !has_scheme(url) &&
        buf_append_str(&r->to->url, STR("http://")) != RESULT_OK) {
        return nomem(r, RESULT_NOMEM);
    }
    return nomem(r, buf_append_str(&r->to->url, url));
}

static enum result set_url(struct reading *r, struct str url)
{
    if (r->to->url.len && r->is_file) {
        return add_url(r, url);
    }
    if (r->to->url.len) {
        return err_set(r->err, RESULT_INVALID, "E-CURL1",
                       "curl command: two URLs, \"%.*s\" and \"%.*s\"",
                       (int)(r->to->url.len < 100 ? r->to->url.len : 100), r->to->url.data,
                       (int)(url.len < 100 ? url.len : 100), url.data);
    }
    return put_url(r, url);
}

static enum result add_json(struct reading *r, struct str text)
{
    enum result result = curl_headers_add(&r->headers, STR("Accept: application/json"), STR_NONE);

    if (result == RESULT_OK) {
        result = curl_headers_add(&r->headers, STR("Content-Type: application/json"), STR_NONE);
    }
    return result == RESULT_OK ? add_data(r, text, '\0') : result;
}

static enum result add_form(struct reading *r, struct str text, bool is_plain)
{
    r->has_form = true;
    return curl_form_add(&r->to->body, text, is_plain, r->err);
}

/* After the URL's own query. A leading `+` says that it is encoded already. */
static enum result add_url_query(struct reading *r, struct str text)
{
    struct buf body = r->to->body;
    bool has_body = r->to->has_body;
    enum result result = RESULT_OK;

    if (str_starts(text, STR("+"))) {
        if (r->query.len) {
            result = nomem(r, buf_append_char(&r->query, '&'));
        }
        return result == RESULT_OK
                   ? nomem(r,
                           buf_append_str(&r->query, (struct str){ text.data + 1, text.len - 1 }))
                   : result;
    }
    r->to->body = r->query; /* which is made as data is */
    r->to->has_body = r->query.len > 0;
    result = add_encoded(r, text);
    r->query = r->to->body;
    r->to->body = body;
    r->to->has_body = has_body;
    return result;
}

static enum result pass(struct reading *r, struct str word)
{
    struct buf *passed = &r->to->passed;

    return nomem(r, (passed->len && buf_append_str(passed, STR(" ")) != RESULT_OK)
                        ? RESULT_NOMEM
                        : buf_append_str(passed, word));
}

static enum result refuse_option(struct reading *r, struct str word, const char *why)
{
    return err_set(r->err, RESULT_INVALID, "E-CURL2",
                   "curl command: option %.*s is not done here: %s",
                   (int)(word.len < 60 ? word.len : 60), word.data, why);
}

static enum result apply_body(struct reading *r, enum curl_option option, struct str value)
{
    bool is_file = str_starts(value, STR("@"));

    if (r->has_form && option != CURL_FORM && option != CURL_FORM_STRING) {
        return err_set(r->err, RESULT_INVALID, "E-CURL2",
                       "curl command: -F and -d are both given: a body is one of them");
    }
    switch (option) {
    case CURL_DATA:
        return is_file ? refuse_file(r) : add_data(r, value, '&');
    case CURL_DATA_RAW:
        return add_data(r, value, '&');
    case CURL_URLENCODE:
        return add_encoded(r, value);
    case CURL_JSON:
        return is_file ? refuse_file(r) : add_json(r, value);
    default:
        return add_form(r, value, option == CURL_FORM_STRING);
    }
}

static enum result take_file(struct reading *r, struct str name);

static enum result apply_who(struct reading *r, enum curl_option option, struct str value)
{
    struct curl_command *c = r->to;

    switch (option) {
    case CURL_DIGEST:
        r->is_digest = true;
        return RESULT_OK;
    case CURL_USER:
        return set_text(r, &r->user, value) == RESULT_OK
                   ? curl_headers_apply(&r->headers, option, value)
                   : nomem(r, RESULT_NOMEM);
    case CURL_NETRC_FILE:
        c->has_netrc = true;
        return set_text(r, &c->netrc, value) == RESULT_OK && buf_cstr(&c->netrc)
                   ? RESULT_OK
                   : nomem(r, RESULT_NOMEM);
    default:
        c->has_netrc = true;
        c->netrc_is_optional |= option == CURL_NETRC_OPTIONAL;
        return RESULT_OK;
    }
}

static enum result apply(struct reading *r, const struct curl_known *known, struct str word,
                         struct str value)
{
    switch (known->option) {
    case CURL_USER:
    case CURL_DIGEST:
    case CURL_NETRC:
    case CURL_NETRC_FILE:
    case CURL_NETRC_OPTIONAL:
        return apply_who(r, known->option, value);
    case CURL_CONFIG:
        return take_file(r, value);
    case CURL_HEADER:
    case CURL_COOKIE:
    case CURL_BEARER:
    case CURL_AGENT:
    case CURL_REFERER:
    case CURL_RANGE:
        return curl_headers_apply(&r->headers, known->option, value);
    case CURL_DATA:
    case CURL_DATA_RAW:
    case CURL_URLENCODE:
    case CURL_JSON:
    case CURL_FORM:
    case CURL_FORM_STRING:
        return apply_body(r, known->option, value);
    case CURL_REQUEST:
        return set_text(r, &r->to->method, value);
    case CURL_URL_QUERY:
        return add_url_query(r, value);
    case CURL_URL:
        return set_url(r, value);
    case CURL_GET:
        r->is_get = true;
        return RESULT_OK;
    case CURL_INSECURE:
    case CURL_NETWORK:
    case CURL_SOCKS:
    case CURL_TLS13:
    case CURL_FLAG:
        return curl_network_apply(r->to, known, value, r->err);
    case CURL_PASS:
        return RESULT_OK;
    case CURL_PASS_TOLD:
        return pass(r, word);
    case CURL_REFUSE:
        break;
    }
    return refuse_option(r, word, known->why);
}

static enum result unknown(struct reading *r, struct str option)
{
    return err_set(r->err, RESULT_INVALID, "E-CURL2", "curl command: curl has no option %.*s",
                   (int)(option.len < 60 ? option.len : 60), option.data);
}

static enum result next_value(struct reading *r, struct str option, struct str *value)
{
    bool more;
    enum result result = curl_words_next(&r->words, &r->value, &more, r->err);

    *value = buf_view(&r->value);
    if (result == RESULT_OK && !more) {
        return err_set(r->err, RESULT_INVALID, "E-CURL2", "curl command: %.*s wants a value",
                       (int)(option.len < 60 ? option.len : 60), option.data);
    }
    return result;
}

static enum result take_long(struct reading *r, struct str word)
{
    const struct curl_known *known = curl_option_find((struct str){ word.data + 2, word.len - 2 });
    struct str value = STR_NONE;
    enum result result = RESULT_OK;

    if (!known) {
        return unknown(r, word);
    }
    if (known->takes_value) {
        result = next_value(r, word, &value);
    }
    return result == RESULT_OK ? apply(r, known, word, value) : result;
}

/* "-sSL", "-XPOST": several letters, or one with its value. */
static enum result take_letters(struct reading *r, struct str word)
{
    enum result result = RESULT_OK;

    for (size_t i = 1; i < word.len && result == RESULT_OK; i++) {
        const struct curl_known *known = curl_option_letter(word.data[i]);
        struct str value = { word.data + i + 1, word.len - i - 1 };

        if (!known) {
            return unknown(r, word);
        }
        if (!known->takes_value) {
            result = apply(r, known, word, STR_NONE);
            continue;
        }
        if (!value.len) {
            result = next_value(r, word, &value);
        }
        return result == RESULT_OK ? apply(r, known, word, value) : result;
    }
    return result;
}

static enum result take_word(struct reading *r, struct str word)
{
    if (str_starts(word, STR("--")) && word.len > 2) {
        return take_long(r, word);
    }
    if (str_starts(word, STR("-")) && word.len > 1) {
        return take_letters(r, word);
    }
    return set_url(r, word);
}

/* An option of a file, whose value stands beside it. */
static enum result take_option(struct reading *r, struct str option, const struct str *given)
{
    bool is_long = !str_starts(option, STR("-")) || str_starts(option, STR("--"));
    size_t dashes = is_long ? 2 * (size_t)str_starts(option, STR("--")) : 1;
    const struct curl_known *known = NULL;

    for (size_t i = dashes; i < option.len; i++) {
        struct str rest = { option.data + i, option.len - i };
        enum result result;

        known = is_long ? curl_option_find(rest) : curl_option_letter(rest.data[0]);
        if (!known) {
            return unknown(r, option);
        }
        if (!is_long && known->takes_value && rest.len > 1) { /* "-XPOST" */
            return apply(r, known, option, (struct str){ rest.data + 1, rest.len - 1 });
        }
        if (known->takes_value && !given) {
            return err_set(r->err, RESULT_INVALID, "E-CURL2", "curl command: %.*s wants a value",
                           (int)(option.len < 60 ? option.len : 60), option.data);
        }
        result = apply(r, known, option, known->takes_value ? *given : STR_NONE);
        if (is_long || known->takes_value || result != RESULT_OK) {
            return result;
        }
    }
    return known ? RESULT_OK : unknown(r, option);
}

static enum result take_lines(struct reading *r, struct curl_config *config)
{
    bool more = true;
    enum result result = RESULT_OK;

    while (result == RESULT_OK && more) {
        result = curl_config_next(config, &more, r->err);
        if (result == RESULT_OK && more) {
            struct str value = buf_cstr(&config->value) ? buf_view(&config->value) : STR("");

            result = take_option(r, buf_view(&config->option), config->has_value ? &value : NULL);
        }
        if (result != RESULT_OK && result != RESULT_NOMEM) {
            err_prefix(r->err, "%s:%u", config->path, config->line);
        }
    }
    return result;
}

static enum result take_file(struct reading *r, struct str name)
{
    struct curl_config config;
    char path[sizeof config.path];
    enum result result;

    if (!name.len || name.len >= sizeof path || str_equal(name, STR("-"))) {
        return err_set(r->err, RESULT_INVALID, "E-CURL2",
                       "curl command: -K wants the name of a file");
    }
    if (r->depth == FILES_DEPTH_MAX) {
        return err_set(r->err, RESULT_LIMIT, "E-CURL1",
                       "curl command: more than %d files of options within each other",
                       FILES_DEPTH_MAX);
    }
    snprintf(path, sizeof path, "%.*s", STR_ARG(name));
    result = curl_config_open(&config, path, r->err);
    if (result == RESULT_OK) {
        r->depth++;
        result = take_lines(r, &config);
        r->depth--;
        curl_config_release(&config);
    }
    return result;
}

/* -u is a header, unless the server is to ask for a digest. What gives the header itself goes before both. */
static enum result end_user(struct reading *r)
{
    if (!r->user.len) {
        return RESULT_OK;
    }
    r->to->has_netrc = false;
    return r->is_digest && curl_headers_drop_weak(&r->headers, STR("Authorization"))
               ? set_text(r, &r->to->digest_user, buf_view(&r->user))
               : RESULT_OK;
}

static enum result add_to_url(struct reading *r, struct str query)
{
    struct buf *url = &r->to->url;
    enum result result = buf_append_char(url, holds(buf_view(url), '?') ? '&' : '?');

    return nomem(r, result == RESULT_OK ? buf_append_str(url, query) : result);
}

/* -G: the data is the query. */
static enum result move_to_query(struct reading *r)
{
    struct curl_command *c = r->to;
    enum result result = add_to_url(r, buf_view(&c->body));

    buf_reset(&c->body);
    c->has_body = false;
    return result;
}

static enum result end_form(struct reading *r)
{
    struct buf boundary = { 0 };
    enum result result = r->to->has_body || r->is_get
                             ? err_set(r->err, RESULT_INVALID, "E-CURL2",
                                       "curl command: -F goes with neither -d nor -G")
                             : curl_form_finish(&r->to->body, &boundary, r->err);

    r->to->has_body = true;
    if (result == RESULT_OK) {
        result = curl_headers_add(&r->headers, STR("Content-Type: multipart/form-data; boundary="),
                                  buf_view(&boundary));
    }
    buf_release(&boundary);
    return result;
}

static enum result finish(struct reading *r)
{
    struct curl_command *c = r->to;
    enum result result = RESULT_OK;

    if (!c->url.len && (!r->is_file || r->query.len || (r->is_get && c->has_body))) {
        return err_set(r->err, RESULT_INVALID, "E-CURL1", "curl command: there is no URL in it");
    }
    result = end_user(r);
    if (result == RESULT_OK && r->has_form) {
        result = end_form(r);
    }
    if (result == RESULT_OK && r->query.len) {
        result = add_to_url(r, buf_view(&r->query));
    }
    c->has_no_type = curl_headers_lack(&r->headers, STR("Content-Type"));
    if (result == RESULT_OK && r->is_get && c->has_body) {
        result = move_to_query(r);
    }
    if (result == RESULT_OK && !c->method.len && !r->is_file) {
        result = set_text(r, &c->method, c->has_body ? STR("POST") : STR("GET"));
    }
    return result;
}

static enum result end_reading(struct reading *r, enum result result, struct buf *posix)
{
    buf_release(&r->word);
    buf_release(&r->value);
    buf_release(&r->query);
    buf_release(&r->user);
    buf_release(posix);
    curl_headers_release(&r->headers);
    if (result != RESULT_OK) {
        curl_command_release(r->to);
    }
    return result;
}

enum result curl_command_parse(struct curl_command *command, struct str text, struct err *err)
{
    struct reading r = { .to = command,
                         .headers = { .to = command, .err = err },
                         .words = { .text = text },
                         .err = err };
    struct buf posix = { 0 };
    bool more = true;
    enum result result = RESULT_OK;

    *command = (struct curl_command){ .header_count = 0 };
    if (text.len > CURL_COMMAND_MAX) {
        return err_set(err, RESULT_LIMIT, "E-CURL1", "curl command: over %d bytes",
                       CURL_COMMAND_MAX);
    }
    if (curl_cmd_is(text)) {
        result = curl_cmd_convert(text, &posix, err);
        r.words.text = buf_view(&posix);
    }
    if (result == RESULT_OK) {
        result = curl_words_next(&r.words, &r.word, &more, err);
    }
    if (result == RESULT_OK && !str_equal(buf_view(&r.word), STR("curl"))) {
        result = err_set(err, RESULT_INVALID, "E-CURL1", "curl command: it begins otherwise");
    }
    while (result == RESULT_OK && more) {
        result = curl_words_next(&r.words, &r.word, &more, err);
        if (result == RESULT_OK && more) {
            result = take_word(&r, buf_view(&r.word));
        }
    }
    if (result == RESULT_OK) {
        result = finish(&r);
    }
    return end_reading(&r, result, &posix);
}

enum result curl_command_read_file(struct curl_command *command, const char *path, struct err *err)
{
    struct reading r = {
        .to = command, .headers = { .to = command, .err = err }, .is_file = true, .err = err
    };
    struct buf none = { 0 };
    enum result result;

    *command = (struct curl_command){ .header_count = 0 };
    result = take_file(&r, str_view(path));
    return end_reading(&r, result == RESULT_OK ? finish(&r) : result, &none);
}
