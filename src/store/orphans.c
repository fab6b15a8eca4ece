#include "store/orphans.h"

#include "base/grow.h"
#include "store/segment_scan.h"
#include "store/ledger_retire.h"

#include <stdlib.h>

/* What the ledger knows of the segments, in order of number. */
struct extents {
    struct segment_extent *items;
    size_t count, room;
};

static enum result collect(void *context, const struct segment_extent *extent, struct err *err)
{
    struct extents *extents = context;
    struct segment_extent *items =
        grow_by_one(extents->items, extents->count, &extents->room, sizeof *items);

    if (!items) {
        return err_nomem(err, "looking for records without a row");
    }
    extents->items = items;
    items[extents->count++] = *extent;
    return RESULT_OK;
}

static int compare_numbers(const void *key, const void *item)
{
    uint32_t a = *(const uint32_t *)key, b = ((const struct segment_extent *)item)->number;

    return a < b ? -1 : a > b;
}

/* Zeroed but for its number when the ledger does not know it. */
static struct segment_extent extent_of(const struct extents *extents, uint32_t number, bool *known)
{
    const struct segment_extent *found = extents->count
                                             ? bsearch(&number, extents->items, extents->count,
                                                       sizeof *extents->items, compare_numbers)
                                             : NULL;

    *known = found != NULL;
    return found ? *found : (struct segment_extent){ .number = number };
}

struct search {
    struct ledger *ledger;
    int raw_fd;
    struct extents extents;
    struct orphans *orphans;
    struct segment_extent extent; /* of the file in hand, with what was taken in of it */
    uint32_t looked_for;          /* whether it is dropped */
    bool is_dropped;
    bool segment_is_unknown; /* one that the ledger does not know holds records */
    orphans_claim_fn *claim; /* NULL: they are only counted */
    void *context;
};

static void count(struct search *s, const struct record *record)
{
    s->orphans->records++;
    s->orphans->bytes += record->length;
}

/* Its row, as the committer would have made it. */
static enum result take_in(struct search *s, struct record *record, const struct line_view *line,
                           struct err *err)
{
    struct request request = { .id = line->id,
                               .is_marked = true, /* perhaps: not any more, then */
                               .endpoint = record->endpoint,
                               .attempt = line->attempt,
                               .exchange = { .asked = 1 } }; /* what is kept of one is over */
    struct response response = { .request = &request, .status = (int)line->status };
    bool is_empty =
        str_equal(line->body, STR("null")) && (line->status == 204 || line->status == 205);
    struct settlement settlement = {
        .state = SETTLE_DONE,
        .body_kind = is_empty ? SETTLE_BODY_EMPTY : SETTLE_BODY_JSON,
        .response = &response,
        .record = *record,
    };
    bool duplicate;
    enum result result = ledger_put(s->ledger, &settlement, &duplicate, err);

    if (result == RESULT_OK && !duplicate) {
        count(s, record);
        s->extent.committed = record->offset + record->length;
        s->extent.body_bytes += line->body.len;
        s->extent.lines++;
    }
    return result;
}

static enum result on_line(void *context, struct record *record, const struct line_view *line,
                           struct err *err)
{
    struct search *s = context;
    uint32_t endpoint;

    if (!s->claim) {
        count(s, record);
        return RESULT_OK;
    }
    if (line->body_kind != LINE_BODY || !s->claim(s->context, line, &endpoint)) {
        return RESULT_OK;
    }
    record->endpoint = (uint16_t)endpoint;
    return take_in(s, record, line, err);
}

static enum result compare_number(void *context, uint32_t number, struct err *err)
{
    struct search *s = context;

    (void)err;
    s->is_dropped |= number == s->looked_for;
    return RESULT_OK;
}

/* Its file was left by a kill, and is removed by the next session. */
static enum result look_whether_dropped(struct search *s, uint32_t number, struct err *err)
{
    s->looked_for = number;
    s->is_dropped = false;
    return ledger_each_dropped(s->ledger, compare_number, s, err);
}

/* The lines of one file, and their rows, if they are to have any, in one transaction. */
static enum result search_file(void *context, uint32_t number, uint64_t size, struct err *err)
{
    struct search *s = context;
    uint64_t before = s->orphans->records;
    enum result result = RESULT_OK;
    uint64_t from;
    bool known;

    result = look_whether_dropped(s, number, err);
    if (result != RESULT_OK || s->is_dropped) {
        return result;
    }
    s->extent = extent_of(&s->extents, number, &known);
    from = s->extent.committed;
    if (size <= from) {
        return RESULT_OK;
    }
    if (s->claim) { /* on the disk before any row says so */
        result = segment_sync_file(s->raw_fd, number, err);
        result = result == RESULT_OK ? ledger_begin(s->ledger, err) : result;
    }
    if (result == RESULT_OK) {
        result = segment_each_line(s->raw_fd, number, from, on_line, s, err);
    }
    if (result == RESULT_OK && s->orphans->records > before) {
        s->segment_is_unknown |= !known;
        s->extent.last_batch = from;
        result = s->claim ? ledger_put_segment(s->ledger, &s->extent, err) : RESULT_OK;
    }
    return result == RESULT_OK && s->claim ? ledger_commit(s->ledger, err) : result;
}

static enum result search(struct search *s, struct err *err)
{
    struct ledger_summary summary;
    enum result result = ledger_summarise(s->ledger, &summary, err);

    *s->orphans = (struct orphans){ .records = 0 };
    if (result == RESULT_OK) {
        result = ledger_each_segment(s->ledger, collect, &s->extents, err);
    }
    if (result == RESULT_OK) {
        result = segment_each_file(s->raw_fd, search_file, s, err);
    }
    free(s->extents.items);
    /* A session that ended leaves no line after what is committed, and a segment has its row before its first
     * line. That the log of one that was cut off is not there says nothing: any program that has looked into
     * the ledger since may have folded it. */
    s->orphans->ledger_is_old =
        s->orphans->records && (!summary.sessions || summary.last_end_us || s->segment_is_unknown);
    return result;
}

enum result orphans_count(struct orphans *orphans, struct ledger *ledger, int raw_fd,
                          struct err *err)
{
    struct search s = { .ledger = ledger, .raw_fd = raw_fd, .orphans = orphans };

    return search(&s, err);
}

enum result orphans_at_rest(struct orphans *orphans, const struct run_dir *dir,
                            struct ledger *ledger, int raw_fd, struct err *err)
{
    struct run_holder holder;
    enum result result = run_dir_holder(dir, &holder, err);

    *orphans = (struct orphans){ .records = 0 };
    return result == RESULT_OK && !holder.held ? orphans_count(orphans, ledger, raw_fd, err)
                                               : result;
}

enum result orphans_adopt(struct orphans *adopted, struct ledger *ledger, int raw_fd,
                          orphans_claim_fn *claim, void *context, struct err *err)
{
    struct search s = {
        .ledger = ledger, .raw_fd = raw_fd, .orphans = adopted, .claim = claim, .context = context
    };

    return search(&s, err);
}
