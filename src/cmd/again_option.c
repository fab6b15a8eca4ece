#include "cmd/again_option.h"

#include "base/clock.h"

#include <stddef.h>

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
};

static enum result refuse(struct err *err, const char *text)
{
    return err_set(err, RESULT_INVALID, "E-ARG1", "%s", text);
}

enum result again_option_check(const struct again_option *o, const struct job *job, bool is_part,
                               struct err *err)
{
    if (!o->is_wanted) {
        return o->age_us ? refuse(err, "--older-than goes with --again") : RESULT_OK;
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
