#include "store/archive.h"

#include "base/grow.h"
#include "base/units.h"
#include "store/dropped.h"
#include "store/segment_scan.h"
#include "store/unsent.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct recovering {
    struct archive *archive;
    struct recovery *recovery;
    struct segment_extent last, last_written;
};

static enum result recover_segment(void *context, const struct segment_extent *extent,
                                   struct err *err)
{
    struct recovering *r = context;

    r->last = *extent;
    if (extent->committed) {
        r->last_written = *extent;
    }
    r->recovery->body_bytes += extent->body_bytes;
    return segment_recover(r->archive->raw_fd, extent, &r->recovery->discarded_bytes, err);
}

static enum result recover_segments(struct archive *a, struct recovery *recovery, struct err *err)
{
    struct recovering r = { .archive = a, .recovery = recovery };
    enum result result = ledger_each_segment(a->ledger, recover_segment, &r, err);

    if (result == RESULT_OK && recovery->unclean && r.last_written.number) {
        result = segment_check_last_batch(a->raw_fd, &r.last_written, err);
    }
    if (result == RESULT_OK && r.last.number) {
        result = segment_resume(&a->segment, &r.last, err);
        a->announced = r.last.number;
    }
    return result;
}

static enum result refuse_orphans(struct archive *a, struct err *err)
{
    enum result result;
    bool empty;

    result = segment_dir_is_empty(a->raw_fd, &empty, err);
    if (result == RESULT_OK && !empty) {
        result = err_set(err, RESULT_CORRUPT, "E-LEDG4",
                         "%s/ledger.db is missing though raw/ holds bodies: put it back from a "
                         "copy, or begin anew with --fresh (the old run is set aside, not deleted)",
                         a->dir->path);
    }
    return result;
}

/* Records that the ledger does not name. Without a word for them (what they led to is not in their lines) those
 * of a batch that a kill cut off are asked for again; but not a whole run whose ledger is an old one. */
static enum result see_to_orphans(struct archive *a, const struct archive_options *options,
                                  struct recovery *recovery, struct err *err)
{
    struct orphans orphans;
    enum result result;

    if (options->claim) {
        result =
            orphans_adopt(&orphans, a->ledger, a->raw_fd, options->claim, options->context, err);
        recovery->adopted = orphans.records;
        recovery->ledger_was_old = orphans.ledger_is_old;
        return result;
    }
    result = orphans_count(&orphans, a->ledger, a->raw_fd, err);
    return result == RESULT_OK && orphans.ledger_is_old
               ? err_set(err, RESULT_CORRUPT, "E-LEDG6",
                         "%s/raw holds %llu record%s that the ledger does not name: ledger.db-wal "
                         "was lost, or ledger.db is an older copy; put them back, or begin anew "
                         "with --fresh (the old run is set aside, and 'scrapetop normalise "
                         "RUN/raw/*.jsonl' reads its bodies)",
                         a->dir->path, (unsigned long long)orphans.records,
                         units_plural(orphans.records))
               : result;
}

/* After the orphans: the answer to one of these may be among them. Those that were only connecting are asked as if
 * nothing had been. */
static enum result end_sending(struct archive *a, const struct archive_options *options,
                               struct recovery *recovery, struct err *err)
{
    uint64_t unsent[UNSENT_MAX];
    size_t count = unsent_left(a->dir, options->clock.boot, unsent);
    enum result result = ledger_begin(a->ledger, err);

    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        result = ledger_drop_sending(a->ledger, unsent[i], err);
    }
    if (result == RESULT_OK) {
        result = ledger_end_sending(a->ledger, options->sends_again, &recovery->maybe_sent, err);
    }
    return result == RESULT_OK ? ledger_commit(a->ledger, err) : result;
}

static enum result recover(struct archive *a, const struct archive_options *options,
                           struct recovery *recovery, struct err *err)
{
    struct ledger_summary summary;
    enum result result = dropped_remove(a->ledger, a->raw_fd, err);

    result = result == RESULT_OK ? see_to_orphans(a, options, recovery, err) : result;

    if (result == RESULT_OK) {
        result = end_sending(a, options, recovery, err);
    }
    if (result == RESULT_OK) {
        result = ledger_summarise(a->ledger, &summary, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    recovery->planned = summary.own;
    recovery->done = summary.done;
    recovery->failed = summary.failed;
    recovery->unchanged = summary.unchanged;
    recovery->round_from = summary.round_from;
    recovery->earlier = summary.earlier;
    recovery->waiting = summary.waiting;
    recovery->unclean = summary.sessions && !summary.last_end_us;
    if (recovery->unclean) {
        result = ledger_check(a->ledger, err);
    }
    return result == RESULT_OK ? recover_segments(a, recovery, err) : result;
}

static enum result open_files(struct archive *a, const struct archive_options *options,
                              struct recovery *recovery, struct err *err)
{
    bool created = false;
    enum result result = segment_dir_open(a->dir, true, &a->raw_fd, err);

    if (result == RESULT_OK && a->dir->fresh) {
        result = refuse_orphans(a, err);
    }
    if (result == RESULT_OK) {
        result = segment_init(&a->segment, a->raw_fd, err);
    }
    if (result == RESULT_OK) {
        result = ledger_open(&a->ledger, a->dir, &created, err);
    }
    if (result == RESULT_OK) {
        ledger_set_clock(a->ledger, &options->clock);
    }
    recovery->resumed = !created;
    if (result == RESULT_OK && !created) {
        result = recover(a, options, recovery, err);
    }
    return result == RESULT_OK ? unsent_forget(a->dir, err) : result;
}

/* The session's row, and what it goes by. */
static enum result begin_session(struct ledger *ledger, const struct archive_options *options,
                                 struct err *err)
{
    enum result result = ledger_begin(ledger, err);

    if (result == RESULT_OK) {
        result = ledger_session_begin(ledger, options->clock.wall_us, err);
    }
    if (result == RESULT_OK && options->job.data) {
        result = ledger_put_kept(ledger, LEDGER_KEPT_JOB, options->job, err);
    }
    return result == RESULT_OK ? ledger_commit(ledger, err) : result;
}

struct extents {
    struct segment_extent *items;
    size_t count, room;
};

static enum result collect_extent(void *context, const struct segment_extent *extent,
                                  struct err *err)
{
    struct extents *extents = context;
    struct segment_extent *items =
        grow_by_one(extents->items, extents->count, &extents->room, sizeof *items);

    if (!items) {
        return err_nomem(err, "packing segments");
    }
    extents->items = items;
    items[extents->count++] = *extent;
    return RESULT_OK;
}

/* Tells the packer which segments there are. What hinders it costs disk, and nothing else. */
static void pack_closed(struct archive *a)
{
    struct extents extents = { .items = NULL };
    struct err err;

    if (a->packer && ledger_each_segment(a->ledger, collect_extent, &extents, &err) == RESULT_OK) {
        packer_give(a->packer, extents.items, extents.count);
    }
    free(extents.items);
}

enum result archive_open(struct archive *archive, const struct run_dir *dir,
                         const struct archive_options *options, struct recovery *recovery,
                         struct err *err)
{
    enum result result;

    *archive = (struct archive){ .dir = dir, .raw_fd = -1, .segment.fd = -1 };
    *recovery = (struct recovery){ .resumed = false };
    line_init(&archive->line);
    result = open_files(archive, options, recovery, err);
    if (result == RESULT_OK && options->plan) {
        result = ledger_claim_plan(archive->ledger, options->plan, err);
    }
    if (result == RESULT_OK) {
        result = begin_session(archive->ledger, options, err);
    }
    if (result == RESULT_OK && options->packs) {
        result = packer_start(&archive->packer, archive->raw_fd, err);
    }
    if (result == RESULT_OK) {
        pack_closed(archive);
    }
    if (result != RESULT_OK) {
        archive_close(archive);
    }
    return result;
}

void archive_close_segment(struct archive *a)
{
    if (a->segment.fd >= 0) {
        close(a->segment.fd);
    }
    a->segment.fd = -1;
}

void archive_close(struct archive *archive)
{
    packer_stop(archive->packer);
    archive->packer = NULL;
    ledger_close(archive->ledger);
    archive->ledger = NULL;
    segment_release(&archive->segment);
    if (archive->raw_fd >= 0) {
        close(archive->raw_fd);
        archive->raw_fd = -1;
    }
    line_release(&archive->line);
}

enum result archive_announce(struct archive *a, struct err *err)
{
    enum result result = RESULT_OK;

    if (segment_is_full(&a->segment)) {
        result = segment_begin_next(&a->segment, err);
    }
    if (result != RESULT_OK || a->segment.extent.number == a->announced) {
        return result;
    }
    result = ledger_begin(a->ledger, err);
    if (result == RESULT_OK) {
        result = ledger_put_segment(a->ledger, &a->segment.extent, err);
    }
    if (result == RESULT_OK) {
        result = ledger_commit(a->ledger, err);
    }
    if (result == RESULT_OK) {
        a->announced = a->segment.extent.number;
        pack_closed(a);
    }
    return result;
}

static enum result make_line(struct archive *a, struct settlement *settlement, struct err *err)
{
    enum result result = line_make(&a->line, settlement);

    if (result == RESULT_LIMIT) {
        return err_set(err, result, "E-SIZE1",
                       "a record of more than %u bytes cannot be stored: lower --max-body",
                       RECORD_LINE_MAX);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "storing a body");
}

static enum result append_line(struct archive *a, struct settlement *settlement, struct err *err)
{
    struct line *line = &a->line;
    uint64_t offset = a->segment.end;
    enum result result = make_line(a, settlement, err);

    if (result == RESULT_OK) {
        result = segment_append(&a->segment, buf_view(&line->head), err);
    }
    if (result == RESULT_OK) {
        result = segment_append(&a->segment, line->value, err);
    }
    if (result == RESULT_OK) {
        result = segment_append(&a->segment, LINE_TAIL, err);
    }
    settlement->record = (struct record){
        .id = settlement->response->request->id,
        .offset = offset,
        .length = line->length,
        .segment = a->segment.extent.number,
        .crc32c = line->crc32c,
        .status = (uint16_t)settlement->response->status,
        .endpoint = (uint16_t)settlement->response->request->endpoint,
    };
    a->next.lines++;
    a->next.body_bytes += settlement->response->body.len;
    return result;
}

/* The last body again needs no second line. Of a batch that is written a second time, because the
 * disk was full, the digests are those of the first: the line breaks are gone since. */
static enum result look_whether_unchanged(struct archive *a, struct settlement *s, struct err *err)
{
    const struct buf *body = &s->response->body;
    enum result result;

    if (!s->poll.has_digest) {
        digest_of(body->data, body->len, s->poll.digest);
        s->poll.has_digest = true;
    }
    result = ledger_is_unchanged(a->ledger, s, &s->unchanged, err);
    if (s->unchanged) {
        s->body_kind = SETTLE_BODY_NONE;
    }
    return result;
}

static enum result append_lines(struct archive *a, struct settlement *batch, struct err *err)
{
    enum result result = RESULT_OK;
    bool announced = false;

    for (struct settlement *s = batch; s && result == RESULT_OK; s = s->next) {
        s->record = (struct record){ .length = 0 };
        s->duplicate = false;
        s->outbox_last = 0;
        if (s->poll.is_used && s->state == SETTLE_DONE && s->body_kind != SETTLE_BODY_NONE) {
            result = look_whether_unchanged(a, s, err);
        }
        if (s->body_kind == SETTLE_BODY_NONE || result != RESULT_OK) {
            continue;
        }
        if (!announced) {
            result = archive_announce(a, err);
            a->next = a->segment.extent;
            announced = true;
        }
        if (result == RESULT_OK) {
            result = append_line(a, s, err);
        }
    }
    return result;
}

static enum result write_lines(struct archive *a, struct settlement *batch, struct err *err)
{
    enum result result;

    a->next = a->segment.extent;
    result = append_lines(a, batch, err);
    if (result == RESULT_OK && a->segment.end > a->segment.extent.committed) {
        result = segment_flush(&a->segment, err);
        a->next.last_batch = a->segment.extent.committed;
        a->next.committed = a->segment.end;
        if (result == RESULT_OK) {
            result = segment_sync(&a->segment, err);
        }
    }
    if (result == RESULT_FULL) {
        enum result rewound = segment_rewind(&a->segment, err);

        result = rewound == RESULT_OK ? RESULT_FULL : rewound;
    }
    return result;
}

static enum result put_row(struct archive *a, struct settlement *s, struct err *err)
{
    enum result result;

    if (s->state == SETTLE_ROUND) {
        return ledger_put_rounds(a->ledger, s->rounds, err);
    }
    if (s->state == SETTLE_SENDING || s->state == SETTLE_UNSENT) {
        return ledger_put_sending(a->ledger, s, err);
    }
    result = ledger_put(a->ledger, s, &s->duplicate, err);
    if (result == RESULT_OK && !s->duplicate) {
        result = ledger_put_taken(a->ledger, s->response->request, err);
    }
    if (result == RESULT_OK && s->poll.has_digest && !s->duplicate) {
        result = ledger_put_polled(a->ledger, s, err);
    } else if (result == RESULT_OK && s->unchanged && !s->duplicate) {
        result = ledger_touch_polled(a->ledger, s, err);
    }
    if (result == RESULT_OK && s->state == SETTLE_DONE && !s->duplicate) {
        result = ledger_put_since(a->ledger, s, err);
    }
    return result;
}

static enum result put_rows(struct archive *a, struct settlement *batch, uint64_t planned,
                            struct err *err)
{
    enum result result = RESULT_OK;

    for (struct settlement *s = batch; s && result == RESULT_OK; s = s->next) {
        result = put_row(a, s, err);
        if (result == RESULT_OK &&
            (s->discoveries.first || s->discoveries.notes || s->discoveries.page.is_page)) {
            result = ledger_put_discoveries(a->ledger, s, err);
        }
    }
    if (result == RESULT_OK && a->next.committed > a->segment.extent.committed) {
        result = ledger_put_segment(a->ledger, &a->next, err);
    }
    if (result == RESULT_OK && planned) {
        result = ledger_put_planned(a->ledger, planned, err);
    }
    if (result == RESULT_OK && a->outbox_done) {
        result = ledger_drop_outbox(a->ledger, a->outbox_done, err);
    }
    for (int i = 0; result == RESULT_OK && i < LEDGER_NOTES; i++) {
        if (a->notes[i].len) {
            result =
                ledger_put_kept(a->ledger, ledger_note_name((enum ledger_note)i), a->notes[i], err);
        }
    }
    return result;
}

enum result archive_store(struct archive *archive, struct settlement *batch, uint64_t planned,
                          struct err *err)
{
    enum result result = RESULT_OK;

    if (archive->step == ARCHIVE_WRITE) {
        result = write_lines(archive, batch, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    archive->step = ARCHIVE_COMMIT;
    result = ledger_begin(archive->ledger, err);
    if (result == RESULT_OK) {
        result = put_rows(archive, batch, planned, err);
    }
    if (result == RESULT_OK) {
        result = ledger_commit(archive->ledger, err);
    }
    if (result == RESULT_OK) {
        archive->segment.extent = archive->next;
        archive->step = ARCHIVE_WRITE;
        result = archive_look(archive, err);
    }
    return result;
}

/* It is only ever appended to. */
static bool is_cut(const struct segment *segment)
{
    struct stat st;

    return fstat(segment->fd, &st) == 0 && (uint64_t)st.st_size < segment->extent.committed;
}

enum result archive_look(struct archive *archive, struct err *err)
{
    const struct segment *segment = &archive->segment;
    enum result result = run_dir_look(archive->dir, err);

    if (result == RESULT_OK) {
        result = run_dir_look_at(archive->dir, archive->dir->fd, SEGMENT_DIR, archive->raw_fd, err);
    }
    if (result == RESULT_OK && segment->fd >= 0) {
        char name[SEGMENT_NAME_SIZE];

        segment_name(segment->extent.number, name);
        result = run_dir_look_at(archive->dir, archive->raw_fd, name, segment->fd, err);
        if (result == RESULT_OK && is_cut(segment)) {
            result =
                err_set(err, RESULT_NOT_FOUND, "E-DIR4",
                        "%s: raw/%s was cut while the run was at work", archive->dir->path, name);
        }
    }
    return result == RESULT_OK ? ledger_look(archive->ledger, err) : result;
}

enum result archive_abandon(struct archive *archive, struct err *err)
{
    archive->step = ARCHIVE_WRITE;
    return segment_rewind(&archive->segment, err);
}
