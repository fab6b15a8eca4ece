#include "cmd/fleet_option.h"

#include "base/os.h"
#include "cmd/shard_option.h"
#include "fleet/client.h"
#include "job/job_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define HOST_SHOWN 24

static enum result read_place(struct job *job, const char *value, struct err *err)
{
    struct fleet_place place;
    enum result result;

    if (!fleet_client_is_built()) {
        return err_set(err, RESULT_INVALID, "E-FLEET1",
                       "this scrapetop was built without fleets (SCRAPETOP_FLEET, which needs "
                       "hiredis); --shard I/N needs none");
    }
    result = fleet_place_parse(str_view(value), &place, err);
    return result == RESULT_OK ? job_replace(&job->fleet, str_view(value), err) : result;
}

static enum result refuse(struct err *err, const char *what)
{
    return err_set(err, RESULT_INVALID, "E-FLEET6", "--fleet: %s", what);
}

enum result fleet_option_check(const struct job *job, const struct fleet_beside *beside,
                               struct err *err)
{
    struct fleet_place place;

    if (!job->fleet) {
        return RESULT_OK;
    }
    if (!fleet_client_is_built() ||
        fleet_place_parse(str_view(job->fleet), &place, err) != RESULT_OK) {
        return read_place(&(struct job){ 0 }, job->fleet, err);
    }
    if (job->shard.count) {
        return refuse(err, "--shard cuts the plan by itself: give one of them");
    }
    if (job->poll.every_us) {
        return refuse(err, "--every asks again and again, a fleet asks once: give one of them");
    }
    if (beside->sweeps) {
        return refuse(err, "--sweep turns the cap, which is the fleet's: try caps in a run of "
                           "its own");
    }
    if (job->pace.is_auto) {
        return refuse(err, "--auto turns the cap, which is the fleet's: give -c, and turn it with "
                           "scrapetop ctl URL cap N or + and - in its dashboard");
    }
    if (beside->follows_up) {
        return refuse(err, "--only-failed, --only-missing and --class are for a run alone; R in "
                           "the dashboard asks failed ones again");
    }
    if (beside->needs_place) {
        return refuse(err, "each worker has a directory of its own: name it with -o");
    }
    return RESULT_OK;
}

/* The machine's name as far as it is letters, digits and -, and 32 bits by chance. */
static void make_name(char name[JOB_NAME_MAX])
{
    char host[UV_MAXHOSTNAMESIZE] = "";
    size_t len = sizeof host, used = 0;
    uint32_t chance = 0;

    (void)uv_os_gethostname(host, &len);
    for (size_t i = 0; host[i] && host[i] != '.' && used < HOST_SHOWN; i++) {
        name[used++] = isalnum((unsigned char)host[i]) ? host[i] : '-';
    }
    if (!os_random(&chance, sizeof chance)) {
        chance = (uint32_t)uv_hrtime();
    }
    snprintf(name + used, JOB_NAME_MAX - used, "%s%08x", used ? "-" : "w", chance);
}

enum result fleet_option_name(struct job *job, const struct run_dir *dir, struct err *err)
{
    char name[JOB_NAME_MAX];

    if (!job->fleet || job->worker) {
        return RESULT_OK;
    }
    if (!dir->fresh) {
        return err_set(err, RESULT_INVALID, "E-FLEET6",
                       "%s is a run of its own, in no fleet: begin a worker in another directory "
                       "(-o); normalise makes one table of both",
                       dir->path);
    }
    make_name(name);
    return job_replace(&job->worker, str_view(name), err);
}

static enum result set_fleet(void *target, const char *value, struct err *err)
{
    return read_place(target, value, err);
}

static enum result set_shard(void *target, const char *value, struct err *err)
{
    struct job *job = target;

    return shard_option_read(&job->shard, value, err);
}

static enum result set_budget(void *target, const char *value, struct err *err)
{
    struct job *job = target;

    return job_parse_budget(str_view(value), &job->pace, err);
}

const struct option_row fleet_rows[FLEET_ROWS] = {
    {
        .name = "fleet",
        .value = "URL",
        .help = "Share the job with other workers by a Redis, redis://HOST/JOB or rediss:// by "
                "TLS: each asks a part of the plan and what that leads to, all within one cap and "
                "one rate; normalise RUN "
                "RUN... makes "
                "one table of all",
        .kind = OPTION_CALL,
        .set = set_fleet,
    },
    {
        .name = "budget",
        .words = "fleet worker",
        .value = "WHOSE",
        .help = "In a fleet, who keeps the rate and the limits that servers tell: fleet (all "
                "together), or worker (each for itself, as an API does that counts by address); "
                "the cap is always of all",
        .kind = OPTION_CALL,
        .set = set_budget,
    },
    {
        .name = "shard",
        .words = SHARD_WORDS,
        .value = "I/N",
        .help = "Run part I of N: of the plan's own requests the I-th and every N-th after it, "
                "with the pages and details that they lead to. k8s and slurm take I and N from "
                "an Indexed Job or a job array; normalise RUN RUN... makes one table of all",
        .kind = OPTION_CALL,
        .set = set_shard,
    },
};
