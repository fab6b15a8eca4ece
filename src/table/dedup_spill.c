#include "table/dedup_spill.h"

#include "base/grow.h"
#include "base/temporary_file.h"
#include "base/write_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file is blocks of one size; each is of one part. */
struct dedup_spill {
    int fd;
    unsigned char *owners; /* by block: its part */
    size_t block_count, block_cap;
    char *waiting[DEDUP_PARTS]; /* a block for each, not full yet */
    size_t len[DEDUP_PARTS];
    char *read; /* a block */
};

static enum result fail(int error, const char *what, struct err *err)
{
    return err_set_errno(err, error, "E-TAB6", "--unique: %s a temporary file (TMPDIR)", what);
}

enum result dedup_spill_new(struct dedup_spill **spill, struct err *err)
{
    struct dedup_spill *s = calloc(1, sizeof *s);
    bool ok = s != NULL;

    *spill = NULL;
    if (s) {
        s->fd = -1;
        s->read = malloc(DEDUP_SPILL_BLOCK);
        ok = s->read != NULL;
    }
    for (unsigned i = 0; ok && i < DEDUP_PARTS; i++) {
        s->waiting[i] = malloc(DEDUP_SPILL_BLOCK);
        ok = s->waiting[i] != NULL;
    }
    if (!ok) {
        dedup_spill_free(s);
        return err_nomem(err, "comparing rows");
    }
    s->fd = temporary_file();
    if (s->fd < 0) {
        enum result result = fail(errno, "cannot make", err);

        dedup_spill_free(s);
        return result;
    }
    *spill = s;
    return RESULT_OK;
}

void dedup_spill_free(struct dedup_spill *s)
{
    if (!s) {
        return;
    }
    for (unsigned i = 0; i < DEDUP_PARTS; i++) {
        free(s->waiting[i]);
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
    free(s->read);
    free(s->owners);
    free(s);
}

static enum result write_block(struct dedup_spill *s, unsigned part, struct err *err)
{
    unsigned char *owners = grow_by_one(s->owners, s->block_count, &s->block_cap, sizeof *owners);
    int error;

    if (!owners) {
        return err_nomem(err, "comparing rows");
    }
    s->owners = owners;
    error = write_all(s->fd, (struct str){ s->waiting[part], DEDUP_SPILL_BLOCK });
    if (error) {
        return fail(error, "cannot write", err);
    }
    s->owners[s->block_count++] = (unsigned char)part;
    s->len[part] = 0;
    return RESULT_OK;
}

enum result dedup_spill_put(struct dedup_spill *s, unsigned part, struct str bytes, struct err *err)
{
    while (bytes.len) {
        size_t room = DEDUP_SPILL_BLOCK - s->len[part];
        size_t len = bytes.len < room ? bytes.len : room;

        memcpy(s->waiting[part] + s->len[part], bytes.data, len);
        s->len[part] += len;
        bytes = (struct str){ bytes.data + len, bytes.len - len };
        if (s->len[part] == DEDUP_SPILL_BLOCK) {
            enum result result = write_block(s, part, err);

            if (result != RESULT_OK) {
                return result;
            }
        }
    }
    return RESULT_OK;
}

static enum result read_block(struct dedup_spill *s, size_t block, struct err *err)
{
    size_t done = 0;

    while (done < DEDUP_SPILL_BLOCK) {
        ssize_t n = pread(s->fd, s->read + done, DEDUP_SPILL_BLOCK - done,
                          (off_t)(block * DEDUP_SPILL_BLOCK + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail(n < 0 ? errno : EIO, "cannot read", err);
        }
        done += (size_t)n;
    }
    return RESULT_OK;
}

enum result dedup_spill_read(struct dedup_spill *s, unsigned part, dedup_piece_fn *fn,
                             void *context, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < s->block_count; i++) {
        if (s->owners[i] == part) {
            result = read_block(s, i, err);
            result = result == RESULT_OK
                         ? fn(context, (struct str){ s->read, DEDUP_SPILL_BLOCK }, err)
                         : result;
        }
    }
    return result == RESULT_OK && s->len[part]
               ? fn(context, (struct str){ s->waiting[part], s->len[part] }, err)
               : result;
}
