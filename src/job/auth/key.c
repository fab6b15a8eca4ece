/* A key in a header or in a parameter of the query. */
#include "job/auth/auth_kind.h"

static enum result give(const struct job_login *login, struct buf *token)
{
    return buf_append_str(token, str_view(login->secret.sent));
}

static enum result credential(const struct job_login *login, struct str token, struct buf *header,
                              struct buf *query)
{
    enum result result;

    if (login->in_query) {
        return auth_append_field(query, login->name, token);
    }
    result = buf_printf(header, "%s: ", login->name);
    return result == RESULT_OK ? buf_append_str(header, token) : result;
}

const struct auth_kind auth_key = {
    .key = { "key", JOB_KEY_SECRET, AUTH_FIELD(secret),
             .help = "An API key, put into \"header\" or \"query\"" },
    .beside = AUTH_BIT(AUTH_BESIDE_HEADER) | AUTH_BIT(AUTH_BESIDE_QUERY),
    .token = give,
    .credential = credential,
};
