#include "demo/access.h"

#include "base/json_write.h"

#include "base/base64.h"
#include "base/clock.h"

#define USER "demo"
#define PASSWORD "demo"
#define FIXED_TOKEN "demo-token"
#define KEY "demo-key"
#define KEY_MAX 64
#define CREDENTIALS_MAX 512

/* The Authorization header as scheme and credentials, each trimmed. */
static struct str authorization(const struct ask *ask, struct str *scheme)
{
    struct str rest = str_trim(ask_header(ask, STR("Authorization")));

    *scheme = str_cut(&rest, ' ');
    return str_trim(rest);
}

bool access_by_bearer(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct str scheme, token = authorization(ask, &scheme);

    if (str_equal_nocase(scheme, STR("Bearer")) &&
        (str_equal(token, STR(FIXED_TOKEN)) || tokens_admit(&world->tokens, token, ask->now_us))) {
        return true;
    }
    reply_error(reply, 401, "%s", scheme.len ? "token is wrong or expired" : "token is missing");
    reply_header(reply, "WWW-Authenticate", "Bearer realm=\"demo\"%s",
                 scheme.len ? ", error=\"invalid_token\"" : "");
    return false;
}

bool access_basic_is(const struct ask *ask, struct str user, struct str password)
{
    struct str scheme, given = authorization(ask, &scheme), rest, name;
    struct buf plain;
    bool is_right = false;

    buf_init(&plain, CREDENTIALS_MAX);
    if (str_equal_nocase(scheme, STR("Basic")) && base64_decode(&plain, given) == RESULT_OK) {
        rest = buf_view(&plain);
        name = str_cut(&rest, ':');
        is_right = str_equal(name, user) && str_equal(rest, password);
    }
    buf_release(&plain);
    return is_right;
}

bool access_by_basic(const struct ask *ask, struct reply *reply)
{
    if (access_basic_is(ask, STR(USER), STR(PASSWORD))) {
        return true;
    }
    reply_error(reply, 401, "want user " USER " and password " PASSWORD);
    reply_header(reply, "WWW-Authenticate", "Basic realm=\"demo\", charset=\"UTF-8\"");
    return false;
}

bool access_by_key(const struct ask *ask, struct reply *reply)
{
    char key[KEY_MAX];
    size_t len;

    if (str_equal(str_trim(ask_header(ask, STR("X-Api-Key"))), STR(KEY)) ||
        (ask_param(ask, "api_key", key, sizeof key, &len) == ASK_FOUND &&
         str_equal((struct str){ key, len }, STR(KEY)))) {
        return true;
    }
    reply_error(reply, 401, "want the key " KEY " as X-Api-Key or api_key");
    reply_header(reply, "WWW-Authenticate", "ApiKey realm=\"demo\"");
    return false;
}

void access_grant(struct world *world, const struct ask *ask, struct str scope, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    char token[TOKEN_TEXT_MAX];

    tokens_issue(&world->tokens, ask->now_us, token);
    json_write_object(&j, NULL);
    json_write_text(&j, "access_token", str_view(token));
    json_write_text(&j, "token_type", STR("Bearer"));
    json_write_uint(&j, "expires_in", world->tokens.life_us / US_PER_S);
    if (scope.data) {
        json_write_text(&j, "scope", scope);
    }
    json_write_object_end(&j);
    reply->result = j.result;
    reply_header(reply, "Cache-Control", "no-store");
}
