/* A program that prints the token; engine/login_command.h runs it. */
#include "job/auth/auth_kind.h"

const struct auth_kind auth_command = {
    .key = { "command", JOB_KEY_WORDS, AUTH_FIELD(command),
             .help = "Words of a program that prints the token on one line; run without a shell, "
                     "and anew at a 401" },
    .beside = AUTH_BIT(AUTH_BESIDE_SEND) | AUTH_BIT(AUTH_BESIDE_TIMEOUT),
    .is_run = true,
};
