/* Any lines "name:value" as headers of an answer: what is read of them stays within its bounds, and the
 * body of a problem is looked into without harm. */
#include "base/json_scan.h"
#include "plan/quota.h"
#include "tests/fuzz/fuzz.h"

#define FIELDS_MAX 32
#define WALL_US (INT64_C(1795234500) * 1000000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str body = { (const char *)bytes, len }, rest = body;
    struct quota_field fields[FIELDS_MAX];
    struct quota quota, quotas[QUOTA_POLICIES_MAX];
    size_t count = 0;

    (void)quota_problem_read(STR("application/problem+json"), rest);
    while (rest.data && count < FIELDS_MAX) {
        struct str value = str_cut(&rest, '\n');
        struct str name = str_cut(&value, ':');

        fields[count++] = (struct quota_field){ name, str_trim(value) };
    }
    quota_read(fields, count, WALL_US, &quota);
    FUZZ_CHECK(quota.left <= QUOTA_NUMBER_MAX && quota.limit <= QUOTA_NUMBER_MAX);
    FUZZ_CHECK(quota.concurrent <= QUOTA_NUMBER_MAX && quota.reset_us <= QUOTA_RESET_MAX_US);
    FUZZ_CHECK(quota.has_left || !quota.left);
    FUZZ_CHECK(quota.refill_per_s >= 0 && quota.refill_per_s <= QUOTA_REFILL_MAX);
    FUZZ_CHECK(quota_read_all(fields, count, WALL_US, quotas) <= QUOTA_POLICIES_MAX);
    if (quota_read_cost(body, &quota)) {
        FUZZ_CHECK(quota.left <= QUOTA_NUMBER_MAX && quota.limit && quota.refill_per_s >= 0);
    }
    return 0;
}
