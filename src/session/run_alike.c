#include "session/run_alike.h"

#include "base/digest.h"
#include "plan/seeds.h"
#include "session/run_values.h"

#include <stdlib.h>
#include <string.h>

struct print {
    uint8_t bytes[DIGEST_BYTES];
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct print));
}

static enum result print_of(struct seeds *seeds, uint64_t number, struct buf *text,
                            struct print *print)
{
    struct seed seed;
    enum result result = seeds_read(seeds, SEEDS_LOOK, number, &seed, NULL);

    buf_reset(text);
    if (result == RESULT_OK) {
        result = buf_printf(text, "%u %.*s ", seed.endpoint, STR_ARG(seed.url));
    }
    if (result == RESULT_OK) {
        result = buf_append_str(text, seed.body);
    }
    if (result == RESULT_OK) {
        digest_of(text->data, text->len, print->bytes);
    }
    return result;
}

/* Of both ends; to free. NULL: it cannot be said. */
static struct print *sample(const struct job *job, size_t *count)
{
    struct print *prints = calloc((size_t)2 * RUN_ALIKE_SAMPLES, sizeof *prints);
    struct buf text = { .max = 0 };
    struct seeds *seeds;
    enum result result = prints ? seeds_new(&seeds, job, NULL, NULL) : RESULT_NOMEM;
    uint64_t total;

    *count = 0;
    if (result != RESULT_OK) {
        free(prints);
        return NULL;
    }
    total = seeds_total(seeds);
    for (uint64_t n = 1; n <= total && result == RESULT_OK; n++) {
        if (n > RUN_ALIKE_SAMPLES && n + RUN_ALIKE_SAMPLES <= total) {
            n = total - RUN_ALIKE_SAMPLES + 1;
        }
        result = print_of(seeds, n, &text, &prints[*count]);
        *count += result == RESULT_OK;
    }
    seeds_free(seeds);
    buf_release(&text);
    qsort(prints, *count, sizeof *prints, compare);
    return prints;
}

static bool have_common(const struct job *a, const struct job *b)
{
    size_t a_count, b_count;
    struct print *of_a = sample(a, &a_count), *of_b = sample(b, &b_count);
    bool common = false;

    for (size_t i = 0; of_a && of_b && i < b_count && !common; i++) {
        common = bsearch(&of_b[i], of_a, a_count, sizeof *of_a, compare) != NULL;
    }
    free(of_a);
    free(of_b);
    return common;
}

static bool has_list(const struct job *job)
{
    bool has = false;

    for (size_t e = 0; e < job->endpoint_count; e++) {
        for (size_t i = 0; i < job->endpoints[e].source_count; i++) {
            has |= job->endpoints[e].sources[i].kind == JOB_SOURCE_LIST;
        }
    }
    return has;
}

bool run_is_alike(const struct run_dir *dir, struct job *stored, const struct job *given)
{
    bool all;

    return given->var_count && !given->has_typed_secret && !stored->is_incomplete &&
           !given->shard.count && job_same_but_values(stored, given) && !has_list(stored) &&
           !has_list(given) && run_values_take_back(dir, stored, &all, NULL) == RESULT_OK &&
           have_common(stored, given);
}
