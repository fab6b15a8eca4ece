/**
 * Headers as texts in, a quota out. NOW_S is the time at which all of them arrive.
 */
#ifndef SCRAPETOP_TESTS_QUOTA_FIXTURE_H
#define SCRAPETOP_TESTS_QUOTA_FIXTURE_H

#include "base/clock.h"
#include "plan/quota.h"

#define NOW_S INT64_C(1795234500) /* Sat, 21 Nov 2026 04:15:00 GMT */
#define NOW_US (NOW_S * 1000000)
#define DATE "date", "Sat, 21 Nov 2026 04:15:00 GMT"
#define ABSENT UINT64_MAX
#define FIELDS_MAX 8

struct sample {
    const char *fields[2 * FIELDS_MAX + 1]; /* name, value, ... */
    uint64_t left, reset_us, limit, concurrent;
};

struct quota read_fields(const char *const *texts);

#define S US_PER_S

#endif
