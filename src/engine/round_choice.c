#include "engine/round_choice.h"

#include "job/job.h"
#include "store/run_dir.h"
#include "store/segment_file.h"

#include <stdlib.h>
#include <unistd.h>

static enum result choose(void *context, const struct record *record, bool *is_chosen,
                          struct err *err)
{
    struct round_choice *c = context;
    struct line_view line;
    struct err damage;
    enum result result = segment_read_line(&c->segments, record, &c->line, &line, &damage);

    if (result == RESULT_CORRUPT) {
        *is_chosen = true;
        return RESULT_OK;
    }
    if (result != RESULT_OK) {
        *err = damage;
        return result;
    }
    *is_chosen = line.body_kind == LINE_BODY &&
                 record_where_any(c->where, line.body, &c->records[record->endpoint]);
    return RESULT_OK;
}

enum result round_choice_open(struct round_choice *c, const struct job *job,
                              const struct run_dir *dir, const struct record_where *where,
                              struct err *err)
{
    enum result result = RESULT_OK;

    *c = (struct round_choice){ .where = where, .raw_fd = -1 };
    c->choice = (struct ledger_choice){ choose, c, (uint32_t)job->endpoint_count };
    c->records = calloc(job->endpoint_count, sizeof *c->records);
    if (!c->records) {
        return err_nomem(err, "choosing what is asked again");
    }
    for (size_t i = 0; result == RESULT_OK && i < job->endpoint_count; i++) {
        const char *records = job->endpoints[i].records;

        result = records ? json_pointer_parse(&c->records[i], str_view(records), err) : RESULT_OK;
    }
    if (result == RESULT_OK) {
        result = segment_dir_open(dir, false, &c->raw_fd, err);
    }
    segment_reader_init(&c->segments, c->raw_fd);
    return result;
}

void round_choice_close(struct round_choice *c)
{
    segment_reader_release(&c->segments);
    buf_release(&c->line);
    free(c->records);
    c->records = NULL;
    if (c->raw_fd >= 0) {
        close(c->raw_fd);
        c->raw_fd = -1;
    }
}
