/*
 * Limits that the user sets to a session: how they are spelt.
 */
#include "job/job.h"

#include <stdio.h>

#define PERCENT_DECIMALS 3
#define PERCENT_MAX (100 * JOB_PERCENT)

static enum result refuse(struct str text, struct err *err)
{
    return err_set(
        err, RESULT_INVALID, "E-ARG5",
        "\"%.*s\" is neither a number of requests nor a part; want for example 100 or 5%%",
        (int)(text.len < 32 ? text.len : 32), text.data);
}

/* "2.5", in thousandths. False when it is no number, or one over a hundred. */
static bool read_percent(struct str digits, uint32_t *thousandths)
{
    uint32_t value = 0;
    size_t whole = 0, decimals = 0;
    bool has_point = false;

    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.data[i];

        if (c == '.' && !has_point && whole) {
            has_point = true;
        } else if (c < '0' || c > '9' || decimals == PERCENT_DECIMALS || value > PERCENT_MAX) {
            return false;
        } else {
            value = value * 10 + (uint32_t)(c - '0');
            whole += !has_point;
            decimals += has_point;
        }
    }
    for (size_t i = decimals; i < PERCENT_DECIMALS && value <= PERCENT_MAX; i++) {
        value *= 10;
    }
    *thousandths = value;
    return whole && (decimals || !has_point) && value <= PERCENT_MAX;
}

enum result job_parse_max_fail(struct str text, struct job_limits *limits, struct err *err)
{
    struct job_limits parsed = *limits;

    if (text.len && text.data[text.len - 1] == '%') {
        parsed.max_fail_by = JOB_MAX_FAIL_PERCENT;
        if (!read_percent((struct str){ text.data, text.len - 1 }, &parsed.max_fail_percent)) {
            return refuse(text, err);
        }
    } else {
        parsed.max_fail_by = JOB_MAX_FAIL_COUNT;
        if (units_parse_count(text, 0, INT64_MAX, &parsed.max_fail, NULL) != RESULT_OK) {
            return refuse(text, err);
        }
    }
    *limits = parsed;
    return RESULT_OK;
}

void job_format_max_fail(const struct job_limits *limits, char text[UNITS_TEXT_MAX])
{
    uint32_t part = limits->max_fail_percent % JOB_PERCENT;
    int decimals = PERCENT_DECIMALS;

    if (limits->max_fail_by == JOB_MAX_FAIL_COUNT) {
        snprintf(text, UNITS_TEXT_MAX, "%llu", (unsigned long long)limits->max_fail);
        return;
    }
    while (part && part % 10 == 0) {
        part /= 10;
        decimals--;
    }
    if (part) {
        snprintf(text, UNITS_TEXT_MAX, "%u.%0*u%%", limits->max_fail_percent / JOB_PERCENT,
                 decimals, part);
    } else {
        snprintf(text, UNITS_TEXT_MAX, "%u%%", limits->max_fail_percent / JOB_PERCENT);
    }
}

enum result job_parse_budget(struct str text, struct job_pace *pace, struct err *err)
{
    if (!str_equal(text, STR("worker")) && !str_equal(text, STR("fleet"))) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "invalid budget \"%.*s\": want worker or fleet",
                       (int)(text.len < 40 ? text.len : 40), text.len ? text.data : "");
    }
    pace->is_budget_own = str_equal(text, STR("worker"));
    return RESULT_OK;
}
