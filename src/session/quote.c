#include "session/quote.h"

#include "base/clock.h"
#include "base/say.h"
#include "base/units.h"
#include "history/stored_job.h"
#include "session/dry_run.h"
#include "session/price.h"
#include "session/run_checks.h"
#include "session/run_place.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Reading it to find the place would leave nothing of it for its requests. */
static bool has_pipe(const struct job *job)
{
    struct stat st;

    for (size_t i = 0; i < job->endpoint_count; i++) {
        for (size_t k = 0; k < job->endpoints[i].source_count; k++) {
            const struct job_source *source = &job->endpoints[i].sources[k];

            if (source->kind == JOB_SOURCE_LIST &&
                (stat(source->text, &st) != 0 || !S_ISREG(st.st_mode))) {
                return true;
            }
        }
    }
    return false;
}

static enum result find_place(const struct job *job, char place[RUN_PLACE_MAX], struct err *err)
{
    struct run_lists lists = { 0 };
    enum result result;

    place[0] = '\0';
    if (has_pipe(job)) {
        return RESULT_OK;
    }
    result = run_lists_check(&lists, job, err);
    result = result == RESULT_OK ? run_place_choose(job, &lists, place, err) : result;
    run_lists_close(&lists);
    return result;
}

static enum result check_same(const char *path, struct job *job, struct err *err)
{
    struct run_dir dir;
    struct job stored;
    bool is_other;
    enum result result = run_dir_open_readonly(&dir, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = run_check_same_job(&dir, job, &stored, &is_other, err);
    if (result == RESULT_OK) {
        job_release(&stored);
    }
    run_dir_close(&dir);
    return result;
}

static uint64_t free_bytes(const char *path)
{
    struct statvfs disk;

    return statvfs(path, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
}

static enum result print_json(const struct price *price, int64_t now_us, uint64_t available,
                              struct err *err)
{
    struct buf out = { 0 };
    enum result result = price_write(price, now_us, available, &out);

    if (result == RESULT_OK) {
        printf("%.*s\n", STR_ARG(buf_view(&out)));
    }
    buf_release(&out);
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "printing the price");
}

enum result quote_print(struct job *job, const struct quote_options *options, struct err *err)
{
    const char *path = options->path;
    bool json = options->json;
    char place[RUN_PLACE_MAX];
    struct clock clock = clock_system();
    struct price_plan plan;
    struct past_pace past;
    struct price price;
    bool has_run;
    enum result result = path ? RESULT_OK : find_place(job, place, err);

    if (result != RESULT_OK) {
        return result;
    }
    path = path ? path : place;
    has_run = *path && stored_job_is_in(path);
    result = has_run ? check_same(path, job, err) : RESULT_OK;
    result = result == RESULT_OK && has_run ? past_pace_read(path, &past, err) : result;
    result = result == RESULT_OK ? dry_run_print(job, json ? NULL : stdout, &plan, err) : result;
    if (result != RESULT_OK) {
        return result;
    }
    plan.is_asked_again = options->asks_again;
    plan.is_most = options->asks_part;
    price_make(job, &plan, has_run ? &past : NULL, &price);
    if (json) {
        return print_json(&price, clock_wall_us(&clock), free_bytes(has_run ? path : "."), err);
    }
    say(stderr, "scrapetop: %" PRIu64 " request%s%s, none sent", plan.requests,
        units_plural(plan.requests), ferror(stdout) ? " printed" : "");
    if (!ferror(stdout)) {
        price_say(&price, job, clock_wall_us(&clock), free_bytes(has_run ? path : "."));
    }
    return RESULT_OK;
}
