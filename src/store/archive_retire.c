#include "store/archive_retire.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 1024
#define AT_REST_BYTES ((uint64_t)64 << 20) /* copied in one transaction */
#define LIVE_BYTES ((uint64_t)2 << 20)

/* A copy that lies elsewhere has had it. The lines come in their order, so that these are the first ones. */
static bool is_copied(const struct archive_rewrite *w)
{
    return w->copied.id[0] && (w->number < w->copied.segment ||
                               (w->number == w->copied.segment && w->from <= w->copied.offset));
}

/* Appends lines until enough for one transaction; the page's records get their new places. Of a damaged one nothing. */
static enum result copy_lines(struct archive_rewrite *w, struct archive *a, size_t *count,
                              struct err *err)
{
    uint64_t bytes = 0;
    size_t done = 0;
    enum result result = RESULT_OK;

    w->twins = 0;
    while (result == RESULT_OK && done < *count && bytes < w->most) {
        struct record *r = &w->page[done++];
        struct line_view view;

        result = segment_read_line(&w->reader, r, &w->line, &view, err);
        if (result != RESULT_OK) {
            break;
        }
        w->from = r->offset + r->length;
        r->segment = a->segment.extent.number;
        r->offset = a->segment.end;
        bytes += r->length;
        w->twins += is_copied(w) ? r->length : 0;
        result = segment_append(&a->segment, buf_view(&w->line), err);
        a->next.lines++;
        a->next.body_bytes += view.body.len;
    }
    *count = done;
    result = result == RESULT_OK ? segment_flush(&a->segment, err) : result;
    return result == RESULT_OK ? segment_sync(&a->segment, err) : result;
}

/* The rows name the copies; with the last of them the segment is dropped. */
static enum result commit(struct archive_rewrite *w, struct archive *a, size_t count, bool last,
                          struct err *err)
{
    enum result result = ledger_begin(a->ledger, err);

    a->next.last_batch = a->segment.extent.committed;
    a->next.committed = a->segment.end;
    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        result = ledger_move_line(a->ledger, &w->page[i], err);
    }
    if (result == RESULT_OK && count) {
        result = ledger_put_segment(a->ledger, &a->next, err);
    }
    if (result == RESULT_OK && count && w->twins) {
        const struct ledger_twins twins = { a->next.number, a->segment.extent.committed,
                                            a->segment.extent.committed + w->twins };

        result = ledger_put_twins(a->ledger, w->copied.id, &twins, err);
    }
    if (result == RESULT_OK && last) {
        result = ledger_drop_segment(a->ledger, w->number, err);
    }
    result = result == RESULT_OK ? ledger_commit(a->ledger, err) : result;
    if (result == RESULT_OK && count) {
        a->segment.extent = a->next;
    }
    return result;
}

/* The segment is as it was, though some of its lines may have gone elsewhere. */
static void leave(struct archive_rewrite *w)
{
    w->first_left = w->left++ ? w->first_left : w->number;
    w->number = 0;
}

enum result archive_rewrite_step(struct archive_rewrite *w, struct archive *a, struct err *err)
{
    size_t count = 0, got = 0;
    enum result result =
        ledger_read_segment(a->ledger, w->number, w->from, w->page, PAGE, &got, err);
    bool last, damaged;

    if (w->number == a->segment.extent.number) {
        archive_close_segment(a);
    }
    count = got;
    if (result == RESULT_OK && got) {
        result = archive_announce(a, err);
        a->next = a->segment.extent;
        result = result == RESULT_OK ? copy_lines(w, a, &count, err) : result;
    }
    damaged = result == RESULT_CORRUPT;
    last = got < PAGE && count == got;
    result = result == RESULT_OK ? commit(w, a, count, last, err) : result;
    if (result == RESULT_OK && last) {
        w->segments++;
        w->bytes += w->size;
        w->number = 0;
    } else if (result == RESULT_FULL || damaged) {
        struct err other;
        enum result rewound = segment_rewind(&a->segment, &other);

        if (rewound != RESULT_OK) {
            *err = other;
            return rewound;
        }
    }
    if (damaged) {
        leave(w);
        result = RESULT_OK;
    }
    return result;
}

static uint64_t size_of(int raw_fd, uint32_t number)
{
    char name[SEGMENT_PACKED_SIZE];
    struct stat st;

    segment_name(number, name);
    if (fstatat(raw_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return (uint64_t)st.st_size;
    }
    segment_packed_name(number, name);
    return fstatat(raw_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)st.st_size : 0;
}

enum result archive_rewrite_begin(struct archive_rewrite *w, struct archive *a, bool live,
                                  const struct ledger_copied *copied, struct err *err)
{
    *w = (struct archive_rewrite){ .which = { .below = a->segment.extent.number, .half = live },
                                   .most = live ? LIVE_BYTES : AT_REST_BYTES,
                                   .copied = *copied,
                                   .raw_fd = a->raw_fd,
                                   .page = calloc(PAGE, sizeof *w->page) };
    segment_reader_init(&w->reader, a->raw_fd);
    if (a->segment.extent
            .committed) { /* the last one may go, too: one that has no holes itself is begun */
        w->which.below++;
        if (!live) {
            archive_close_segment(a);
        }
    }
    return w->page ? RESULT_OK : err_nomem(err, "retiring old rounds");
}

enum result archive_rewrite_next(struct archive_rewrite *w, struct ledger *ledger, struct err *err)
{
    enum result result = ledger_find_holey(ledger, &w->which, &w->number, err);

    if (result == RESULT_OK && w->number) {
        w->which.after = w->number;
        w->from = 0;
        w->size = size_of(w->raw_fd, w->number);
    }
    return result;
}

void archive_rewrite_end(struct archive_rewrite *w)
{
    segment_reader_release(&w->reader);
    buf_release(&w->line);
    free(w->page);
    w->page = NULL;
}
