/* User and password, of which a digest alone is sent (RFC 7616). The server's challenge is answered by libcurl, which
 * keeps its nonce for the requests that follow. */
#include "job/auth/auth_kind.h"

#include "job/job_parts.h"

#include <string.h>

/* clang-format off */
static const struct job_key keys[] = {
    { "user", JOB_KEY_NAMED, AUTH_FIELD(user), .help = "Name" },
    { "password", JOB_KEY_SECRET, AUTH_FIELD(secret),
      .help = "${PASSWORD}, of which a digest alone is sent" },
};

static const struct job_keys object = JOB_KEYS("digest", keys, .help = "HTTP Digest authentication (RFC 7616).",
                                               .schema = JOB_JSON("required": ["user", "password"]));
/* clang-format on */

static enum result check(struct job_login *login, bool lacks, struct secrets *secrets,
                         struct err *err)
{
    (void)lacks;
    (void)secrets;
    if (login->user.sent && strchr(login->user.sent, ':')) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"digest\": a user's name holds no colon");
    }
    return RESULT_OK;
}

static enum result give(const struct job_login *login, struct buf *token)
{
    return buf_printf(token, "%s:%s", login->user.sent, login->secret.sent);
}

/* Nothing is sent before it is asked for. */
static enum result credential(const struct job_login *login, struct str token, struct buf *header,
                              struct buf *query)
{
    (void)login;
    (void)token;
    (void)header;
    (void)query;
    return RESULT_OK;
}

const struct auth_kind auth_digest = {
    .key = { .name = "digest", .kind = JOB_KEY_AUTH },
    .keys = &object,
    .needed = 2,
    .check = check,
    .is_challenged = true,
    .token = give,
    .credential = credential,
};
