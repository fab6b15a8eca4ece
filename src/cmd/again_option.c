#include "cmd/again_option.h"

#include "base/clock.h"

#include <stddef.h>

static enum result add_since(void *target, const char *value, struct err *err)
{
    struct since_option *since = &((struct again_option *)target)->since;

    if (since->count == SINCE_OPTION_MAX) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "more than %d times --since",
                       SINCE_OPTION_MAX);
    }
    since->texts[since->count++] = value;
    return RESULT_OK;
}

static enum result add_where(void *target, const char *value, struct err *err)
{
    const struct clock clock = clock_system();

    return record_where_add(&((struct again_option *)target)->where, str_view(value),
                            clock_wall_us(&clock) / (int64_t)US_PER_S, err);
}

const struct option_row again_rows[AGAIN_ROWS] = {
    {
        .name = "again",
        .help = "Every night the same command: goes on with what is left; when nothing is, asks "
                "all anew and keeps what has changed. Tables have the newest of each",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct again_option, is_wanted),
    },
    {
        .name = "older-than",
        .value = "TIME",
        .help = "Of these only what has had no good answer for so long: 7d, 12h",
        .kind = OPTION_TIME,
        .offset = offsetof(struct again_option, age_us),
        .low = US_PER_MS,
    },
    {
        .name = "where",
        .value = "COND",
        .help = "Of these only what had a record like this: '/status != closed', '/total >= 10 and "
                "/paid = false', '/at > -7d', '!/done'; and what failed. Given again: or like this",
        .kind = OPTION_CALL,
        .set = add_where,
        .repeats = true,
    },
    {
        .name = "since",
        .value = "VALUE",
        .help = "Of a job with \"since\": how far its listings have been read, from where the next "
                "round asks; ENDPOINT=VALUE for one endpoint",
        .kind = OPTION_CALL,
        .set = add_since,
        .repeats = true,
    },
};

static enum result refuse(struct err *err, const char *text)
{
    return err_set(err, RESULT_INVALID, "E-ARG1", "%s", text);
}

bool again_option_begins(const struct again_option *o, const struct job *job, bool is_part)
{
    return o->is_wanted || (!is_part && since_option_has(job));
}

/* Its rounds go by what the one before has seen: each by a command of its own, and by one run. */
static enum result check_since(const struct again_option *o, const struct job *job, bool is_part,
                               struct err *err)
{
    if (job->poll.every_us) {
        return refuse(err,
                      "a job with \"since\" begins a round with each run: not with --every; give "
                      "the same command to cron or a timer");
    }
    if (job->shard.count || job->fleet || job->worker) {
        return refuse(err, "a job with \"since\" is for a run alone, not for shards or workers");
    }
    if (is_part && (o->is_wanted || o->since.count)) {
        return refuse(err, "--again and --since begin a round: not with --sweep, --only-failed, "
                           "--only-missing or --class");
    }
    return RESULT_OK;
}

enum result again_option_check(const struct again_option *o, const struct job *job, bool is_part,
                               struct err *err)
{
    if (since_option_has(job)) {
        if (o->where.count) {
            return refuse(err, "a job with \"since\" asks for what has changed: not with --where");
        }
        return check_since(o, job, is_part, err);
    }
    if (!o->is_wanted) {
        return o->age_us || o->where.count
                   ? refuse(err, o->age_us ? "--older-than goes with --again"
                                           : "--where goes with --again")
                   : RESULT_OK;
    }
    if (job->poll.every_us) {
        return refuse(err, "--every asks again by itself: not with --again");
    }
    if (job->shard.count || job->fleet || job->worker) {
        return refuse(err, "--again is for a run alone, not for shards or workers");
    }
    return is_part ? refuse(err, "--again asks anew: not with --sweep, --only-failed, "
                                 "--only-missing or --class")
                   : RESULT_OK;
}
