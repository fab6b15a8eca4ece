#include "host_pace_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MANY 100 /* requests that refer to the host: not one of few */

struct host_table table;

struct host *host;

uint16_t lane, other_lane; /* /broken/, /well/ */

static uint16_t lane_of(const char *text)
{
    struct url url;
    uint16_t found;

    assert_int_equal(url_split(str_view(text), &url, NULL), RESULT_OK);
    assert_int_equal(host_lane(host, 0, &url, &found), RESULT_OK);
    return found;
}

int set_up(void **state)
{
    struct url url;
    uint32_t index;

    (void)state;
    host_table_init(&table, 0, (struct rate){ 0 });
    assert_int_equal(url_split(STR("http://a/"), &url, NULL), RESULT_OK);
    assert_int_equal(host_find(&table, &url, &index, NULL), RESULT_OK);
    for (int i = 0; i < MANY; i++) {
        host_ref(&table, index);
    }
    host = host_at(&table, index);
    host->contacted = true;
    lane = lane_of("http://a/broken/1");
    other_lane = lane_of("http://a/well/1");
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    host_table_release(&table);
    return 0;
}

enum host_answer may(uint64_t now_us)
{
    return host_may_start(&table, host, lane, now_us);
}

struct request begin(uint16_t at_lane, uint32_t attempts_before, uint64_t now_us)
{
    struct request request = { .lane = at_lane, .attempt = attempts_before };

    table.now_us = now_us;
    host_started(&table, host, &request);
    request.attempt++;
    return request;
}

void start(uint64_t now_us)
{
    begin(lane, 0, now_us);
}

enum host_news ask(uint16_t at_lane, enum host_end how, uint64_t now_us)
{
    struct request request = begin(at_lane, 0, now_us);

    return host_ended(&table, host, &request, how, now_us);
}

struct host_wake wake(uint64_t now_us)
{
    struct host_wake found;

    host->lanes[lane].ready_count++; /* somebody waits */
    found = host_wake(&table, host, now_us);
    host->lanes[lane].ready_count--;
    return found;
}
