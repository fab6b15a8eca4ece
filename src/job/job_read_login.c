/* "login": how a server is told who asks; and every text that is a secret. */
#include "job/job_read.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "job/job_parts.h"
#include "job/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- secrets ----------------------------------------------------------------------------------------- */

/* `@FILE`: what the file holds, and its absolute path for the next session. */
static enum result take_file(struct job_reader *r, const char *name, struct buf *given,
                             struct buf *sent, struct err *err)
{
    char *path = job_absolute_path(r, name);
    struct buf text;
    enum result result;

    if (!path) {
        return err_nomem(err, "reading the job");
    }
    buf_init(&text, SECRET_FILE_MAX);
    result = secret_read_file(path, &text, err);
    if (result == RESULT_OK) {
        struct str value = str_trim(buf_view(&text));

        if (!value.len || memchr(value.data, '\0', value.len)) {
            result = err_set(err, RESULT_INVALID, "E-SEC1", "%s holds no secret", path);
        } else if (buf_printf(given, "@%s", path) != RESULT_OK ||
                   buf_append_str(sent, value) != RESULT_OK) {
            result = err_nomem(err, "reading the job");
        } else {
            const char *slash = strrchr(path, '/');
            char label[SECRET_LABEL_SIZE];

            secret_label(label, "file", str_view(slash ? slash + 1 : path));
            result = secrets_add(&r->job->secrets, value, label, err);
        }
    }
    if (text.data) {
        explicit_bzero(text.data, text.cap);
    }
    buf_release(&text);
    free(path);
    return result;
}

/* A text as given and as sent. `@@` begins a text with a plain `@`. */
static enum result resolve(struct job_reader *r, const char *text, struct buf *given,
                           struct buf *sent, struct err *err)
{
    if (text[0] == '@' && text[1] && text[1] != '@') {
        return take_file(r, text + 1, given, sent, err);
    }
    if (buf_append_str(given, str_view(text)) != RESULT_OK) {
        return err_nomem(err, "reading the job");
    }
    return secret_expand(str_view(text + (text[0] == '@' && text[1] == '@')), &r->job->secrets,
                         sent, err);
}

static void wipe(struct buf *b)
{
    if (b->data) {
        explicit_bzero(b->data, b->cap);
    }
    buf_release(b);
}

static bool is_literal(const char *text)
{
    return !job_names_variable(str_view(text)) && !(text[0] == '@' && text[1] && text[1] != '@');
}

static bool read_secret(struct job_reader *r, const char *key, struct str value, bool keeps,
                        bool may_be_empty, struct job_secret *secret)
{
    struct buf given = { 0 }, sent = { 0 };
    struct err err;
    char *text;
    bool literal;
    enum result result;

    job_secret_release(secret);
    if (r->is_stored && json_type_of(value) == JSON_NULL) {
        r->job->login.is_incomplete = true;
        return true;
    }
    text = job_text_string(&r->text, key, value);
    if (!text) {
        return false;
    }
    literal = is_literal(text);
    result = resolve(r, text, &given, &sent, &err);
    if (result == RESULT_OK && !sent.len && may_be_empty) {
        keeps = true; /* there is nothing to hide */
    } else if (result == RESULT_OK && !sent.len) {
        result = err_set(&err, RESULT_INVALID, "E-SEC2", "is empty");
    }
    if (result == RESULT_OK && !keeps) {
        char label[SECRET_LABEL_SIZE];

        secret_label(label, "job", str_view(key));
        result = secrets_add(&r->job->secrets, buf_view(&sent), label, &err);
    }
    if (result == RESULT_OK) {
        secret->sent = str_dup(buf_view(&sent));
        secret->given = keeps || !literal ? str_dup(buf_view(&given)) : NULL;
        r->text.no_memory |= !secret->sent || (!secret->given && (keeps || !literal));
    } else {
        err_prefix(&err, "\"%s\"", key);
        job_text_fault_of(&r->text, value, &err);
    }
    explicit_bzero(text, strlen(text));
    free(text);
    wipe(&given);
    wipe(&sent);
    return result == RESULT_OK;
}

bool job_read_secret(struct job_reader *r, const char *key, struct str value, bool keeps,
                     struct job_secret *secret)
{
    return read_secret(r, key, value, keeps, false, secret);
}

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
    if (is_literal(plain) && secret_name_is(b->name)) {
        char label[SECRET_LABEL_SIZE];

        b->is_typed = true;
        secret_label(label, "login", b->name);
        result = secrets_add(&b->r->job->secrets, str_view(plain), label, &b->err);
    }
    if (result == RESULT_OK) {
        result = resolve(b->r, plain, &given, &sent, &b->err);
    }
    if (result == RESULT_OK && (json_text_append(&b->given, buf_view(&given)) != RESULT_OK ||
                                json_text_append(&b->sent, buf_view(&sent)) != RESULT_OK)) {
        result = err_nomem(&b->err, "reading the job");
    }
done:
    wipe(&text);
    wipe(&given);
    wipe(&sent);
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

/* One string of the body; `*at` moves behind it. What is wrong with it is told, and the next one looked
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
    wipe(&b->given);
    wipe(&b->sent);
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
        wipe(&value);
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
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

/* --- the kinds ---------------------------------------------------------------------------------------------- */

static void read_password(struct job_reader *r, void *target, struct str value)
{
    struct job_login *login = target;

    (void)read_secret(r, "password", value, false, true, &login->secret);
}

static void read_user(struct job_reader *r, void *target, struct str value)
{
    struct job_login *login = target;

    (void)read_secret(r, "user", value, true, true, &login->user);
}

static const struct job_key basic_keys[] = {
    { "user", JOB_KEY_CALL, 0, 0, 0, read_user },
    { "password", JOB_KEY_CALL, 0, 0, 0, read_password },
};

const struct job_keys job_basic_keys = JOB_KEYS("basic", basic_keys);

static void read_client_id(struct job_reader *r, void *target, struct str value)
{
    struct job_login *login = target;

    (void)job_read_secret(r, "client_id", value, true, &login->user);
}

static void read_client_secret(struct job_reader *r, void *target, struct str value)
{
    struct job_login *login = target;

    (void)job_read_secret(r, "client_secret", value, false, &login->secret);
}

#define LOGIN(field) offsetof(struct job_login, field)

static const struct job_key oauth2_keys[] = {
    { "url", JOB_KEY_TEXT, LOGIN(url), 0, 0, NULL },
    { "client_id", JOB_KEY_CALL, 0, 0, 0, read_client_id },
    { "client_secret", JOB_KEY_CALL, 0, 0, 0, read_client_secret },
    { "scope", JOB_KEY_TEXT, LOGIN(scope), 0, 0, NULL },
};

const struct job_keys job_oauth2_keys = JOB_KEYS("oauth2", oauth2_keys);

/* All members of a kind's object are needed but those behind `needed`. */
static void read_kind(struct job_reader *r, struct job_login *login, const struct job_keys *keys,
                      size_t needed, struct str value)
{
    uint64_t seen = job_read_object(r, keys, login, value);

    for (size_t i = 0; json_type_of(value) == JSON_OBJECT && i < needed; i++) {
        if (!(seen >> i & 1)) {
            job_text_fault(&r->text, value, "E-CFG4", "\"%s\" wants \"%s\"", keys->object,
                           keys->keys[i].name);
        }
    }
}

/* Without a password the user is the credential: a key, as of Stripe. */
static void read_basic(struct job_reader *r, void *target, struct str value)
{
    struct job_login *login = target;
    struct job_secret *user = &login->user;
    struct err err;

    read_kind(r, target, &job_basic_keys, 2, value);
    if (!user->sent || !user->sent[0] || !login->secret.sent || login->secret.sent[0]) {
        return;
    }
    if (user->given && is_literal(user->given)) {
        free(user->given); /* not to be written down, as no secret is */
        user->given = NULL;
    }
    if (secrets_add(&r->job->secrets, str_view(user->sent), "job.user", &err) != RESULT_OK) {
        job_text_fault_of(&r->text, value, &err);
    }
}

static void read_oauth2(struct job_reader *r, void *target, struct str value)
{
    read_kind(r, target, &job_oauth2_keys, 3, value);
}

static void read_bearer(struct job_reader *r, void *target, struct str value)
{
    struct job_login *login = target;

    (void)job_read_secret(r, "bearer", value, false, &login->secret);
}

static void read_key(struct job_reader *r, void *target, struct str value)
{
    struct job_login *login = target;

    (void)job_read_secret(r, "key", value, false, &login->secret);
}

static void read_method(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key key = { "method", JOB_KEY_TEXT, LOGIN(method), 0, 0, NULL };
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

enum {
    LOGIN_URL,
    LOGIN_BEARER,
    LOGIN_BASIC,
    LOGIN_KEY,
    LOGIN_OAUTH2, /* up to here: one of them is given */
    LOGIN_METHOD,
    LOGIN_JSON,
    LOGIN_BODY,
    LOGIN_TOKEN,
    LOGIN_EXPIRES,
    LOGIN_SEND,
    LOGIN_HEADER,
    LOGIN_QUERY,
};

static const struct job_key login_keys[] = {
    [LOGIN_URL] = { "url", JOB_KEY_TEXT, LOGIN(url), 0, 0, NULL },
    [LOGIN_BEARER] = { "bearer", JOB_KEY_CALL, 0, 0, 0, read_bearer },
    [LOGIN_BASIC] = { "basic", JOB_KEY_CALL, 0, 0, 0, read_basic },
    [LOGIN_KEY] = { "key", JOB_KEY_CALL, 0, 0, 0, read_key },
    [LOGIN_OAUTH2] = { "oauth2", JOB_KEY_CALL, 0, 0, 0, read_oauth2 },
    [LOGIN_METHOD] = { "method", JOB_KEY_CALL, 0, 0, 0, read_method },
    [LOGIN_JSON] = { "json", JOB_KEY_CALL, 0, 0, 0, read_json },
    [LOGIN_BODY] = { "body", JOB_KEY_CALL, 0, 0, 0, read_body },
    [LOGIN_TOKEN] = { "token", JOB_KEY_POINTER, LOGIN(token), 0, 0, NULL },
    [LOGIN_EXPIRES] = { "expires", JOB_KEY_POINTER, LOGIN(expires), 0, 0, NULL },
    [LOGIN_SEND] = { "send", JOB_KEY_CALL, 0, 0, 0, read_send },
    [LOGIN_HEADER] = { "header", JOB_KEY_TEXT, LOGIN(name), 0, 0, NULL },
    [LOGIN_QUERY] = { "query", JOB_KEY_TEXT, LOGIN(name), 0, 0, NULL },
};

const struct job_keys job_login_keys = JOB_KEYS("login", login_keys);

#define BIT(key) (UINT64_C(1) << (key))

/* Which keys may stand beside those that say the kind. */
static const struct {
    enum job_login_kind kind;
    uint64_t beside;
} kinds[] = {
    [LOGIN_URL] = { JOB_LOGIN_CALL, BIT(LOGIN_METHOD) | BIT(LOGIN_JSON) | BIT(LOGIN_BODY) |
                                        BIT(LOGIN_TOKEN) | BIT(LOGIN_EXPIRES) | BIT(LOGIN_SEND) },
    [LOGIN_BEARER] = { JOB_LOGIN_BEARER, BIT(LOGIN_SEND) },
    [LOGIN_BASIC] = { JOB_LOGIN_BASIC, 0 },
    [LOGIN_KEY] = { JOB_LOGIN_KEY, BIT(LOGIN_HEADER) | BIT(LOGIN_QUERY) },
    [LOGIN_OAUTH2] = { JOB_LOGIN_OAUTH2, BIT(LOGIN_TOKEN) | BIT(LOGIN_EXPIRES) | BIT(LOGIN_SEND) },
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static void set_default(struct job_reader *r, char **to, const char *text)
{
    if (!*to) {
        *to = str_dup(str_view(text));
        r->text.no_memory |= !*to;
    }
}

static void settle_key(struct job_reader *r, struct job_login *login, uint64_t seen,
                       struct str value)
{
    struct err err;

    if (!(seen & BIT(LOGIN_HEADER)) == !(seen & BIT(LOGIN_QUERY))) {
        job_text_fault(&r->text, value, seen & BIT(LOGIN_QUERY) ? "E-CFG8" : "E-CFG4",
                       "\"key\" wants one of \"header\" and \"query\", where it is to be put");
        return;
    }
    login->in_query = seen & BIT(LOGIN_QUERY);
    if (!login->in_query && login->name &&
        header_check_name(str_view(login->name), &err) != RESULT_OK) {
        job_text_fault_of(&r->text, value, &err);
    }
}

static void settle_login(struct job_reader *r, struct job_login *login, uint64_t seen,
                         struct str value)
{
    size_t found = 0, count = 0;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (seen & BIT(i)) {
            found = i;
            count++;
        }
    }
    if (count != 1) {
        job_text_fault(&r->text, value, count ? "E-CFG8" : "E-CFG4",
                       "\"login\": want one of \"url\", \"bearer\", \"basic\", \"key\" and "
                       "\"oauth2\"");
        return;
    }
    login->kind = kinds[found].kind;
    for (size_t i = KIND_COUNT; i < job_login_keys.count; i++) {
        if (seen & BIT(i) & ~kinds[found].beside) {
            job_text_fault(&r->text, value, "E-CFG8",
                           "\"login\": \"%s\" has no meaning beside \"%s\"", login_keys[i].name,
                           login_keys[found].name);
        }
    }
    if (login->kind == JOB_LOGIN_KEY) {
        settle_key(r, login, seen, value);
    } else if (login->kind != JOB_LOGIN_BASIC) {
        set_default(r, &login->send, "Authorization: Bearer {token}");
    }
    if (login->kind == JOB_LOGIN_CALL || login->kind == JOB_LOGIN_OAUTH2) {
        set_default(r, &login->method, "POST");
        set_default(r, &login->token, JOB_LOGIN_TOKEN);
        set_default(r, &login->expires, "/expires_in");
    }
}

void job_read_login(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    size_t faults = r->text.faults->count;
    uint64_t seen = job_read_object(r, &job_login_keys, &job->login, value);

    if (r->text.faults->count == faults) {
        settle_login(r, &job->login, seen, value);
    }
}
