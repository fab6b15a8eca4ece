#include "cmd/as_of.h"

#include "base/say.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "store/ledger_as_of.h"
#include "store/segment_reader.h"

#include <unistd.h>

struct look {
    struct segment_reader segments;
    struct buf line;
    int64_t as_of_us;
};

/* A damaged line is left for the table to tell of. */
static enum result is_late(void *context, const struct record *record, bool *late, struct err *err)
{
    struct look *look = context;
    struct line_view view;
    enum result result = segment_read_time(&look->segments, record, &look->line, &view, err);
    int64_t us;

    *late = result == RESULT_OK && timestamp_parse(view.fetched_at, &us) && us > look->as_of_us;
    return result == RESULT_CORRUPT ? RESULT_OK : result;
}

static enum result go_back(struct opened_run *run, int64_t as_of_us, uint64_t *count,
                           struct err *err)
{
    struct look look = { .as_of_us = as_of_us };
    int raw_fd = -1;
    enum result result = segment_dir_open(&run->dir, false, &raw_fd, err);

    if (result != RESULT_OK) {
        return result;
    }
    segment_reader_init(&look.segments, raw_fd);
    result = ledger_go_back(run->ledger, is_late, &look, count, err);
    segment_reader_release(&look.segments);
    buf_release(&look.line);
    close(raw_fd);
    return result;
}

enum result as_of_go_back(struct opened_run *run, int64_t as_of_us, const struct job_endpoint *of,
                          struct err *err)
{
    enum result result = RESULT_OK;

    if (!ledger_is_of_rounds(run->ledger)) {
        return RESULT_OK;
    }
    if (!run->went_back) {
        result = go_back(run, as_of_us, &run->late, err);
        run->went_back = result == RESULT_OK;
        if (run->went_back && run->late) {
            say(stderr, "scrapetop: %llu answer%s of %s left out: came after --as-of",
                (unsigned long long)run->late, units_plural(run->late), run->dir.path);
        }
    }
    if (result == RESULT_OK && run->late && of->has_parent && of->pages.kind == JOB_PAGES_NONE) {
        result = err_set(err, RESULT_INVALID, "E-ARG1",
                         "--as-of: which records \"%s\" had then is not known any more: --again "
                         "keeps of details only what has changed",
                         of->name);
    }
    return result;
}
