#include "probe/probe_job.h"

#include "base/base64.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/os.h"
#include "base/url.h"
#include "base/url_make.h"
#include "base/utf8.h"
#include "job/auth/auth_kind.h"
#include "job/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 48 /* of an endpoint's name that is made here */

/* Writes on until something fails, which is looked at once, at the end. */
struct writer {
    struct buf *out;
    const struct secrets *secrets; /* which are hidden in what is told, never in our own words */
    struct buf hidden;
    enum result result;
};

static void put(struct writer *w, struct str text)
{
    if (w->result == RESULT_OK) {
        w->result = buf_append_str(w->out, text);
    }
}

#define PUTF(writer, ...)                                                                          \
    do {                                                                                           \
        if ((writer)->result == RESULT_OK) {                                                       \
            (writer)->result = buf_printf((writer)->out, __VA_ARGS__);                             \
        }                                                                                          \
    } while (0)

/* --- texts ---------------------------------------------------------------------------------------------- */

/* A character of a JSON string, so that only ASCII is left. What is no UTF-8 becomes U+FFFD. */
static size_t put_character(struct writer *w, struct str rest)
{
    uint32_t code = 0xFFFD;
    size_t len = utf8_decode(rest, &code);

    len = len ? len : 1;
    if (code > 0xFFFF) {
        PUTF(w, "\\u%04x\\u%04x", 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + (code & 0x3FF));
    } else if (code >= 0x20 && code < 0x7F) {
        PUTF(w, code == '"' || code == '\\' ? "\\%c" : "%c", (char)code);
    } else {
        PUTF(w, "\\u%04x", (unsigned)code);
    }
    return len;
}

/* A brace that a template would take for the beginning of a placeholder, or of another brace. */
static bool begins_placeholder(struct str rest, bool in_json)
{
    char next = rest.len > 1 ? rest.data[1] : '\0';

    return rest.data[0] == '{' && (!in_json || next == '{' || next == '+' || next == '_' ||
                                   (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
}

/* The text without its secrets, until the next call. */
static struct str hide(struct writer *w, struct str text)
{
    buf_reset(&w->hidden);
    if (w->result == RESULT_OK) {
        w->result = secrets_redact(w->secrets, text, SECRETS_WHOLE, &w->hidden);
    }
    return w->result == RESULT_OK ? buf_view(&w->hidden) : STR_NONE;
}

/* A string; in a `template` braces mean what they are. */
static void put_text(struct writer *w, struct str text, bool template)
{
    text = hide(w, text);
    put(w, STR("\""));
    while (text.len) {
        size_t len;

        if (template && begins_placeholder(text, false)) {
            put(w, STR("{"));
        }
        len = put_character(w, text);
        text.data += len;
        text.len -= len;
    }
    put(w, STR("\""));
}

/* A body that is JSON, byte for byte, but with braces in its strings doubled where that matters. */
static void put_json(struct writer *w, struct str json)
{
    bool in_string = false;

    json = hide(w, json);
    while (json.len) {
        size_t len = 1;

        if (in_string && begins_placeholder(json, true)) {
            put(w, STR("{"));
        }
        if (in_string && json.data[0] == '\\' && json.len > 1) {
            len = 2;
        } else if (json.data[0] == '"') {
            in_string = !in_string;
        }
        if ((unsigned char)json.data[0] >= 0x80) {
            len = put_character(w, json);
        } else {
            put(w, (struct str){ json.data, len });
        }
        json.data += len;
        json.len -= len;
    }
}

/* --- names ------------------------------------------------------------------------------------------------ */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(struct str segment)
{
    bool has_letter = false;

    for (size_t i = 0; i < segment.len; i++) {
        has_letter = has_letter || (is_letter(segment.data[i]) && segment.data[i] != '_');
    }
    return has_letter && !is_digit(segment.data[0]);
}

/* The last part of the path that is a word: "products" of /api/products/17?page=1. */
static void make_name(struct str path, char name[NAME_BYTES + 1])
{
    struct str best = STR("items");
    size_t len = 0;

    path = str_cut(&path, '?');
    while (path.data) {
        struct str segment = str_cut(&path, '/');

        if (segment.len && is_name(segment)) {
            best = segment;
        }
    }
    for (size_t i = 0; i < best.len && len < NAME_BYTES && best.data[i] != '.'; i++) {
        name[len++] = is_letter(best.data[i]) || is_digit(best.data[i]) || best.data[i] == '-'
                          ? best.data[i]
                          : '_';
    }
    name[len] = '\0';
    if (!len || !is_letter(name[0])) {
        memcpy(name, "items", sizeof "items");
    }
}

/* "X_API_KEY" of "X-Api-Key": the variable to set. */
static void make_variable(struct str header, char name[NAME_BYTES + 1])
{
    size_t len = 0;

    for (; len < header.len && len < NAME_BYTES; len++) {
        char c = header.data[len];

        c = c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
        name[len] = (c >= 'A' && c <= 'Z') || is_digit(c) ? c : '_';
    }
    name[len] = '\0';
}

/* --- credentials -------------------------------------------------------------------------------------------- */

/* How the request told who asks, as far as "login" can say it. */
struct login {
    const struct job_header *header; /* Authorization, which "login" takes the place of */
    struct str param;                /* of the query, likewise; STR_NONE */
};

static struct str sent_value(const struct job_header *header)
{
    struct str value = str_view(header->sent);

    (void)str_cut(&value, ':');
    return str_trim(value);
}

static struct login find_login(const struct job *job, struct str url)
{
    struct login login = { .param = STR_NONE };
    struct url_params params;
    struct str name, value;

    for (size_t i = 0; i < job->header_count; i++) {
        const struct job_header *header = &job->headers[i];

        if (!header->given && str_equal_nocase(str_view(header->name), STR("Authorization")) &&
            (str_starts(sent_value(header), STR("Basic ")) ||
             str_starts(sent_value(header), STR("Bearer ")))) {
            login.header = header;
        }
    }
    url_params_begin(&params, url);
    while (!login.header && !login.param.data && url_params_next(&params, &name, &value)) {
        if (url_param_is_secret(name) && value.len) {
            login.param = name;
        }
    }
    return login;
}

/* The user and the password, where they are not empty, are the environment's. */
static void put_basic(struct writer *w, struct str encoded)
{
    struct buf plain = { .max = 0 };
    struct str password, user;
    enum result result = base64_decode(&plain, str_trim(encoded));

    password = buf_view(&plain);
    user = str_cut(&password, ':');
    PUTF(w, "  \"login\": { \"basic\": { \"user\": \"%s\", \"password\": \"%s\" } },\n",
         user.len || result != RESULT_OK ? "${API_USER}" : "",
         password.len || result != RESULT_OK ? "${API_PASSWORD}" : "");
    if (plain.data) {
        os_wipe(plain.data, plain.cap);
    }
    buf_release(&plain);
}

/* What it was is for the environment to know. */
static void put_login(struct writer *w, const struct job *job, const struct login *login)
{
    if (login->header || login->param.data) {
        put(w,
            STR("  // The credential that was given is not kept: set these in the environment.\n"));
    }
    if (login->header && str_starts(sent_value(login->header), STR("Basic "))) {
        struct str encoded = sent_value(login->header);

        (void)str_cut(&encoded, ' ');
        put_basic(w, encoded);
    } else if (job->login.kind == &auth_digest) {
        put(w, STR("  // The credential that was given is not kept: set these in the environment.\n"
                   "  \"login\": { \"digest\": { \"user\": \"${API_USER}\", \"password\": "
                   "\"${API_PASSWORD}\" } },\n"));
    } else if (job->login.kind == &auth_netrc) {
        put(w, STR("  \"login\": { \"netrc\": "));
        put_text(w, str_view(job->login.netrc), false);
        put(w, STR(" },\n"));
    } else if (login->header) {
        put(w, STR("  \"login\": { \"bearer\": \"${API_TOKEN}\" },\n"));
    } else if (login->param.data) {
        put(w, STR("  \"login\": { \"key\": \"${API_KEY}\", \"query\": "));
        put_text(w, login->param, false);
        put(w, STR(" },\n"));
    }
}

static void put_headers(struct writer *w, const struct job *job, const struct login *login)
{
    const char *separator = "  \"headers\": {\n    ";

    for (size_t i = 0; i < job->header_count; i++) {
        const struct job_header *header = &job->headers[i];
        char variable[NAME_BYTES + 1];

        if (header == login->header) {
            continue;
        }
        PUTF(w, "%s", separator);
        put_text(w, str_view(header->name), false);
        put(w, STR(": "));
        if (header->given && !header->from_file) {
            put_text(w, str_view(header->given), false);
        } else {
            make_variable(str_view(header->name), variable);
            PUTF(w, "\"${%s}\"", variable);
        }
        separator = ",\n    ";
    }
    if (separator[0] == ',') {
        put(w, STR("\n  },\n"));
    }
}

/* The path and query, without what is secret by its name. */
static void put_target(struct writer *w, struct str target)
{
    struct buf kept = { 0 };
    struct url_params params;
    struct str name, value, rest = target;
    enum result result = buf_append_str(&kept, str_cut(&rest, '?'));
    char separator = '?';

    url_params_begin(&params, target);
    while (result == RESULT_OK && url_params_next(&params, &name, &value)) {
        if (url_param_is_secret(name) && value.len) {
            continue;
        }
        result = buf_append_char(&kept, separator);
        if (result == RESULT_OK) {
            result = buf_append_str(&kept, name);
        }
        if (result == RESULT_OK && value.data) {
            result = buf_append_char(&kept, '=');
        }
        if (result == RESULT_OK) {
            result = buf_append_str(&kept, value);
        }
        separator = '&';
    }
    w->result = w->result == RESULT_OK ? result : w->result;
    put_text(w, kept.len ? buf_view(&kept) : STR("/"), true);
    buf_release(&kept);
}

/* --- the endpoint --------------------------------------------------------------------------------------------- */

static void put_member(struct writer *w, const char *name, const char *text)
{
    if (text) {
        PUTF(w, ", \"%s\": ", name);
        put_text(w, str_view(text), false);
    }
}

static void put_pages(struct writer *w, const struct pages_guess *guess)
{
    const struct job_pages *pages = &guess->pages;
    const struct job_page_style *style = &job_page_styles[pages->kind];

    if (guess->is_lost) { /* so that a run does not take this page for all, and says so */
        style = &job_page_styles[JOB_PAGES_AUTO];
    }
    if (style->word) {
        PUTF(w, ",\n      \"pages\": \"%s\"", style->word);
        return;
    }
    if (!style->key) {
        return;
    }
    PUTF(w, ",\n      \"pages\": { \"%s\": ", style->key);
    put_text(w, str_view(job_pages_text(pages, style->key)), false);
    if (style->needs) {
        put_member(w, style->needs, job_pages_text(pages, style->needs));
    }
    if (pages->has_first && pages->first != style->first && !pages->first) {
        put(w, STR(", \"first\": 0"));
    }
    if (pages->size_param && guess->page_size) {
        PUTF(w, ", \"size\": %" PRIu64, guess->page_size);
        put_member(w, "size_param", pages->size_param);
    }
    put_member(w, "total", pages->total);
    put_member(w, "total_pages", pages->total_pages);
    put_member(w, "has_more", pages->has_more);
    put_member(w, "is_last", pages->is_last);
    put(w, STR(" }"));
}

static void put_body(struct writer *w, const struct job_endpoint *endpoint)
{
    struct str body = str_view(endpoint->body);

    if (strcmp(endpoint->method, body.data ? "POST" : "GET") != 0) {
        put(w, STR(",\n      \"method\": "));
        put_text(w, str_view(endpoint->method), false);
    }
    if (!body.data) {
        return;
    }
    if (json_check(body, JSON_DEPTH_MAX, NULL) && str_trim(body).len == body.len) {
        put(w, STR(",\n      \"json\": "));
        put_json(w, body);
    } else {
        put(w, STR(",\n      \"body\": "));
        put_text(w, body, true);
    }
}

/* What could come next, to be uncommented: one record by its id, each record once. */
static void put_hints(struct writer *w, const struct probe_found *found, const char *name,
                      struct str target)
{
    struct str id;
    char safe[4 * NAME_BYTES + 1], path[4 * NAME_BYTES * 2 + 1];

    put(w, STR("\n  ],\n"));
    if (found->shape.id == PROBE_NO_COLUMN || found->shape.count < 2) {
        return;
    }
    id = columns_name(found->shape.columns, (uint32_t)found->shape.id);
    utf8_display(safe, sizeof safe, hide(w, id), NAME_BYTES);
    utf8_display(path, sizeof path, hide(w, str_cut(&target, '?')), NAME_BYTES * 2);
    PUTF(w,
         "  // If each record has an answer of its own, another endpoint asks for them:\n"
         "  //   { \"name\": \"details\", \"url\": \"%s/{%s.%s}\" }\n",
         path, name, safe);
    PUTF(w,
         "  // A record that comes twice, on two pages, is kept once with:\n"
         "  //   \"tables\": { \"%s\": { \"unique\": [\"%s\"] } },\n",
         name, safe);
}

/* --- how the server is reached ---------------------------------------------------------------------------- */

/* What a job has of "network" that is no time and no size, and is not as it is anyway. */
static bool is_of_the_way(struct str key, struct str value)
{
    static const char *const keys[] = { "insecure",    "path_as_is", "http",
                                        "cacert",      "resolve",    "connect_to",
                                        "unix_socket", "interface",  "ip" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (str_equal(key, str_view(keys[i]))) {
            return !str_equal(str_trim(value), STR("false"));
        }
    }
    return false;
}

/* A member as it is; a secret that was typed is for the environment to know. */
static void put_kept(struct writer *w, const char *separator, struct str key, struct str value,
                     const char *variable)
{
    PUTF(w, "%s\"%.*s\": ", separator, STR_ARG(key));
    if (json_type_of(value) == JSON_NULL) {
        PUTF(w, "\"${%s}\"", variable);
    } else if (w->result == RESULT_OK) {
        w->result = json_text_compact(w->out, value);
    }
}

static void put_object(struct writer *w, struct str root, const char *name, const char *variable)
{
    char pointer[32];
    struct json_walk walk;
    struct str object, key, value;
    const char *separator = "{ ";

    snprintf(pointer, sizeof pointer, "/%s", name);
    if (!json_find(root, str_view(pointer), &object)) {
        return;
    }
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (strcmp(name, "network") == 0 && !is_of_the_way(key, value)) {
            continue;
        }
        if (separator[0] == '{') {
            PUTF(w, "  \"%s\": ", name);
        }
        put_kept(w, separator, key, value, variable);
        separator = ", ";
    }
    if (separator[0] != '{') {
        put(w, STR(" },\n"));
    }
}

/* As the job itself would be kept. */
static void put_network(struct writer *w, const struct job *job)
{
    struct buf text = { 0 };

    w->result = w->result == RESULT_OK ? job_write(job, &text, NULL) : w->result;
    if (w->result == RESULT_OK) {
        put_object(w, buf_view(&text), "proxy", "PROXY_USER");
        put_object(w, buf_view(&text), "proxies", "PROXIES");
        put_object(w, buf_view(&text), "tls", "KEY_PASS");
        put_object(w, buf_view(&text), "network", "");
    }
    buf_release(&text);
}

enum result probe_job_write(const struct probe_found *found, struct buf *out, struct err *err)
{
    struct writer w = { .out = out, .secrets = &found->job->secrets };
    const struct job *job = found->job;
    struct login login = find_login(job, probe_url(found));
    char name[NAME_BYTES + 1];
    struct url url;
    enum result result = url_split(probe_url(found), &url, err);

    if (result != RESULT_OK) {
        return result;
    }
    make_name(url.target, name);
    if (!str_equal(hide(&w, str_view(name)), str_view(name))) {
        memcpy(name, "items", sizeof "items");
    }
    put(&w, STR("{\n  \"name\": "));
    put_text(&w, str_view(job->name), false);
    put(&w, STR(",\n  \"base\": "));
    put_text(&w, url.origin, false);
    put(&w, STR(",\n"));
    put_headers(&w, job, &login);
    put_login(&w, job, &login);
    put_network(&w, job);
    PUTF(&w, "  \"endpoints\": [\n    {\n      \"name\": \"%s\",\n      \"url\": ", name);
    put_target(&w, url.target);
    put_body(&w, &job->endpoints[0]);
    put_pages(&w, &found->guess);
    if (found->shape.records[0]) {
        put(&w, STR(",\n      \"records\": "));
        put_text(&w, str_view(found->shape.records), false);
    }
    if (found->shape.shape != RECORD_SHAPE_OBJECTS) {
        PUTF(&w, ",\n      \"shape\": \"%s\"", record_shape_name(found->shape.shape));
    }
    if (job->endpoints[0].reading.as != BODY_AUTO) {
        PUTF(&w, ",\n      \"as\": \"%s\"", body_format_name(job->endpoints[0].reading.as));
    }
    put(&w, STR("\n    }"));
    put_hints(&w, found, name, url.target);
    put(&w, STR("  \"pace\": { \"cap\": 5 },\n  \"output\": [\"csv\"]\n}\n"));
    buf_release(&w.hidden);
    return w.result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing the job file");
}
