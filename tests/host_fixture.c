#include "host_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

const struct due why = { .by = DUE_RETRY_AFTER, .status = 429, .said = "30" };

static struct url parts(const char *text)
{
    struct url url;

    assert_int_equal(url_split(str_view(text), &url, NULL), RESULT_OK);
    return url;
}

uint32_t find(struct host_table *t, const char *text)
{
    struct url url = parts(text);
    uint32_t index;

    assert_int_equal(host_find(t, &url, &index, NULL), RESULT_OK);
    return index;
}

uint16_t lane_of(struct host *host, uint32_t endpoint, const char *text)
{
    struct url url = parts(text);
    uint16_t lane;

    assert_int_equal(host_lane(host, endpoint, &url, &lane), RESULT_OK);
    assert_true(lane < host->lane_count);
    return lane;
}

struct host *referred(struct host_table *t, const char *text)
{
    uint32_t index = find(t, text);

    host_ref(t, index);
    assert_int_equal(lane_of(host_at(t, index), 0, text), 0);
    return host_at(t, index);
}

void start(struct host_table *t, struct host *host, struct request *request, uint64_t now_us)
{
    t->now_us = now_us;
    host_started(t, host, request);
    request->attempt++;
}

bool start_if_may(struct host_table *t, struct host *host, uint64_t now_us)
{
    if (host_may_start(t, host, 0, now_us) != HOST_MAY) {
        return false;
    }
    start(t, host, &(struct request){ 0 }, now_us);
    return true;
}

void end(struct host_table *t, struct host *host, enum host_end how, uint64_t now_us)
{
    host_ended(t, host, &(struct request){ .attempt = 1, .started_us = now_us }, how, now_us);
}

const struct request any; /* of the first lane, so of the host's own bucket */
