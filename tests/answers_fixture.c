#include "answers_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct server_answer answer(void *context, const struct server_asked *asked, unsigned number)
{
    struct world *w = context;

    (void)number;
    for (struct route *r = w->routes; r->begins; r++) {
        if (strncmp(asked->head, r->begins, strlen(r->begins)) == 0 &&
            (!r->times || r->asked < r->times)) {
            r->asked++;
            return compose(r->answer, r->head, r->body);
        }
    }
    return USUAL;
}

void begin(struct world *w, const char *pattern, const struct route *routes)
{
    memset(w, 0, sizeof *w);
    for (size_t i = 0; routes[i].begins; i++) {
        assert_true(i < ROUTES_MAX - 1);
        w->routes[i] = routes[i];
    }
    w->server = server_start(answer, w);
    run_begin(&w->run, server_url(w->server, pattern));
}

void add(struct world *w, const char *rule)
{
    struct err err;

    if (job_add_answer(&w->run.job, str_view(rule), &err) != RESULT_OK) {
        fail_msg("%s: %s", rule, err.text);
    }
}

void end(struct world *w)
{
    run_end(&w->run);
    server_stop(w->server);
}

unsigned asked(struct world *w, const char *begins)
{
    unsigned count = 0;

    for (unsigned i = 0; i < server_count(w->server); i++) {
        count += strncmp(server_asked_at(w->server, i).head, begins, strlen(begins)) == 0;
    }
    return count;
}
