/* OAuth 2.0: the grants that need no browser of ours (RFC 6749, 8628, 7523). Which one it is follows from what is
 * given:
 *
 *   refresh_token   refresh token (6749 section 6); the server may give a new one for it each time
 *   device_url      device authorization (8628): somebody types a code at a URL
 *   private_key     JWT bearer (7523 section 2.1), RS256 or ES256
 *   user, password  resource owner's password (6749 section 4.3)
 *   none of them    client credentials (6749 section 4.4)
 */
#include "job/auth/auth_kind.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "job/auth/jwt.h"
#include "job/template.h"

#include <stdio.h>

#define ANSWER_DEPTH_MAX 64
#define DEVICE_POLL_US (5 * US_PER_S) /* RFC 8628 section 3.2 */
#define DEVICE_POLL_MAX_S 600U
#define DEVICE_LIFE_MAX_S 86400U
#define JWT_GRANT "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"

/* clang-format off */
static const struct job_key keys[] = {
    { "url", JOB_KEY_TEXT, AUTH_FIELD(url), .help = "Token endpoint" },
    { "client_id", JOB_KEY_NAMED, AUTH_FIELD(user), .help = "Who asks" },
    { "client_secret", JOB_KEY_SECRET, AUTH_FIELD(secret), .help = "${CLIENT_SECRET}" },
    { "scope", JOB_KEY_TEXT, AUTH_FIELD(scope), .help = "What for, separated by blanks" },
    { "audience", JOB_KEY_TEXT, AUTH_FIELD(audience),
      .help = "Whose API it is for; of a JWT: its aud (url)" },
    { "refresh_token", JOB_KEY_SECRET, AUTH_FIELD(refresh),
      .help = "@FILE, where each new one is written before it is used; of ${ENV} they are kept with the run" },
    { "user", JOB_KEY_NAMED, AUTH_FIELD(owner), .help = "Whose data it is, of the password grant" },
    { "password", JOB_KEY_SECRET, AUTH_FIELD(owner_password), .help = "${PASSWORD}" },
    { "device_url", JOB_KEY_TEXT, AUTH_FIELD(device_url),
      .help = "Device authorization endpoint: a URL and a code are shown, and somebody logs in there" },
    { "private_key", JOB_KEY_SECRET, AUTH_FIELD(private_key),
      .help = "@FILE in PEM, RSA (RS256) or P-256 (ES256): a JWT that it signs is the credential (RFC 7523)" },
    { "issuer", JOB_KEY_TEXT, AUTH_FIELD(issuer), .help = "Of the JWT: its iss (client_id)" },
    { "subject", JOB_KEY_TEXT, AUTH_FIELD(subject), .help = "Of the JWT: its sub" },
    { "key_id", JOB_KEY_TEXT, AUTH_FIELD(key_id), .help = "Of the JWT: the kid of its head" },
};

static const struct job_keys object =
    JOB_KEYS("oauth2", keys,
             .help = "OAuth2: client credentials; or, with refresh_token, device_url, private_key, or user and "
                     "password, the grant of that name",
             .schema = JOB_JSON("required": ["url"]));
/* clang-format on */

/* What each grant needs. A secret of a stored job may be missing: job_finish sees to that. */
static const char *find_missing(const struct job_login *login, bool lacks)
{
    if (login->private_key.sent) {
        return login->issuer || login->user.sent ? NULL : "issuer";
    }
    if (!login->user.sent && !lacks) {
        return "client_id";
    }
    if (login->owner.sent || login->owner_password.sent) {
        return !login->owner.sent                    ? "user"
               : login->owner_password.sent || lacks ? NULL
                                                     : "password";
    }
    return login->refresh.sent || login->device_url || login->secret.sent || lacks
               ? NULL
               : "client_secret";
}

static enum result check(struct job_login *login, bool lacks, struct secrets *secrets,
                         struct err *err)
{
    const char *missing = find_missing(login, lacks);
    int grants = !!login->refresh.sent + !!login->device_url + !!login->private_key.sent +
                 !!login->owner.sent;
    enum result result = RESULT_OK;

    (void)secrets;
    if (missing) {
        return err_set(err, RESULT_INVALID, "E-CFG4", "\"oauth2\" wants \"%s\"", missing);
    }
    if (grants > 1) {
        return err_set(err, RESULT_INVALID, "E-CFG8",
                       "\"oauth2\": give one of \"refresh_token\", \"device_url\", \"private_key\" "
                       "and \"user\"");
    }
    if (login->private_key.sent) {
        result = jwt_check_key(str_view(login->private_key.sent), err);
        if (result != RESULT_OK) {
            err_prefix(err, "\"private_key\"");
        }
    }
    return result;
}

/* --- asking --------------------------------------------------------------------------------------- */

/* Percent-encoded before they are joined: RFC 6749 section 2.3.1. */
static enum result name_in_header(const struct job_login *login, struct buf *header)
{
    struct buf id = { 0 }, secret = { 0 };
    enum result result = auth_append_encoded(&id, str_view(login->user.sent));

    if (result == RESULT_OK) {
        result = auth_append_encoded(&secret, str_view(login->secret.sent));
    }
    if (result == RESULT_OK) {
        result = buf_append_str(header, STR("Authorization: Basic "));
    }
    if (result == RESULT_OK) {
        result = auth_append_basic(header, buf_view(&id), buf_view(&secret));
    }
    auth_wipe(&secret);
    buf_release(&id);
    return result;
}

static enum result add(struct buf *form, enum result before, const char *name, const char *value)
{
    return before == RESULT_OK && value ? auth_append_field(form, name, str_view(value)) : before;
}

/* A client without a secret is public, and is named in the form. */
static enum result name_client(const struct job_login *login, const struct auth_memory *memory,
                               struct auth_call *call)
{
    bool in_form = memory->in_body || !login->secret.sent;
    enum result result = RESULT_OK;

    if (!login->user.sent) {
        return RESULT_OK;
    }
    if (!in_form) {
        return name_in_header(login, call->header);
    }
    result = add(call->body, result, "client_id", login->user.sent);
    return add(call->body, result, "client_secret", login->secret.sent);
}

static enum result ask_for_code(const struct job_login *login, struct auth_call *call)
{
    enum result result = add(call->body, RESULT_OK, "client_id", login->user.sent);

    call->url = str_view(login->device_url);
    result = add(call->body, result, "scope", login->scope);
    return add(call->body, result, "audience", login->audience);
}

static enum result add_assertion(const struct job_login *login, const struct auth_memory *memory,
                                 struct buf *form)
{
    const struct jwt_claims claims = {
        .issuer = login->issuer ? login->issuer : login->user.sent,
        .subject = login->subject,
        .audience = login->audience ? login->audience : login->url,
        .scope = login->scope,
        .key_id = login->key_id,
        .issued_s = memory->wall_us / (int64_t)US_PER_S,
    };
    struct buf token = { 0 };
    enum result result = jwt_make(&claims, str_view(login->private_key.sent), &token, NULL);

    if (result == RESULT_OK) {
        result = auth_append_field(form, "assertion", buf_view(&token));
    }
    auth_wipe(&token);
    return result;
}

static enum result ask(const struct job_login *login, struct auth_memory *memory,
                       struct auth_call *call)
{
    struct buf *form = call->body;
    enum result result = RESULT_OK;

    call->url = str_view(login->url);
    if (login->device_url && !memory->device.len) {
        return ask_for_code(login, call);
    }
    if (login->device_url) {
        result = add(form, result, "grant_type", DEVICE_GRANT);
        result = result == RESULT_OK
                     ? auth_append_field(form, "device_code", buf_view(&memory->device))
                     : result;
    } else if (login->private_key.sent) {
        result = add(form, result, "grant_type", JWT_GRANT);
        result = result == RESULT_OK ? add_assertion(login, memory, form) : result;
    } else if (login->refresh.sent) {
        struct str latest =
            memory->refresh.len ? buf_view(&memory->refresh) : str_view(login->refresh.sent);

        result = add(form, result, "grant_type", "refresh_token");
        result = result == RESULT_OK ? auth_append_field(form, "refresh_token", latest) : result;
    } else if (login->owner.sent) {
        result = add(form, result, "grant_type", "password");
        result = add(form, result, "username", login->owner.sent);
        result = add(form, result, "password", login->owner_password.sent);
    } else {
        result = add(form, result, "grant_type", "client_credentials");
    }
    result = login->device_url || login->private_key.sent
                 ? result
                 : add(form, result, "scope", login->scope);
    result = login->private_key.sent ? result : add(form, result, "audience", login->audience);
    return result == RESULT_OK ? name_client(login, memory, call) : result;
}

/* --- answers -------------------------------------------------------------------------------------- */

static bool text_at(struct str body, const char *pointer, struct buf *out)
{
    struct str value;

    buf_reset(out);
    return json_find(body, str_view(pointer), &value) &&
           template_value_text(value, out) == RESULT_OK && out->len > 0;
}

static enum auth_word lost(struct auth_answer *answer, const char *why)
{
    snprintf(answer->why, sizeof answer->why, "%s", why);
    return AUTH_WORD_LOST;
}

/* Shown to somebody, so it is bytes from outside: what is no plain text is not shown. */
static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || (unsigned char)text.data[i] > 0x7E) {
            return false;
        }
    }
    return true;
}

static enum auth_word take_code(struct auth_memory *memory, struct auth_answer *answer)
{
    struct buf url = { .max = 1024 }, code = { .max = 64 }, every = { .max = 16 };
    uint64_t seconds = 0;
    int len = 0;
    bool good = text_at(answer->body, "/device_code", &memory->device) &&
                text_at(answer->body, "/user_code", &code) &&
                (text_at(answer->body, "/verification_uri", &url) ||
                 text_at(answer->body, "/verification_url", &url)) &&
                is_plain(buf_view(&url)) && is_plain(buf_view(&code));

    memory->device_until_us = 0;
    if (text_at(answer->body, "/expires_in", &every) && str_to_u64(buf_view(&every), &seconds) &&
        seconds && seconds <= DEVICE_LIFE_MAX_S) {
        memory->device_until_us = memory->wall_us + (int64_t)(seconds * US_PER_S);
    }
    memory->poll_us = DEVICE_POLL_US;
    if (text_at(answer->body, "/interval", &every) && str_to_u64(buf_view(&every), &seconds) &&
        seconds && seconds <= DEVICE_POLL_MAX_S) {
        memory->poll_us = seconds * US_PER_S;
    }
    if (good) {
        len = snprintf(memory->prompt, sizeof memory->prompt, "to log in, open %.*s and type %.*s",
                       STR_ARG(buf_view(&url)), STR_ARG(buf_view(&code)));
        answer->wait_us = memory->poll_us;
    } else {
        buf_reset(&memory->device);
    }
    buf_release(&url);
    buf_release(&code);
    buf_release(&every);
    if (len >=
        (int)sizeof memory->prompt) { /* the code, which stands at its end, would be missing */
        return lost(answer, "the verification_uri and user_code of \"device_url\" are too long");
    }
    return good ? AUTH_WORD_AGAIN
                : lost(answer, "the answer of \"device_url\" has no device_code, user_code and "
                               "verification_uri");
}

/* RFC 8628 section 3.5. */
static enum auth_word wait_for_user(struct auth_memory *memory, struct auth_answer *answer)
{
    static const char late[] = "nobody typed the code in time; run again for another one";
    struct str value, code = STR_NONE;

    if (json_find(answer->body, STR("/error"), &value)) {
        code = json_string_raw(value);
    }
    if (str_equal(code, STR("slow_down"))) {
        memory->poll_us += DEVICE_POLL_US;
    } else if (!str_equal(code, STR("authorization_pending"))) {
        /* Any other one may be tried again, and with the same code: somebody may be typing it. */
        return str_equal(code, STR("expired_token"))   ? lost(answer, late)
               : str_equal(code, STR("access_denied")) ? lost(answer, "the login was denied")
                                                       : AUTH_WORD_USUAL;
    }
    if (memory->device_until_us && memory->wall_us >= memory->device_until_us) {
        return lost(answer, late); /* also when the server goes on saying that it waits */
    }
    answer->wait_us = memory->poll_us;
    return AUTH_WORD_AGAIN;
}

/* The refresh token that comes with a token takes the place of the one before (RFC 6749 section 6). */
static void take_refresh(struct auth_memory *memory, struct str body)
{
    struct buf next = { .max = AUTH_TOKEN_MAX };

    if (text_at(body, "/refresh_token", &next) &&
        !str_equal(buf_view(&next), buf_view(&memory->refresh))) {
        buf_reset(&memory->refresh);
        memory->is_rotated = buf_append_str(&memory->refresh, buf_view(&next)) == RESULT_OK;
    }
    auth_wipe(&next);
}

static enum auth_word answered(const struct job_login *login, struct auth_memory *memory,
                               struct auth_answer *answer)
{
    bool is_good = answer->status >= 200 && answer->status < 300;

    if (!json_check(answer->body, ANSWER_DEPTH_MAX, NULL)) {
        return AUTH_WORD_USUAL;
    }
    if (login->device_url && !memory->device.len) {
        return is_good ? take_code(memory, answer) : AUTH_WORD_USUAL;
    }
    if (login->device_url && !is_good) {
        return wait_for_user(memory, answer);
    }
    if (is_good) {
        memory->prompt[0] = '\0';
        buf_reset(&memory->device);
        if (login->refresh.sent) {
            take_refresh(memory, answer->body);
        }
    }
    return AUTH_WORD_USUAL;
}

const struct auth_kind auth_oauth2 = {
    .key = { .name = "oauth2", .kind = JOB_KEY_AUTH },
    .keys = &object,
    .needed = 1,
    .beside =
        AUTH_BIT(AUTH_BESIDE_TOKEN) | AUTH_BIT(AUTH_BESIDE_EXPIRES) | AUTH_BIT(AUTH_BESIDE_SEND),
    .check = check,
    .is_asked = true,
    .ask = ask,
    .answered = answered,
};
