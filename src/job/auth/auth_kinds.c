#include "job/auth/auth_kind.h"

#define AUTH_KIND(name) &auth_##name,

const struct auth_kind *const auth_kinds[] = { AUTH_KINDS(AUTH_KIND) NULL };
