/* User and password (RFC 7617). */
#include "job/auth/auth_kind.h"

#include "job/job_parts.h"

#include <stdlib.h>

/* clang-format off */
static const struct job_key keys[] = {
    { "user", JOB_KEY_NAMED, AUTH_FIELD(user),
      .help = "Name; empty where the password alone counts. Without a password it is the secret: ${KEY}" },
    { "password", JOB_KEY_SECRET_OR_NONE, AUTH_FIELD(secret),
      .help = "${PASSWORD}; empty where the user alone counts" },
};

static const struct job_keys object = JOB_KEYS("basic", keys, .help = "HTTP Basic authentication.",
                                               .schema = JOB_JSON("required": ["user", "password"]));
/* clang-format on */

/* Without a password the user is the credential: a key, as of Stripe. */
static enum result check(struct job_login *login, bool lacks, struct secrets *secrets,
                         struct err *err)
{
    struct job_secret *user = &login->user;

    (void)lacks;
    if (!user->sent || !user->sent[0] || !login->secret.sent || login->secret.sent[0]) {
        return RESULT_OK;
    }
    if (user->given && job_secret_is_literal(user->given)) {
        free(user->given); /* not to be written down, as no secret is */
        user->given = NULL;
    }
    return secrets_add(secrets, str_view(user->sent), "job.user", err);
}

static enum result give(const struct job_login *login, struct buf *token)
{
    return auth_append_basic(token, str_view(login->user.sent), str_view(login->secret.sent));
}

static enum result credential(const struct job_login *login, struct str token, struct buf *header,
                              struct buf *query)
{
    enum result result = buf_append_str(header, STR("Authorization: Basic "));

    (void)login;
    (void)query;
    return result == RESULT_OK ? buf_append_str(header, token) : result;
}

const struct auth_kind auth_basic = {
    .key = { .name = "basic", .kind = JOB_KEY_AUTH },
    .keys = &object,
    .needed = 2,
    .check = check,
    .token = give,
    .credential = credential,
};
