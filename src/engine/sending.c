#include "engine/sending.h"

#include "engine/auth.h"
#include "engine/engine_state.h"
#include "plan/pages/pages.h"

#include <assert.h>
#include <stdlib.h>

static size_t all_header_count(const struct job *job)
{
    size_t count = job->header_count;

    for (size_t i = 0; i < job->endpoint_count; i++) {
        count += job->endpoints[i].header_count;
    }
    return count;
}

/* Those that are the same for all requests of the endpoint. */
static size_t list_own(const char **lines, const struct job_endpoint *endpoint)
{
    size_t count = 0;

    for (size_t i = 0; i < endpoint->header_count; i++) {
        if (!header_is_filled(endpoint, &endpoint->headers[i])) {
            lines[count++] = endpoint->headers[i].sent;
        }
    }
    return count;
}

/* The job's headers stand first in e->sending.headers, those of each endpoint after. The login call comes after
 * the job's endpoints. */
static void describe_endpoints(struct engine *e)
{
    const struct job *job = e->job;
    const char **own = e->sending.headers + job->header_count, **names = e->sending.rule_headers;

    for (size_t i = 0; i < job->header_count; i++) {
        e->sending.headers[i] = job->headers[i].sent;
    }
    for (size_t i = 0; i < job->endpoint_count; i++) {
        const struct job_endpoint *from = &job->endpoints[i];

        e->sending.endpoints[i] = (struct fetch_endpoint){
            .method = from->method,
            .body = from->body,
            .headers = own,
            .header_count = list_own(own, from),
            .keep = { pages_header(from->pages.total), pages_header(from->pages.total_pages),
                      pages_header(from->pages.next) },
            .keep_too = names,
            .keep_too_count = rulebook_headers(e->rules.book, (uint32_t)i, names),
            .whole_errors = rulebook_reads_bodies(e->rules.book, (uint32_t)i),
        };
        names += e->sending.endpoints[i].keep_too_count;
        own += e->sending.endpoints[i].header_count;
    }
    e->sending.endpoints[job->endpoint_count] = auth_endpoint(&e->auth);
}

enum result sending_init(struct engine *e, struct err *err)
{
    const struct job *job = e->job;
    struct sending *s = &e->sending;

    s->endpoints = calloc(job->endpoint_count + 1, sizeof *s->endpoints);
    s->headers = calloc(all_header_count(job) + 1, sizeof *s->headers);
    s->fills = calloc(job->endpoint_count + 1, sizeof(struct header_fill *));
    s->rule_headers = calloc(rulebook_header_room(e->rules.book) + 1, sizeof *s->rule_headers);
    if (!s->endpoints || !s->headers || !s->fills || !s->rule_headers) {
        return err_nomem(err, "preparing requests");
    }
    for (size_t i = 0; i < job->endpoint_count; i++) {
        enum result result = header_fill_new(&s->fills[i], &job->endpoints[i], err);

        if (result != RESULT_OK) {
            return result;
        }
    }
    describe_endpoints(e);
    return RESULT_OK;
}

void sending_release(struct engine *e)
{
    struct sending *s = &e->sending;

    for (size_t i = 0; s->fills && i < e->job->endpoint_count; i++) {
        header_fill_free(s->fills[i]);
    }
    for (size_t i = 0; i < HEADER_FILL_MAX; i++) {
        buf_release(&s->filled[i]);
    }
    free(s->fills);
    free(s->endpoints);
    free(s->headers);
    free(s->rule_headers);
}

/* The headers that depend on the request's values. Both the seeds' and the found ones' have been tried
 * when they were made; out of memory, one is not sent. */
void sending_fill(struct engine *e, const struct request *request, struct fetch_extra *extra)
{
    const struct header_fill *fill = e->sending.fills[request->endpoint];

    static_assert(FETCH_EXTRA_HEADERS >= 2 + HEADER_FILL_MAX, "room after those of the login");
    for (size_t i = 0; i < header_fill_count(fill); i++) {
        if (header_fill_line(fill, i, request->vars, &e->sending.filled[i], NULL) == RESULT_OK) {
            extra->headers[2 + i] = buf_view(&e->sending.filled[i]);
        }
    }
}
