/* A token that is known. */
#include "job/auth/auth_kind.h"

static enum result give(const struct job_login *login, struct buf *token)
{
    return buf_append_str(token, str_view(login->secret.sent));
}

const struct auth_kind auth_bearer = {
    .key = { "bearer", JOB_KEY_SECRET, AUTH_FIELD(secret), .help = "A token that is known" },
    .beside = AUTH_BIT(AUTH_BESIDE_SEND),
    .token = give,
};
