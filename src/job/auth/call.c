/* A call whose answer holds a token, or sets a cookie. */
#include "job/auth/auth_kind.h"

static enum result ask(const struct job_login *login, struct auth_memory *memory,
                       struct auth_call *call)
{
    (void)memory;
    call->url = str_view(login->url);
    return buf_append_str(call->body, str_view(login->body.sent));
}

const struct auth_kind auth_call = {
    .key = { "url", JOB_KEY_TEXT, AUTH_FIELD(url),
             .help = "Asked for a token, before anything else" },
    .beside = AUTH_BIT(AUTH_BESIDE_METHOD) | AUTH_BIT(AUTH_BESIDE_JSON) |
              AUTH_BIT(AUTH_BESIDE_BODY) | AUTH_BIT(AUTH_BESIDE_TOKEN) |
              AUTH_BIT(AUTH_BESIDE_EXPIRES) | AUTH_BIT(AUTH_BESIDE_SEND),
    .is_asked = true,
    .ask = ask,
};
