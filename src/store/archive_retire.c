#include "store/archive_retire.h"

#include "store/dropped.h"
#include "store/ledger_retire.h"
#include "store/segment_reader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 1024
#define BATCH_BYTES ((uint64_t)64 << 20) /* copied in one transaction */

struct copying {
    struct archive *archive;
    struct segment_reader reader;
    struct buf line;
    struct record *page;
    uint32_t number;
    uint64_t from; /* in it: what is before has been copied */
};

/* Appends lines until enough for one transaction; the page's records get their new places. */
static enum result copy_lines(struct copying *c, size_t *count, struct err *err)
{
    struct archive *a = c->archive;
    uint64_t bytes = 0;
    size_t done = 0;
    enum result result = RESULT_OK;

    while (result == RESULT_OK && done < *count && bytes < BATCH_BYTES) {
        struct record *r = &c->page[done++];
        struct line_view view;

        result = segment_read_line(&c->reader, r, &c->line, &view, err);
        if (result != RESULT_OK) {
            break;
        }
        c->from = r->offset + r->length;
        r->segment = a->segment.extent.number;
        r->offset = a->segment.end;
        bytes += r->length;
        result = segment_append(&a->segment, buf_view(&c->line), err);
        a->next.lines++;
        a->next.body_bytes += view.body.len;
    }
    *count = done;
    result = result == RESULT_OK ? segment_flush(&a->segment, err) : result;
    return result == RESULT_OK ? segment_sync(&a->segment, err) : result;
}

/* The rows name the copies; with the last of them the segment is dropped. */
static enum result commit(struct copying *c, size_t count, bool last, struct err *err)
{
    struct archive *a = c->archive;
    enum result result = ledger_begin(a->ledger, err);

    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        result = ledger_move_line(a->ledger, &c->page[i], err);
    }
    a->next.last_batch = a->segment.extent.committed;
    a->next.committed = a->segment.end;
    if (result == RESULT_OK && count) {
        result = ledger_put_segment(a->ledger, &a->next, err);
    }
    if (result == RESULT_OK && last) {
        result = ledger_drop_segment(a->ledger, c->number, err);
    }
    result = result == RESULT_OK ? ledger_commit(a->ledger, err) : result;
    if (result == RESULT_OK && count) {
        a->segment.extent = a->next;
    }
    return result;
}

static enum result copy_segment(struct copying *c, struct err *err)
{
    struct archive *a = c->archive;
    enum result result = RESULT_OK;
    size_t count;

    c->from = 0;
    do {
        size_t got = 0;

        result = ledger_read_segment(a->ledger, c->number, c->from, c->page, PAGE, &got, err);
        count = got;
        if (result == RESULT_OK && got) {
            result = archive_announce(a, err);
            a->next = a->segment.extent;
            result = result == RESULT_OK ? copy_lines(c, &count, err) : result;
        }
        if (result == RESULT_OK) {
            result = commit(c, count, got < PAGE && count == got, err);
        } else if (result == RESULT_FULL || result == RESULT_CORRUPT) {
            struct err other;

            (void)!segment_rewind(&a->segment, &other);
        }
        count = count == got && got < PAGE ? 0 : 1;
    } while (result == RESULT_OK && count);
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

/* Copies go to a segment of their own, which is begun first when the last one has holes itself. */
enum result archive_rewrite(struct archive *a, uint32_t *segments, uint64_t *bytes, struct err *err)
{
    struct copying c = { .archive = a, .page = calloc(PAGE, sizeof *c.page) };
    uint32_t below = a->segment.extent.number;
    enum result result = c.page ? RESULT_OK : err_nomem(err, "retiring old rounds");
    uint32_t number = 1;

    *segments = 0;
    *bytes = 0;
    if (result == RESULT_OK && a->segment.extent.committed) {
        archive_close_segment(a);
        below++;
    }
    segment_reader_init(&c.reader, a->raw_fd);
    while (result == RESULT_OK && number) {
        result = ledger_find_holey(a->ledger, below, &number, err);
        if (result == RESULT_OK && number) {
            c.number = number;
            *bytes += size_of(a->raw_fd, number);
            result = copy_segment(&c, err);
            *segments += result == RESULT_OK;
        }
    }
    segment_reader_release(&c.reader);
    buf_release(&c.line);
    free(c.page);
    return result == RESULT_OK && *segments ? dropped_remove(a->ledger, a->raw_fd, err) : result;
}
