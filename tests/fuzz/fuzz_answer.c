/* A rule in the command line's spelling, a line feed, and the body that it is tried on. */
#include "fuzz.h"

#include "base/json_scan.h"
#include "plan/answer_usual.h"
#include "plan/rulebook.h"

#include <string.h>

static struct str header_of(const void *context, struct str name, unsigned n)
{
    const struct str *value = context;

    (void)name;
    return n ? STR_NONE : *value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = { (const char *)data, size };
    struct str words = str_cut(&body, '\n'), value = words;
    struct answer_view a = { .status = size ? 200 + data[0] : 0,
                             .content_type = value,
                             .body = body.data ? body : STR(""),
                             .header = header_of,
                             .context = &value };
    struct buf text = { .max = 1024 };
    char why[ANSWER_WHY_MAX], said[40];
    struct rulebook *book;
    struct job job;
    uint64_t us;

    job_init(&job);
    a.is_json = json_check(a.body, 64, NULL);
    if (job_add_endpoint(&job) && job_add_answer(&job, words, NULL) == RESULT_OK &&
        rulebook_new(&book, &job, NULL) == RESULT_OK) {
        const struct answer_rule *rule = rulebook_rule(book, 0);

        (void)rulebook_match(book, 0, &a, NULL);
        a.is_cut = !a.is_json;
        (void)rulebook_match(book, 0, &a, NULL);
        (void)answer_wait_at(&a, &rule->wait, rule->unit_us, &us, said, sizeof said);
        (void)answer_text_at(&a, &rule->url, &text);
        rulebook_free(book);
    }
    (void)answer_usual_of(&a, &(struct answer_asker){ .asks_safely = true }, why);
    (void)answer_usual_wait(&a, &us, said, sizeof said);
    buf_release(&text);
    job_release(&job);
    return 0;
}
