/*
 * What needs a login, and the two calls that give a token: a JSON login as shops have it, and
 * the client credentials of OAuth 2.0 (RFC 6749 section 4.4) with the errors of its section 5.2.
 */
#include "demo/access.h"

#include "base/json_write.h"

#include <cjson/cJSON.h>

#include <string.h>

#define EMAIL "demo@example.com"
#define PASSWORD "demo"
#define CLIENT_ID "demo-client"
#define CLIENT_SECRET "demo-secret"
#define FIELD_MAX 128

/* Whether the body is {"email": …, "password": …} with the right values; 0, or the status. */
static unsigned check_login(struct str body)
{
    cJSON *login = cJSON_ParseWithLength(body.data ? body.data : "", body.len);
    const char *email = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(login, "email"));
    const char *password =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(login, "password"));
    unsigned status = 0;

    if (!email || !password) {
        status = 400;
    } else if (strcmp(email, EMAIL) != 0 || strcmp(password, PASSWORD) != 0) {
        status = 401;
    }
    cJSON_Delete(login);
    return status;
}

void shape_login(struct world *world, const struct ask *ask, struct reply *reply)
{
    unsigned status = check_login(ask->body);

    if (status == 400) {
        reply_error(reply, status, "want {\"email\": \"...\", \"password\": \"...\"}");
    } else if (status) {
        reply_error(reply, status, "wrong email or password");
    } else {
        access_grant(world, ask, STR_NONE, reply);
    }
}

/* RFC 6749 section 5.2: the code, and what it means here. */
static void refuse(struct reply *reply, unsigned status, const char *code, const char *what)
{
    struct json_writer j = json_write_begin(&reply->body);

    reply->status = status;
    json_write_object(&j, NULL);
    json_write_text(&j, "error", str_view(code));
    json_write_text(&j, "error_description", str_view(what));
    json_write_object_end(&j);
    reply->result = j.result;
    if (status == 401) {
        reply_header(reply, "WWW-Authenticate", "Basic realm=\"demo\"");
    }
}

/* A field of the form in `form`, where a query stands else; empty when it is not there. */
static struct str field(const struct ask *form, const char *name, char text[FIELD_MAX])
{
    size_t len;

    if (ask_param(form, name, text, FIELD_MAX, &len) != ASK_FOUND) {
        return STR_NONE;
    }
    return (struct str){ text, len };
}

static bool is_client(const struct ask *ask, const struct ask *form)
{
    char id[FIELD_MAX], secret[FIELD_MAX];

    return access_basic_is(ask, STR(CLIENT_ID), STR(CLIENT_SECRET)) ||
           (str_equal(field(form, "client_id", id), STR(CLIENT_ID)) &&
            str_equal(field(form, "client_secret", secret), STR(CLIENT_SECRET)));
}

void shape_oauth_token(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct ask form = *ask;
    char grant[FIELD_MAX], scope[FIELD_MAX];
    struct str type = ask_header(ask, STR("Content-Type"));

    form.query = ask->body;
    if (!str_equal_nocase(str_trim(str_cut(&type, ';')),
                          STR("application/x-www-form-urlencoded"))) {
        refuse(reply, 400, "invalid_request", "want application/x-www-form-urlencoded");
    } else if (!str_equal(field(&form, "grant_type", grant), STR("client_credentials"))) {
        refuse(reply, 400, "unsupported_grant_type", "want client_credentials");
    } else if (!is_client(ask, &form)) {
        refuse(reply, 401, "invalid_client", "want " CLIENT_ID " and its secret");
    } else {
        access_grant(world, ask, field(&form, "scope", scope), reply);
    }
}

void shape_post_bearer(struct world *world, const struct ask *ask, struct reply *reply)
{
    if (access_by_bearer(world, ask, reply)) {
        shape_post(world, ask, reply);
    }
}

void shape_post_basic(struct world *world, const struct ask *ask, struct reply *reply)
{
    if (access_by_basic(ask, reply)) {
        shape_post(world, ask, reply);
    }
}

void shape_post_key(struct world *world, const struct ask *ask, struct reply *reply)
{
    if (access_by_key(ask, reply)) {
        shape_post(world, ask, reply);
    }
}
