#include "plan/retry_after.h"

#include "base/clock.h"
#include "base/moment.h"

#include <string.h>

#define VALUES_MAX 16 /* of a list that are read */

uint64_t retry_after_unit_us(struct str name)
{
    static const struct {
        struct str name;
        uint64_t unit_us;
    } names[] = {
        { STR_INIT("retry-after"), US_PER_S },
        { STR_INIT("x-retry-after"), US_PER_S },
        { STR_INIT("retry-after-ms"), US_PER_MS },      /* OpenAI, Azure OpenAI */
        { STR_INIT("x-retry-after-ms"), US_PER_MS },    /* and before them */
        { STR_INIT("x-ms-retry-after-ms"), US_PER_MS }, /* Azure Cosmos DB */
        { STR_INIT("x-ratelimit-retry-after"), US_PER_S },
        { STR_INIT("x-rate-limit-retry-after"), US_PER_S },
        { STR_INIT("ratelimit-retry-after"), US_PER_S },
        { STR_INIT("x-rate-limit-retry-after-seconds"), US_PER_S }, /* bucket4j */
        { STR_INIT("x-rate-limit-retry-after-milliseconds"), US_PER_MS },
    };

    for (size_t i = 0; name.len >= names[0].name.len && i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(name, names[i].name)) {
            return names[i].unit_us;
        }
    }
    return 0;
}

static uint64_t time_until(int64_t then_us, int64_t wall_us)
{
    uint64_t us = then_us > wall_us ? (uint64_t)then_us - (uint64_t)wall_us : 0;

    return us < RETRY_AFTER_MAX_US ? us : RETRY_AFTER_MAX_US;
}

/* A number that as a duration is 30 years or more is a moment since 1970, in s, ms, us or ns: each
 * begins where the one before would lie in the next millennia. */
static bool read_epoch(struct str text, uint64_t unit_us, int64_t wall_us, uint64_t *wait_us)
{
    static const struct {
        uint64_t up_to, us, per; /* `per` of it are `us` microseconds */
    } scales[] = {
        { UINT64_C(100000000000), US_PER_S, 1 },
        { UINT64_C(100000000000000), US_PER_MS, 1 },
        { UINT64_C(100000000000000000), 1, 1 },
        { INT64_MAX, 1, 1000 },
    };
    struct str fraction = text, digits = str_cut(&fraction, '.');
    uint64_t number, part_us = 0;

    if (!str_to_u64(digits, &number) || number <= UINT64_C(1000000000000000) / unit_us) {
        return false;
    }
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        if (number > scales[i].up_to) {
            continue;
        }
        if (fraction.len && scales[i].us > 1) {
            fraction.data--; /* ".5" */
            fraction.len++;
            if (!duration_parse(fraction, scales[i].us, &part_us)) {
                return false;
            }
        }
        number = (number + scales[i].per - 1) / scales[i].per * scales[i].us + part_us;
        *wait_us = time_until((int64_t)number, wall_us);
        return true;
    }
    return false; /* no moment: a number beyond all */
}

static struct str without_quotes(struct str text)
{
    text = str_trim(text);
    while (text.len >= 2 && (text.data[0] == '"' || text.data[0] == '\'') &&
           memchr(text.data + 1, text.data[0], text.len - 1) == text.data + text.len - 1) {
        text = str_trim((struct str){ text.data + 1, text.len - 2 });
    }
    return text;
}

static bool read_one(struct str text, uint64_t unit_us, int64_t wall_us, uint64_t *wait_us)
{
    int64_t then_us;

    text = without_quotes(text);
    if (read_epoch(text, unit_us, wall_us, wait_us) || duration_parse(text, unit_us, wait_us)) {
        return true;
    }
    if (!moment_parse(text, wall_us, &then_us)) {
        return false;
    }
    *wait_us = time_until(then_us, wall_us);
    return true;
}

static void keep_longer(uint64_t us, bool *is_read, uint64_t *wait_us)
{
    *wait_us = *is_read && *wait_us > us ? *wait_us : us;
    *is_read = true;
}

/* As a whole, and as a list ("30, 120"). The comma after a weekday's name belongs to a date, but what
 * stands after it is one, too. */
bool retry_after_read(struct str value, uint64_t unit_us, int64_t wall_us, uint64_t *wait_us)
{
    struct str rest = without_quotes(value);
    bool is_read = false;
    uint64_t us;

    if (read_one(rest, unit_us, wall_us, &us)) {
        keep_longer(us, &is_read, wait_us);
    }
    for (size_t i = 0; rest.data && i < VALUES_MAX; i++) {
        struct str one = str_cut(&rest, ',');

        one = str_cut(&one, ';'); /* what follows it is a parameter */
        if (read_one(one, unit_us, wall_us, &us)) {
            keep_longer(us, &is_read, wait_us);
        }
    }
    return is_read;
}

int64_t retry_after_server_us(struct str date, int64_t wall_us)
{
    int64_t server_us;

    return moment_parse(date, wall_us, &server_us) ? server_us : wall_us;
}

bool retry_after_parse(struct str value, struct str date, int64_t wall_us, uint64_t *wait_us)
{
    return retry_after_read(value, US_PER_S, retry_after_server_us(date, wall_us), wait_us);
}
