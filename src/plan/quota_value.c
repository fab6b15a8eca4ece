#include "plan/quota_value.h"

#include "base/clock.h"
#include "plan/retry_after.h"

#include <stdio.h>
#include <string.h>

bool quota_value_number(struct str text, double *number)
{
    double place = 1;
    bool has_digits = false, has_point = false;

    *number = 0;
    text = str_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '.' && !has_point) {
            has_point = true;
        } else if (c < '0' || c > '9') {
            return false;
        } else {
            has_digits = true;
            place = has_point ? place / 10 : 1;
            *number = has_point ? *number + place * (c - '0') : *number * 10 + (c - '0');
        }
    }
    return has_digits && *number <= (double)QUOTA_NUMBER_MAX;
}

bool quota_value_to_count(double number, uint64_t *count)
{
    if (!(number >= 0 && number <= (double)QUOTA_NUMBER_MAX)) {
        return false;
    }
    *count = (uint64_t)number;
    return true;
}

bool quota_value_count(struct str text, uint64_t *count)
{
    double number;

    text = str_cut(&text, ',');
    text = str_cut(&text, ';');
    text = str_cut(&text, '/');
    return quota_value_number(text, &number) && quota_value_to_count(number, count);
}

bool quota_value_span(struct str text, uint64_t unit_us, uint64_t *us)
{
    char one[24];

    text = str_trim(text);
    if (duration_parse(text, unit_us, us)) {
        return true;
    }
    if (!text.len || text.len > sizeof one - 3) {
        return false;
    }
    snprintf(one, sizeof one, "1 %.*s", STR_ARG(text));
    return duration_parse(str_view(one), unit_us, us);
}

void quota_value_window(struct str text, uint64_t *window_us)
{
    struct str rest = str_cut(&text, ','), word;
    uint64_t us;

    word = str_cut(&rest, '/');
    if (rest.data && quota_value_span(rest, US_PER_S, &us) && us) {
        *window_us = us;
        return;
    }
    (void)str_cut(&word, ';');
    while (word.data) {
        struct str one = str_trim(str_cut(&word, ';'));

        if (str_starts(one, STR("w="))) {
            one.data += 2;
            one.len -= 2;
            if (duration_parse(one, US_PER_S, &us) && us) {
                *window_us = us;
            }
        }
    }
}

/* A number that retry_after_read takes for so long is one of at most 31 years. */
bool quota_value_reset(struct str text, uint64_t unit_us, int64_t wall_us, uint64_t *us)
{
    uint64_t number, then_us;

    if (!retry_after_read(text, unit_us, wall_us, us)) {
        return false;
    }
    if (*us == DURATION_MAX_US && str_to_u64(str_trim(text), &number) &&
        number <= QUOTA_NUMBER_MAX / unit_us) {
        then_us = number * unit_us;
        *us = wall_us > 0 && then_us > (uint64_t)wall_us ? then_us - (uint64_t)wall_us : 0;
    }
    return true;
}

bool quota_value_is_moment(struct str text, uint64_t unit_us)
{
    uint64_t us;

    return !duration_parse(text, unit_us, &us) || us >= DURATION_MAX_US;
}

uint64_t quota_value_grain_us(struct str text, uint64_t reset_us)
{
    return (text.len && memchr(text.data, '.', text.len)) || reset_us % US_PER_S ? 0 : US_PER_S;
}

uint64_t quota_value_us(uint64_t s)
{
    return s >= QUOTA_RESET_MAX_US / US_PER_S ? QUOTA_RESET_MAX_US : s * US_PER_S;
}
