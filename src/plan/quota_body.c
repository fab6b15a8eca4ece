/* What bodies tell of quotas. */
#include "base/clock.h"
#include "base/json_scan.h"
#include "plan/quota.h"

#include <string.h>

#define DEPTH_MAX 64
#define LOOK_BYTES 4096 /* at a body's beginning and end, for its sign */

/* --- cost ----------------------------------------------------------------------------------------------------- */

static bool has_sign(struct str text)
{
    static const char sign[] = "\"throttleStatus\"";

    return text.len && memmem(text.data, text.len, sign, sizeof sign - 1);
}

/* "extensions" stands before or after the data, which may be large. */
static bool may_tell_cost(struct str body)
{
    size_t len = body.len < LOOK_BYTES ? body.len : LOOK_BYTES;

    return has_sign((struct str){ body.data, len }) ||
           (body.len > len && has_sign((struct str){ body.data + body.len - len, len }));
}

/* "1000.0", not below 0 and without an exponent; what is more is QUOTA_NUMBER_MAX. */
static bool find_number(struct str body, struct str pointer, double *number)
{
    struct str value, whole;
    double place = 1;

    if (!json_find(body, pointer, &value)) {
        return false;
    }
    whole = str_cut(&value, '.');
    *number = 0;
    for (size_t i = 0; i < whole.len + value.len; i++) {
        char c = i < whole.len ? whole.data[i] : value.data[i - whole.len];

        if (c < '0' || c > '9') {
            return false;
        }
        place = i < whole.len ? 1 : place / 10;
        *number = i < whole.len ? *number * 10 + (c - '0') : *number + place * (c - '0');
    }
    *number = *number < (double)QUOTA_NUMBER_MAX ? *number : (double)QUOTA_NUMBER_MAX;
    return whole.len > 0;
}

bool quota_read_cost(struct str body, struct quota *quota)
{
    double most, left, rate, cost = 1;

    if (!may_tell_cost(body) || !json_check(body, JSON_DEPTH_MAX, NULL) ||
        !find_number(body, STR("/extensions/cost/throttleStatus/maximumAvailable"), &most) ||
        !find_number(body, STR("/extensions/cost/throttleStatus/currentlyAvailable"), &left) ||
        !find_number(body, STR("/extensions/cost/throttleStatus/restoreRate"), &rate)) {
        return false;
    }
    /* What was asked for is held back until the answer is there, so that is what one more needs. */
    if (!find_number(body, STR("/extensions/cost/requestedQueryCost"), &cost) &&
        !find_number(body, STR("/extensions/cost/actualQueryCost"), &cost)) {
        cost = 1;
    }
    cost = cost < 1 ? 1 : cost;
    rate /= cost;
    *quota = (struct quota){ .has_left = true,
                             .left = (uint64_t)(left / cost),
                             .limit = most / cost >= 1 ? (uint64_t)(most / cost) : 1,
                             .refill_per_s = rate < QUOTA_REFILL_MAX ? rate : QUOTA_REFILL_MAX };
    if (rate > 0 && left < cost) {
        double wait_us = (cost - left) / cost / rate * (double)US_PER_S;

        quota->has_reset = true;
        quota->reset_us =
            wait_us < (double)QUOTA_RESET_MAX_US ? (uint64_t)wait_us + 1 : QUOTA_RESET_MAX_US;
    }
    return true;
}

/* --- problem types ---------------------------------------------------------------------------------------- */

static const struct {
    struct str ending;
    const char *words;
} problems[] = {
    [QUOTA_PROBLEM_EXCEEDED] = { STR_INIT("quota-exceeded"), "quota exceeded" },
    [QUOTA_PROBLEM_REDUCED] = { STR_INIT("temporary-reduced-capacity"),
                                "temporary reduced capacity" },
    [QUOTA_PROBLEM_ABNORMAL] = { STR_INIT("abnormal-usage-detected"), "abnormal usage detected" },
};

enum quota_problem quota_problem_read(struct str content_type, struct str body)
{
    struct str value, raw;

    if (!str_equal_nocase(str_trim(str_cut(&content_type, ';')), STR("application/problem+json")) ||
        !json_check(body, DEPTH_MAX, NULL) || !json_find(body, STR("/type"), &value)) {
        return QUOTA_PROBLEM_NONE;
    }
    raw = json_string_raw(value);
    for (int i = QUOTA_PROBLEM_EXCEEDED; i <= QUOTA_PROBLEM_ABNORMAL; i++) {
        struct str ending = problems[i].ending;

        if (raw.len >= ending.len &&
            memcmp(raw.data + raw.len - ending.len, ending.data, ending.len) == 0) {
            return (enum quota_problem)i;
        }
    }
    return QUOTA_PROBLEM_NONE;
}

const char *quota_problem_name(enum quota_problem problem)
{
    return problem == QUOTA_PROBLEM_NONE ? "" : problems[problem].words;
}
