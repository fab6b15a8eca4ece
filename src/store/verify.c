#include "store/verify.h"

#include "base/grow.h"
#include "base/units.h"
#include "store/orphans.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct span {
    uint64_t offset;
    uint32_t length, segment;
};

/* Plain arrays that grow. */
struct spans {
    struct span *items;
    size_t count, room;
};

struct extents {
    struct segment_extent *items; /* in order of number */
    size_t count, room;
};

struct verify {
    struct run_reader *reader;
    void (*found)(void *context, const struct verify_finding *finding);
    void *context;
    struct verify_report *report;
    struct extents extents;
    struct spans spans;
    struct buf line;
};

const char *verify_kind_name(enum verify_kind kind)
{
    static const char *const names[] = {
        [VERIFY_LEDGER] = "ledger",   [VERIFY_RECORD] = "record", [VERIFY_OVERLAP] = "overlap",
        [VERIFY_SEGMENT] = "segment", [VERIFY_ORPHAN] = "orphan", [VERIFY_TAIL] = "tail",
        [VERIFY_FILE] = "file",
    };

    return names[kind];
}

bool verify_kind_is_damage(enum verify_kind kind)
{
    return kind < VERIFY_ORPHAN;
}

bool verify_report_is_damage(const struct verify_report *report)
{
    uint64_t count = 0;

    for (size_t kind = 0; verify_kind_is_damage((enum verify_kind)kind); kind++) {
        count += report->discoveries[kind];
    }
    return count;
}

static void tell(struct verify *v, struct verify_finding finding)
{
    v->report->discoveries[finding.kind]++;
    v->found(v->context, &finding);
}

static enum result collect_extent(void *context, const struct segment_extent *extent,
                                  struct err *err)
{
    struct extents *extents = context;
    struct segment_extent *items =
        grow_by_one(extents->items, extents->count, &extents->room, sizeof *items);

    if (!items) {
        return err_nomem(err, "verifying a run");
    }
    extents->items = items;
    items[extents->count++] = *extent;
    return RESULT_OK;
}

static enum result collect_span(struct spans *spans, const struct record *record, struct err *err)
{
    struct span *items = grow_by_one(spans->items, spans->count, &spans->room, sizeof *items);

    if (!items) {
        return err_nomem(err, "verifying a run");
    }
    spans->items = items;
    items[spans->count++] = (struct span){ record->offset, record->length, record->segment };
    return RESULT_OK;
}

static void check_ledger(struct verify *v)
{
    struct err err = { .result = RESULT_OK };
    struct orphans orphans;
    char text[160];

    if (orphans_at_rest(&orphans, &v->reader->dir, v->reader->ledger, v->reader->raw_fd, NULL) ==
            RESULT_OK &&
        orphans.ledger_is_old) {
        snprintf(text, sizeof text,
                 "raw/ holds %" PRIu64
                 " whole record%s that the ledger does not name: it is older than raw/",
                 orphans.records, units_plural(orphans.records));
        tell(v, (struct verify_finding){ .kind = VERIFY_LEDGER, .text = text });
    }

    if (ledger_check(v->reader->ledger, &err) != RESULT_OK) {
        tell(v, (struct verify_finding){ .kind = VERIFY_LEDGER, .text = err.text });
    }
}

/* Of a packed one the text has its length, or why not. False when there is none. */
static bool check_packed(struct verify *v, const struct segment_extent *extent)
{
    struct verify_finding finding = { .kind = VERIFY_SEGMENT,
                                      .segment = extent->number,
                                      .length = extent->committed };
    struct err err = { .result = RESULT_OK };
    struct segment_bytes bytes;
    enum result result = segment_bytes_open(&bytes, v->reader->raw_fd, extent->number, &err);
    char text[160];
    uint64_t size;

    if (result != RESULT_OK && strcmp(err.code, "E-LEDG4") == 0) {
        return false;
    }
    finding.text = err.text;
    if (result == RESULT_OK) {
        result = segment_bytes_size(&bytes, extent->number, &size, &err);
        segment_bytes_close(&bytes);
    }
    if (result == RESULT_OK && size != extent->committed) {
        snprintf(text, sizeof text,
                 "the text of raw/%08u.jsonl.zst has %" PRIu64 " bytes, not %" PRIu64,
                 (unsigned)extent->number, size, extent->committed);
        finding.text = text;
        result = RESULT_CORRUPT;
    }
    if (result != RESULT_OK) {
        tell(v, finding);
    }
    return true;
}

/* The file of one extent: there, long enough, and with how much after? */
static void check_file(struct verify *v, const struct segment_extent *extent)
{
    struct verify_finding finding = { .segment = extent->number, .offset = extent->committed };
    char name[SEGMENT_NAME_SIZE];
    char text[160];
    struct stat st;
    uint64_t size;

    segment_name(extent->number, name);
    finding.text = text;
    if (fstatat(v->reader->raw_fd, name, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT &&
        check_packed(v, extent)) {
        return;
    }
    if (fstatat(v->reader->raw_fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
        snprintf(text, sizeof text, "raw/%s is missing (%s)", name, strerror(errno));
        st.st_mode = 0;
    } else if (!S_ISREG(st.st_mode)) {
        snprintf(text, sizeof text, "raw/%s is not a regular file", name);
    }
    if (!S_ISREG(st.st_mode)) {
        finding.kind = VERIFY_SEGMENT;
        finding.offset = 0;
        finding.length = extent->committed;
        tell(v, finding);
        return;
    }
    size = (uint64_t)st.st_size;
    if (size < extent->committed) {
        snprintf(text, sizeof text, "raw/%s is %" PRIu64 " byte%s short", name,
                 extent->committed - size, units_plural(extent->committed - size));
        finding.kind = VERIFY_SEGMENT;
        finding.offset = size;
        finding.length = extent->committed - size;
        tell(v, finding);
    } else if (size > extent->committed) {
        snprintf(text, sizeof text, "raw/%s has a tail of %" PRIu64 " byte%s not committed", name,
                 size - extent->committed, units_plural(size - extent->committed));
        finding.kind = VERIFY_TAIL;
        finding.length = size - extent->committed;
        v->report->tail_bytes += finding.length;
        tell(v, finding);
    }
}

static bool extents_have(const struct extents *extents, const char *file)
{
    for (size_t i = 0; i < extents->count; i++) {
        char name[SEGMENT_NAME_SIZE], packed[SEGMENT_PACKED_SIZE];

        segment_name(extents->items[i].number, name);
        segment_packed_name(extents->items[i].number, packed);
        if (!strcmp(name, file) || !strcmp(packed, file)) {
            return true;
        }
    }
    return false;
}

static enum result check_directory(struct verify *v, struct err *err)
{
    int fd = openat(v->reader->raw_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!listing) {
        if (fd >= 0) {
            close(fd);
        }
        return err_set_errno(err, errno, "E-DIR1", "%s/raw: cannot list", v->reader->dir.path);
    }
    while ((entry = readdir(listing))) {
        char text[NAME_MAX + 64];

        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            !extents_have(&v->extents, entry->d_name)) {
            snprintf(text, sizeof text, "raw/%s is not in the ledger", entry->d_name);
            tell(v, (struct verify_finding){ .kind = VERIFY_FILE, .text = text });
        }
    }
    closedir(listing);
    return RESULT_OK;
}

static enum result check_record(void *context, const struct record *record, struct err *err)
{
    struct verify *v = context;
    struct err damage = { .result = RESULT_OK };
    struct line_view view;
    enum result result = segment_read_line(&v->reader->segments, record, &v->line, &view, &damage);

    v->report->records++;
    if (result == RESULT_NOMEM) {
        return err_nomem(err, "verifying a run");
    }
    if (result == RESULT_OK) {
        v->report->line_bytes += record->length;
    } else {
        v->report->damaged++;
        tell(v, (struct verify_finding){ .kind = VERIFY_RECORD,
                                         .id = record->id,
                                         .segment = record->segment,
                                         .offset = record->offset,
                                         .length = record->length,
                                         .text = damage.text });
    }
    return collect_span(&v->spans, record, err);
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    if (x->segment != y->segment) {
        return x->segment < y->segment ? -1 : 1;
    }
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void tell_orphan(struct verify *v, uint32_t segment, uint64_t offset, uint64_t end)
{
    char name[SEGMENT_NAME_SIZE];
    char text[160];

    segment_name(segment, name);
    snprintf(text, sizeof text, "raw/%s has %" PRIu64 " byte%s at %" PRIu64 " that no row names",
             name, end - offset, units_plural(end - offset), offset);
    v->report->orphan_bytes += end - offset;
    tell(v, (struct verify_finding){ .kind = VERIFY_ORPHAN,
                                     .segment = segment,
                                     .offset = offset,
                                     .length = end - offset,
                                     .text = text });
}

/* Gaps and overlaps of one segment's spans, from spans.items[i] on. What lies after the extent was
 * committed while we looked, and is not held against it. Returns the first span of the next one. */
static size_t check_coverage(struct verify *v, const struct segment_extent *extent, size_t i)
{
    const struct spans *spans = &v->spans;
    uint64_t covered = 0;

    for (; i < spans->count && spans->items[i].segment <= extent->number; i++) {
        const struct span *span = &spans->items[i];

        if (span->segment < extent->number || span->offset >= extent->committed) {
            continue;
        }
        if (span->offset > covered) {
            tell_orphan(v, extent->number, covered, span->offset);
        } else if (span->offset < covered) {
            tell(v, (struct verify_finding){ .kind = VERIFY_OVERLAP,
                                             .segment = extent->number,
                                             .offset = span->offset,
                                             .length = covered - span->offset,
                                             .text = "two rows name the same bytes" });
        }
        if (span->offset + span->length > covered) {
            covered = span->offset + span->length;
        }
    }
    if (covered < extent->committed) {
        tell_orphan(v, extent->number, covered, extent->committed);
    }
    return i;
}

static enum result verify(struct verify *v, struct err *err)
{
    enum result result;
    size_t at = 0;

    check_ledger(v);
    /* The extents first: every record below them is in the index that is read afterwards. */
    result = ledger_each_segment(v->reader->ledger, collect_extent, &v->extents, err);
    if (result != RESULT_OK) {
        return result;
    }
    v->report->segments = (uint32_t)v->extents.count;
    for (size_t i = 0; i < v->extents.count; i++) {
        check_file(v, &v->extents.items[i]);
    }
    result = check_directory(v, err);
    if (result == RESULT_OK) {
        result = run_reader_each(v->reader, LEDGER_STORED, check_record, v, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    if (v->spans.count) {
        qsort(v->spans.items, v->spans.count, sizeof *v->spans.items, compare_spans);
    }
    for (size_t i = 0; i < v->extents.count; i++) {
        at = check_coverage(v, &v->extents.items[i], at);
    }
    return RESULT_OK;
}

enum result verify_run(struct run_reader *reader,
                       void (*found)(void *context, const struct verify_finding *finding),
                       void *context, struct verify_report *report, struct err *err)
{
    struct verify v = { .reader = reader, .found = found, .context = context, .report = report };
    enum result result;

    *report = (struct verify_report){ .records = 0 };
    result = verify(&v, err);
    free(v.extents.items);
    free(v.spans.items);
    buf_release(&v.line);
    return result;
}
