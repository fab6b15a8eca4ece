#include "engine/named_wait.h"

#include "plan/retry_after.h"

struct named_wait named_wait_read(const struct response *response, int64_t wall_us)
{
    int64_t server_us = retry_after_server_us(response_header(response, STR("date")), wall_us);
    struct named_wait wait = { .is_named = false };
    struct str name, value;
    size_t at = 0;

    while (response_header_next(response, &at, &name, &value)) {
        uint64_t unit_us = retry_after_unit_us(name), us;

        if (!unit_us) {
            continue;
        }
        if (!retry_after_read(value, unit_us, server_us, &us)) {
            wait.ignored = wait.ignored.data ? wait.ignored : value;
        } else if (!wait.is_named || us > wait.us) {
            wait.is_named = true;
            wait.us = us;
            wait.unit_us = unit_us;
            wait.value = value;
        }
    }
    return wait;
}

uint64_t named_wait_kept_us(uint64_t us)
{
    return us ? us + NAMED_WAIT_SLACK_US : 0;
}
