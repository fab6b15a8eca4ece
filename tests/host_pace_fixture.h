/**
 * One host with two lanes, on a clock that the tests move. set_up and tear_down belong around each test.
 */
#ifndef SCRAPETOP_TESTS_HOST_PACE_FIXTURE_H
#define SCRAPETOP_TESTS_HOST_PACE_FIXTURE_H

#include "base/clock.h"
#include "plan/host.h"

#define T0 (UINT64_C(1000) * US_PER_S)

extern struct host_table table;
extern struct host *host;
extern uint16_t lane, other_lane; /* /broken/, /well/ */

int set_up(void **state);
int tear_down(void **state);
enum host_answer may(uint64_t now_us);
struct request begin(uint16_t at_lane, uint32_t attempts_before, uint64_t now_us);
void start(uint64_t now_us);

/* A first try that takes no time, whatever it is of. */
enum host_news ask(uint16_t at_lane, enum host_end how, uint64_t now_us);
struct host_wake wake(uint64_t now_us);

#endif
