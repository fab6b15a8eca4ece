#include "cmd/since_option.h"

bool since_option_has(const struct job *job)
{
    for (size_t i = 0; i < job->endpoint_count; i++) {
        if (job->endpoints[i].since.at) {
            return true;
        }
    }
    return false;
}

static enum result refuse(const char *text, const char *why, struct err *err)
{
    return err_set(err, RESULT_INVALID, "E-ARG1", "--since %.100s: %s", text, why);
}

static struct ledger_since_set *set_of(struct ledger_since_set *sets, size_t *count,
                                       uint32_t endpoint)
{
    for (size_t i = 0; i < *count; i++) {
        if (sets[i].endpoint == endpoint) {
            return &sets[i];
        }
    }
    sets[*count].endpoint = endpoint;
    return &sets[(*count)++];
}

static enum result check(const char *text, const struct job_since *since,
                         const struct since_value *value, int64_t wall_us, struct err *err)
{
    int64_t us;

    if (!since_value_is_like(value, &since->start)) {
        return refuse(text, "want a value of the kind of the job's \"start\"", err);
    }
    return since_value_us(value, &since->lag, &us) && us > wall_us
               ? refuse(text, "is in the future: what changes until then would never be asked for",
                        err)
               : RESULT_OK;
}

/* "ENDPOINT=VALUE", where there is such an endpoint. */
static bool names(const struct job *job, size_t endpoint, struct str text, struct str *value)
{
    struct str rest = text, name = str_cut(&rest, '=');

    if (name.len == text.len || !str_equal(name, str_view(job->endpoints[endpoint].name))) {
        return false;
    }
    *value = rest;
    return true;
}

static enum result read_one(const char *text, const struct job *job, int64_t wall_us,
                            struct ledger_since_set *sets, size_t *count, struct err *err)
{
    struct str typed = str_view(text);
    struct since_value value;
    bool of_one = false, is_meant = false;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < job->endpoint_count; i++) {
        of_one |= names(job, i, str_view(text), &typed);
    }
    if (!since_value_parse_typed(typed, &value)) {
        return refuse(text,
                      of_one ? "want a moment, a day or a number, in the form of the API"
                             : "want VALUE or ENDPOINT=VALUE, with a moment, a day or a number",
                      err);
    }
    for (uint32_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        const struct job_since *since = &job->endpoints[i].since;

        if (!since->at || (of_one && !names(job, i, str_view(text), &typed))) {
            continue;
        }
        is_meant = true;
        result = check(text, since, &value, wall_us, err);
        set_of(sets, count, i)->value = value;
    }
    return result == RESULT_OK && !is_meant
               ? refuse(text,
                        of_one ? "that endpoint has no \"since\" in the job file"
                               : "no endpoint of the job has a \"since\"",
                        err)
               : result;
}

enum result since_option_read(const struct since_option *option, const struct job *job,
                              int64_t wall_us, struct ledger_since_set sets[SINCE_OPTION_MAX],
                              size_t *count, struct err *err)
{
    enum result result = RESULT_OK;

    *count = 0;
    for (size_t i = 0; i < option->count && result == RESULT_OK; i++) {
        result = read_one(option->texts[i], job, wall_us, sets, count, err);
    }
    return result;
}

void since_option_start(struct job *job, const struct ledger_since_set *sets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        job->endpoints[sets[i].endpoint].since.start = sets[i].value;
    }
}
