/* "login": how a server is told who asks. */
#include "job/job_put.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/os.h"
#include "job/auth/auth_kind.h"
#include "job/job_parts.h"
#include "job/job_read.h"
#include "job/template.h"

#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

/* --- the body of a login call ---------------------------------------------------------------------------- */

struct body {
    struct job_reader *r;
    struct str at; /* for messages */
    struct buf given, sent;
    struct str name; /* of the last member, escaped */
    bool is_typed;   /* a password stands in it as it is */
    bool has_faults; /* that have been told */
    struct err err;
};

static enum result add_string(struct body *b, struct str raw)
{
    struct buf text = { 0 }, given = { 0 }, sent = { 0 };
    const char *plain;
    enum result result = json_unescape(&text, raw, NULL);

    plain = result == RESULT_OK ? buf_cstr(&text) : NULL;
    if (!plain) {
        result = err_nomem(&b->err, "reading the job");
        goto done;
    }
    if (job_secret_is_literal(plain) && secret_name_is(b->name)) {
        char label[SECRET_LABEL_SIZE];

        b->is_typed = true;
        secret_label(label, "login", b->name);
        result = secrets_add(&b->r->job->secrets, str_view(plain), label, &b->err);
    }
    if (result == RESULT_OK) {
        result = job_resolve_secret(b->r, plain, &given, &sent, &b->err);
    }
    if (result == RESULT_OK && (json_text_append(&b->given, buf_view(&given)) != RESULT_OK ||
                                json_text_append(&b->sent, buf_view(&sent)) != RESULT_OK)) {
        result = err_nomem(&b->err, "reading the job");
    }
done:
    job_wipe(&text);
    job_wipe(&given);
    job_wipe(&sent);
    return result;
}

static enum result add_both(struct body *b, struct str bytes)
{
    return buf_append_str(&b->given, bytes) == RESULT_OK &&
                   buf_append_str(&b->sent, bytes) == RESULT_OK
               ? RESULT_OK
               : err_nomem(&b->err, "reading the job");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One string of the body; `*at` moves past it. What is wrong with it is told, and the next one looked
 * at. */
static enum result add_one(struct body *b, struct str json, size_t *at)
{
    struct str literal = { json.data + *at, json.len - *at };
    struct str raw = json_string_raw(literal);
    size_t next = *at + raw.len + 2;
    enum result result;

    *at = next;
    while (next < json.len && is_blank(json.data[next])) {
        next++;
    }
    if (next < json.len && json.data[next] == ':') {
        b->name = raw;
        return add_both(b, (struct str){ literal.data, raw.len + 2 });
    }
    result = add_string(b, raw);
    if (result != RESULT_OK && result != RESULT_NOMEM) {
        job_text_fault_of(&b->r->text, literal, &b->err);
        b->has_faults = true;
        return RESULT_OK;
    }
    return result;
}

/* JSON whose strings may be secrets, made compact. */
static enum result add_json(struct body *b, struct str json)
{
    enum result result = RESULT_OK;
    size_t at = 0;

    while (at < json.len && result == RESULT_OK) {
        if (json.data[at] == '"') {
            result = add_one(b, json, &at);
        } else {
            result = is_blank(json.data[at]) ? RESULT_OK
                                             : add_both(b, (struct str){ json.data + at, 1 });
            at++;
        }
    }
    return result;
}

static void settle_body(struct body *b, struct job_login *login, enum result result)
{
    struct job_reader *r = b->r;

    if (result != RESULT_OK) {
        job_text_fault_of(&r->text, b->at, &b->err);
    } else if (login->body.sent) {
        job_text_fault(&r->text, b->at, "E-CFG8", "both \"json\" and \"body\" are given");
    } else if (!b->has_faults) {
        login->body.sent = str_dup(buf_view(&b->sent));
        login->body.given = b->is_typed ? NULL : str_dup(buf_view(&b->given));
        r->text.no_memory |= !login->body.sent || (!login->body.given && !b->is_typed);
    }
    job_wipe(&b->given);
    job_wipe(&b->sent);
}

static void read_json(struct job_reader *r, void *target, struct str value)
{
    struct body b = { .r = r, .at = value };

    if (r->is_stored && json_type_of(value) == JSON_NULL) {
        r->job->login.is_incomplete = true;
        return;
    }
    settle_body(&b, target, add_json(&b, value));
}

/* What `${NAME}` stands for, percent-encoded: a password may hold an ampersand. */
static enum result add_form(struct body *b, const char *text)
{
    struct str rest = str_view(text);
    enum result result = buf_append_str(&b->given, rest);

    while (rest.len && result == RESULT_OK) {
        struct buf value = { 0 };
        const char *end = str_starts(rest, STR("${")) ? memchr(rest.data, '}', rest.len) : NULL;
        size_t len = end ? (size_t)(end - rest.data) + 1 : 1;

        if (!end) {
            result = buf_append_char(&b->sent, rest.data[0]);
        } else {
            result =
                secret_expand((struct str){ rest.data, len }, &b->r->job->secrets, &value, &b->err);
            if (result == RESULT_OK) {
                result = template_encode(buf_view(&value), &b->sent);
            }
        }
        job_wipe(&value);
        rest.data += len;
        rest.len -= len;
    }
    b->is_typed = !job_names_variable(str_view(text));
    return result == RESULT_NOMEM ? err_nomem(&b->err, "reading the job") : result;
}

static void read_body(struct job_reader *r, void *target, struct str value)
{
    struct body b = { .r = r, .at = value };
    char *text = job_text_string(&r->text, "body", value);

    if (text) {
        settle_body(&b, target, add_form(&b, text));
        os_wipe(text, strlen(text));
    }
    free(text);
}

/* --- the kinds ---------------------------------------------------------------------------------------------- */

static void read_object(struct job_reader *r, size_t number, struct job_login *login,
                        struct str value)
{
    const struct auth_kind *kind = auth_kinds[number];
    const struct job_keys *keys = kind->keys;
    size_t faults = r->text.faults->count;
    uint64_t seen = job_read_object(r, keys, login, value);
    struct err err;

    for (size_t i = 0; json_type_of(value) == JSON_OBJECT && i < kind->needed; i++) {
        if (!(seen >> i & 1)) {
            job_text_fault(&r->text, value, "E-CFG4", "\"%s\" wants \"%s\"", keys->object,
                           keys->keys[i].name);
        }
    }
    if (kind->check && r->text.faults->count == faults &&
        kind->check(login, r->is_stored && login->is_incomplete, &r->job->secrets, &err) !=
            RESULT_OK) {
        job_text_fault_of(&r->text, value, &err);
    }
}

/* "--password" names the next word; "-c" does not. */
static bool names_next(const char *word)
{
    return word[0] == '-' && !strchr(word, '=') && secret_name_is(str_view(word));
}

/* Of a file or another option, the name is none. */
static bool may_be_value(const char *word)
{
    return word[0] && !strchr("-/.~@$", word[0]);
}

/* A word with blanks is a script, in which "token=" names what it finds. */
static enum result add_typed(struct secrets *secrets, struct str word, size_t *found)
{
    enum result result = RESULT_OK;
    struct str form;

    if (!strpbrk(word.data, " \t\r\n")) {
        return secrets_add_typed(secrets, word, "command", found, NULL);
    }
    while (result == RESULT_OK && (form = secret_form_next(&word)).len) {
        result = secrets_add(secrets, form, "command", NULL);
        ++*found;
    }
    return result;
}

/* A secret stands in the last word as it is. */
static bool note_typed_word(struct job_reader *r, const struct job_words *words)
{
    const char *last = words->list[words->count - 1];
    size_t found = 0;
    enum result result;

    if (words->count > 1 && may_be_value(last) && names_next(words->list[words->count - 2])) {
        char label[SECRET_LABEL_SIZE];

        secret_label(label, "command", str_view(words->list[words->count - 2]));
        result = secrets_add(&r->job->secrets, str_view(last), label, NULL);
        found = 1;
    } else {
        result = add_typed(&r->job->secrets, str_view(last), &found);
    }
    r->text.no_memory |= result != RESULT_OK;
    return found > 0;
}

static void read_words(struct job_reader *r, const struct job_key *key, struct str value,
                       struct job_words *words)
{
    struct json_walk walk;
    struct str item;

    job_words_release(words);
    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"%s\": want an array of texts, one for each word", key->name);
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        bool is_unkept = r->is_stored && json_type_of(item) == JSON_NULL;
        char *text = words->count == JOB_WORDS_MAX ? NULL
                     : is_unkept                   ? str_dup(STR(""))
                                                   : job_text_string(&r->text, key->name, item);

        r->job->login.is_incomplete |= is_unkept;
        if (words->count == JOB_WORDS_MAX) {
            job_text_fault(&r->text, value, "E-CFG2", "\"%s\": more than %d words", key->name,
                           JOB_WORDS_MAX);
            return;
        }
        if (text) {
            words->list[words->count++] = text;
            words->typed |= (uint32_t)note_typed_word(r, words) << (words->count - 1);
        }
    }
    if (!words->count) {
        job_text_fault(&r->text, value, "E-CFG2", "\"%s\": no words", key->name);
    }
}

static void read_path(struct job_reader *r, const struct job_key *key, struct str value, char **at)
{
    char *text = job_text_string(&r->text, key->name, value);

    free(*at);
    *at = text ? job_absolute_path(r, text) : NULL;
    r->text.no_memory |= text && !*at;
    free(text);
}

void job_read_login_key(struct job_reader *r, const struct job_key *key, void *target,
                        struct str value)
{
    void *at = (char *)target + key->offset;

    if (key->kind == JOB_KEY_AUTH) {
        read_object(r, key->offset, target, value);
    } else if (key->kind == JOB_KEY_WORDS) {
        read_words(r, key, value, at);
    } else if (key->kind == JOB_KEY_PATH) {
        read_path(r, key, value, at);
    } else {
        (void)job_read_secret(r, key, value, at);
    }
}

#define LOGIN(field) offsetof(struct job_login, field)

static void read_method(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key key = { .name = "method",
                                        .kind = JOB_KEY_TEXT,
                                        .offset = LOGIN(method) };
    struct job_login *login = target;
    struct err err;

    job_read_value(r, &key, login, value);
    if (login->method && job_check_method(str_view(login->method), &err) != RESULT_OK) {
        job_text_fault_of(&r->text, value, &err);
    }
}

/* "Authorization: Bearer {token}": a header line with the token in it. */
static void read_send(struct job_reader *r, void *target, struct str value)
{
    struct job_login *login = target;
    struct str name, content;
    struct template *t;
    struct err err;
    bool good;

    free(login->send);
    login->send = job_text_string(&r->text, "send", value);
    if (!login->send) {
        return;
    }
    if (header_split(str_view(login->send), &name, &content, &err) != RESULT_OK ||
        template_new(&t, content, TEMPLATE_HEADER, &err) != RESULT_OK) {
        job_text_fault_of(&r->text, value, &err);
        return;
    }
    good = template_name_count(t) == 1 && str_equal(template_name(t, 0), STR("token"));
    template_free(t);
    if (!good) {
        job_text_fault(&r->text, value, "E-CFG5",
                       "\"send\": want a header line with {token} in it, as in \"Authorization: "
                       "Bearer {token}\"");
    }
}

static bool calls(const struct job_login *login)
{
    return login->kind->beside & AUTH_BIT(AUTH_BESIDE_METHOD);
}

static bool write_method(const struct job_writer *w, cJSON *to, const struct job_key *key,
                         const void *target)
{
    const struct job_login *login = target;

    (void)w;
    return !calls(login) || cjson_add_optional(to, key->name, login->method);
}

/* What a call was given is JSON, or a form. */
static bool is_json(const struct job_secret *body)
{
    return json_check(str_view(body->given), JSON_DEPTH_MAX, NULL);
}

static bool write_json(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_login *login = target;
    const struct job_secret *body = &login->body;

    (void)w;
    if (!calls(login) || (!body->sent && !body->given && !login->is_incomplete)) {
        return true;
    }
    if (!body->given) {
        return cJSON_AddNullToObject(to, key->name);
    }
    return !is_json(body) || cJSON_AddRawToObject(to, key->name, body->given);
}

static bool write_body(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_login *login = target;

    (void)w;
    return !calls(login) || !login->body.given || is_json(&login->body) ||
           cjson_add_optional(to, key->name, login->body.given);
}

static bool write_name(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_login *login = target;
    bool is_query = strcmp(key->name, "query") == 0;

    (void)w;
    return login->in_query != is_query || cjson_add_optional(to, key->name, login->name);
}

/* clang-format off */
static const struct job_key beside_keys[AUTH_BESIDE_COUNT] = {
    [AUTH_BESIDE_METHOD] = { "method", JOB_KEY_TEXT, LOGIN(method), .read = read_method, .write = write_method,
      .help = "POST",
      .schema = JOB_JSON("enum": "@methods") },
    [AUTH_BESIDE_JSON] = { "json", JOB_KEY_OTHER, .read = read_json, .write = write_json,
      .help = "Body of that call" },
    [AUTH_BESIDE_BODY] = { "body", JOB_KEY_TEXT, .read = read_body, .write = write_body,
      .help = "Body of that call, as a form: user=${USER}&password=${PASSWORD}" },
    [AUTH_BESIDE_QUERY] = { "query", JOB_KEY_TEXT, LOGIN(name), .write = write_name,
      .help = "Name of the query parameter: api_key" },
    [AUTH_BESIDE_HEADER] = { "header", JOB_KEY_TEXT, LOGIN(name), .write = write_name,
      .help = "Name of the header: X-Api-Key" },
    [AUTH_BESIDE_TOKEN] = { "token", JOB_KEY_POINTER, LOGIN(token),
      .help = "JSON Pointer to the token in its answer (/access_token)" },
    [AUTH_BESIDE_EXPIRES] = { "expires", JOB_KEY_POINTER, LOGIN(expires),
      .help = "JSON Pointer to its seconds of life (/expires_in)" },
    [AUTH_BESIDE_SEND] = { "send", JOB_KEY_TEXT, LOGIN(send), .read = read_send,
      .help = "Header line that carries the token (Authorization: Bearer {token})" },
    [AUTH_BESIDE_TIMEOUT] = { "timeout", JOB_KEY_TIME, LOGIN(timeout_us), US_PER_MS, UINT64_MAX,
      .help = "Time that the command may take (30s)" },
};
/* clang-format on */

/* The key of the login's own kind. */
static bool write_kind(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_login *login = target;
    struct job_key plain = *key;

    plain.write = NULL;
    return strcmp(login->kind->key.name, key->name) != 0 || job_put_key(w, to, &plain, target);
}

#define LOGIN_KEYS_MAX 32

/* The kinds' names first, then what may stand beside them. */
const struct job_keys *job_login_keys(void)
{
    static struct job_key keys[LOGIN_KEYS_MAX];
    static struct job_keys object = {
        .object = "login",
        .keys = keys,
        .help =
            "How the server is told who asks. Texts may be ${ENV} or @FILE, neither of which is "
            "written down.",
        .schema = JOB_JSON("oneOf"
                           : "@auth_kinds"),
    };
    size_t count = 0;

    for (size_t i = 0; auth_kinds[i]; i++) {
        keys[count] = auth_kinds[i]->key;
        keys[count].write = write_kind;
        if (auth_kinds[i]->keys) {
            keys[count].offset = i;
            keys[count].inner = auth_kinds[i]->keys;
        }
        count++;
    }
    for (size_t i = 0; i < AUTH_BESIDE_COUNT; i++) {
        keys[count++] = beside_keys[i];
    }
    object.count = count;
    return &object;
}

static size_t count_kinds(void)
{
    size_t count = 0;

    while (auth_kinds[count]) {
        count++;
    }
    return count;
}

static void set_default(struct job_reader *r, char **to, const char *text)
{
    if (!*to) {
        *to = str_dup(str_view(text));
        r->text.no_memory |= !*to;
    }
}

static void settle_name(struct job_reader *r, struct job_login *login, bool in_query,
                        struct str value)
{
    struct err err;

    login->in_query = in_query;
    if (!in_query && login->name && header_check_name(str_view(login->name), &err) != RESULT_OK) {
        job_text_fault_of(&r->text, value, &err);
    }
}

/* Where a key or a token is to be put. */
static void settle_place(struct job_reader *r, struct job_login *login, uint64_t beside,
                         struct str value)
{
    bool in_header = beside >> AUTH_BESIDE_HEADER & 1, in_query = beside >> AUTH_BESIDE_QUERY & 1;
    bool is_sent = beside >> AUTH_BESIDE_SEND & 1;
    bool is_usual = login->kind->has_usual_place && !in_header && !in_query;

    if (!is_usual && (in_header == in_query || is_sent)) {
        job_text_fault(&r->text, value, in_query || is_sent ? "E-CFG8" : "E-CFG4",
                       "\"%s\" wants one of \"header\" and \"query\", where it is to be put",
                       login->kind->key.name);
        return;
    }
    settle_name(r, login, in_query, value);
}

static void fault_kind(struct job_reader *r, bool none, struct str value)
{
    struct buf names = { .max = 512 };

    for (size_t i = 0; auth_kinds[i]; i++) {
        (void)!buf_printf(&names, "%s\"%s\"",
                          !i                  ? ""
                          : auth_kinds[i + 1] ? ", "
                                              : " and ",
                          auth_kinds[i]->key.name);
    }
    job_text_fault(&r->text, value, none ? "E-CFG4" : "E-CFG8", "\"login\": want one of %.*s",
                   STR_ARG(buf_view(&names)));
    buf_release(&names);
}

static void settle_login(struct job_reader *r, struct job_login *login, uint64_t seen,
                         struct str value)
{
    size_t kinds = count_kinds(), found = 0, count = 0;
    uint64_t beside = seen >> kinds;
    unsigned may;

    for (size_t i = 0; i < kinds; i++) {
        if (seen >> i & 1) {
            found = i;
            count++;
        }
    }
    if (count != 1) {
        fault_kind(r, !count, value);
        return;
    }
    login->kind = auth_kinds[found];
    may = login->kind->beside;
    for (size_t i = 0; i < AUTH_BESIDE_COUNT; i++) {
        if ((beside >> i & 1) && !(may >> i & 1)) {
            job_text_fault(&r->text, value, "E-CFG8",
                           "\"login\": \"%s\" has no meaning beside \"%s\"", beside_keys[i].name,
                           login->kind->key.name);
        }
    }
    if (may & AUTH_BIT(AUTH_BESIDE_QUERY)) {
        settle_place(r, login, beside, value);
    }
    if (may & AUTH_BIT(AUTH_BESIDE_SEND) && !login->name) {
        set_default(r, &login->send, "Authorization: Bearer {token}");
    }
    if (may & AUTH_BIT(AUTH_BESIDE_TOKEN)) {
        set_default(r, &login->method, "POST");
        set_default(r, &login->token, JOB_LOGIN_TOKEN);
        set_default(r, &login->expires, "/expires_in");
    }
}

void job_read_login(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    size_t faults = r->text.faults->count;
    uint64_t seen = job_read_object(r, job_login_keys(), &job->login, value);

    if (r->text.faults->count == faults) {
        settle_login(r, &job->login, seen, value);
    }
}
