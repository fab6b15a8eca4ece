#include "frontier_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void plan_begin(struct plan *p, unsigned cap_per_host)
{
    *p = (struct plan){ .list_count = 0 };
    job_init(&p->job);
    assert_non_null(job_add_endpoint(&p->job));
    host_table_init(&p->hosts, cap_per_host, (struct rate){ 0 });
}

void plan_pattern(struct plan *p, const char *pattern)
{
    assert_int_equal(
        job_add_source(&p->job.endpoints[0], JOB_SOURCE_PATTERN, str_view(pattern), NULL),
        RESULT_OK);
}

void plan_list(struct plan *p, const char *text)
{
    char path[] = "/tmp/test_frontier.XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(job_add_source(&p->job.endpoints[0], JOB_SOURCE_LIST, STR("list"), NULL),
                     RESULT_OK);
    p->list_fds[p->list_count++] = fd;
}

void plan_open(struct plan *p)
{
    struct frontier_options options = { &p->job, &p->hosts, p->list_fds, false };
    struct err err;

    if (frontier_new(&p->frontier, &options, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

void plan_end(struct plan *p)
{
    frontier_free(p->frontier);
    host_table_release(&p->hosts);
    job_release(&p->job);
    for (int i = 0; i < p->list_count; i++) {
        close(p->list_fds[i]);
    }
}

struct request *next(struct plan *p, uint64_t now_us)
{
    struct request *request;
    struct err err;
    enum frontier_answer answer = frontier_next(p->frontier, now_us, &request, &err);

    if (answer != FRONTIER_REQUEST) {
        fail_msg("frontier_next: %d", answer);
    }
    request->attempt++;
    return request;
}

enum frontier_answer answer_of(struct plan *p, uint64_t now_us)
{
    struct request *request;
    struct err err;
    enum frontier_answer answer = frontier_next(p->frontier, now_us, &request, &err);

    assert_int_not_equal(answer, FRONTIER_REQUEST);
    assert_null(request);
    return answer;
}

struct host *host_of(struct plan *p, const struct request *request)
{
    return host_at(&p->hosts, request->host);
}

void settle(struct plan *p, struct request *request)
{
    host_ended(&p->hosts, host_of(p, request), request, HOST_END_WELL, T0);
    frontier_forget(p->frontier, request);
}

void wait_until(struct plan *p, struct request *request, uint64_t due_us)
{
    host_ended(&p->hosts, host_of(p, request), request, HOST_END_WELL, T0);
    assert_int_equal(frontier_wait(p->frontier, request, due_us), RESULT_OK);
}

void assert_next(struct plan *p, uint64_t id, const char *key, const char *url)
{
    struct request *request = next(p, T0);

    assert_int_equal(request->id, id);
    assert_string_equal(request->key.data, key);
    assert_string_equal(request->url.data, url);
    settle(p, request);
}
