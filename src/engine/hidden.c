#include "engine/hidden.h"

#include "engine/auth.h"
#include "engine/engine_state.h"

enum result hidden_collect(struct engine *e, struct err *err)
{
    const struct secrets *given = &e->job->secrets;
    struct secrets all = { .count = 0 };
    enum result result = auth_register(&e->auth, &all, err);

    if (result == RESULT_OK) {
        result = secrets_add_all(&all, given, err);
    }
    for (size_t i = 0; i < e->login.token_count && result == RESULT_OK; i++) {
        result = secrets_add(&all, str_view(e->login.tokens[i]), AUTH_TOKEN_LABEL, err);
    }
    for (size_t i = 0; i < e->cookies.hidden_count && result == RESULT_OK; i++) {
        result = secrets_add(&all, str_view(e->cookies.hidden[i]), "cookie", err);
    }
    if (result != RESULT_OK) {
        secrets_release(&all);
        return result;
    }
    secrets_release(&e->secrets);
    e->secrets = all;
    return RESULT_OK;
}
