#include "job/auth/auth_kind.h"

const struct auth_kind *const auth_kinds[] = {
    &auth_call, &auth_bearer, &auth_basic,   &auth_digest,
    &auth_key,  &auth_oauth2, &auth_command, NULL,
};
