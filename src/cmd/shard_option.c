#include "cmd/shard_option.h"

#include <stdlib.h>
#include <string.h>

#define BY_HAND "SCRAPETOP_SHARD"
#define K8S_INDEX "JOB_COMPLETION_INDEX"
#define K8S_COUNT "SCRAPETOP_SHARDS"
#define SLURM_ID "SLURM_ARRAY_TASK_ID"
#define SLURM_LOW "SLURM_ARRAY_TASK_MIN"
#define SLURM_HIGH "SLURM_ARRAY_TASK_MAX"
#define SLURM_COUNT "SLURM_ARRAY_TASK_COUNT"

static enum result read_variable(const char *name, uint64_t low, uint64_t high, uint64_t *value,
                                 struct err *err)
{
    const char *text = getenv(name);

    if (!text) {
        return err_set(err, RESULT_INVALID, "E-SHARD1", "%s is not set", name);
    }
    if (units_parse_count(str_view(text), low, high, value, NULL) != RESULT_OK) {
        return err_set(err, RESULT_INVALID, "E-SHARD1",
                       "%s is \"%.32s\"; want a number from %llu to %llu", name, text,
                       (unsigned long long)low, (unsigned long long)high);
    }
    return RESULT_OK;
}

static enum result read_k8s(struct job_shard *shard, struct err *err)
{
    uint64_t index = 0, count = 0;
    enum result result = read_variable(K8S_COUNT, 1, JOB_SHARDS_MAX, &count, err);

    if (result == RESULT_OK) {
        result = read_variable(K8S_INDEX, 0, count - 1, &index, err);
    }
    if (result == RESULT_OK) {
        *shard = (struct job_shard){ (unsigned)index + 1, (unsigned)count };
    }
    return result;
}

/* An array that steps (0-14:2) is none with gaps as long as its steps are alike. */
static enum result read_slurm(struct job_shard *shard, struct err *err)
{
    uint64_t id = 0, low = 0, high = 0, count = 0, step;
    enum result result = read_variable(SLURM_COUNT, 1, JOB_SHARDS_MAX, &count, err);

    if (result == RESULT_OK) {
        result = read_variable(SLURM_LOW, 0, UINT32_MAX, &low, err);
    }
    if (result == RESULT_OK) {
        result = read_variable(SLURM_HIGH, low, UINT32_MAX, &high, err);
    }
    if (result == RESULT_OK) {
        result = read_variable(SLURM_ID, low, high, &id, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    step = count > 1 ? (high - low) / (count - 1) : 1;
    if (step == 0 || high - low != step * (count - 1) || (id - low) % step != 0) {
        return err_set(err, RESULT_INVALID, "E-SHARD1",
                       "the array has gaps, and its %llu tasks cannot be numbered "
                       "one after the other; submit it as --array=1-%llu",
                       (unsigned long long)count, (unsigned long long)count);
    }
    *shard = (struct job_shard){ (unsigned)((id - low) / step) + 1, (unsigned)count };
    return RESULT_OK;
}

enum result shard_option_read(struct job_shard *shard, const char *value, struct err *err)
{
    if (strcmp(value, "k8s") == 0) {
        return read_k8s(shard, err);
    }
    return strcmp(value, "slurm") == 0 ? read_slurm(shard, err)
                                       : job_shard_parse(str_view(value), shard, err);
}

static enum result lay_environment(struct job_shard *shard, struct err *err)
{
    const char *text = getenv(BY_HAND);

    if (!text || !text[0] || shard_option_read(shard, text, err) == RESULT_OK) {
        return RESULT_OK;
    }
    err_prefix(err, BY_HAND);
    return RESULT_INVALID;
}

enum result shard_option_settle(struct job *job, bool is_given, struct err *err)
{
    enum result result = is_given ? RESULT_OK : lay_environment(&job->shard, err);

    if (result == RESULT_OK && job->shard.count && job->poll.every_us) {
        result = err_set(err, RESULT_INVALID, "E-ARG1",
                         "--shard cuts a plan that is asked once, --every asks it again and again: "
                         "give one of them");
    }
    return result;
}

enum result shard_option_keep(struct job *job, bool is_given, const struct job_shard *stored,
                              struct err *err)
{
    char theirs[JOB_SHARD_TEXT_MAX], ours[JOB_SHARD_TEXT_MAX];
    struct job_shard *given = &job->shard;
    enum result result = RESULT_OK;

    if (!is_given) {
        *given = *stored;
        result = shard_option_settle(job, false, err);
    }
    if (result == RESULT_OK && !job_shard_is_same(given, stored)) {
        job_shard_format(stored, theirs);
        job_shard_format(given, ours);
        result = err_set(err, RESULT_INVALID, "E-SHARD3",
                         "this run is of %s%s, not of %s: a run that exists stays what it is; "
                         "name another directory with -o",
                         stored->count ? "shard " : "", theirs, ours);
    }
    return result;
}
