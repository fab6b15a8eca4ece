#include "control/published_file.h"

#include "base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct published_file {
    uv_loop_t *loop;
    const char *path;
    char *beside; /* the name while it is written */
    uv_work_t work;
    bool busy, closing;
    struct buf text, next; /* `next` waits until `text` is written; empty: nothing waits */
    int trouble;           /* of the write under way: the pool's while busy */
    int last_trouble;      /* of the last that ended */
};

enum result published_file_new(struct published_file **file, uv_loop_t *loop, const char *path,
                               struct err *err)
{
    struct published_file *f = calloc(1, sizeof *f);
    struct buf beside = { 0 };

    *file = NULL;
    if (!f || buf_printf(&beside, "%s.%ld.tmp", path, (long)getpid()) != RESULT_OK ||
        !buf_cstr(&beside)) {
        buf_release(&beside);
        free(f);
        return err_nomem(err, "publishing a file");
    }
    f->loop = loop;
    f->path = path;
    f->beside = beside.data;
    f->work.data = f;
    *file = f;
    return RESULT_OK;
}

static void free_file(struct published_file *f)
{
    buf_release(&f->text);
    buf_release(&f->next);
    free(f->beside);
    free(f);
}

/* On a thread of the pool. */
static void write_file(uv_work_t *work)
{
    struct published_file *f = work->data;
    int fd;

    /* Of a killed process with our number. What somebody else has put there stays, and is not opened. */
    (void)unlink(f->beside);
    fd = open(f->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    f->trouble = fd < 0 ? errno : write_all(fd, buf_view(&f->text));
    if (fd >= 0 && close(fd) != 0 && !f->trouble) {
        f->trouble = errno;
    }
    if (!f->trouble && rename(f->beside, f->path) != 0) {
        f->trouble = errno;
    }
    if (f->trouble && fd >= 0) {
        (void)unlink(f->beside);
    }
}

static void write_next(struct published_file *f);

static void on_written(uv_work_t *work, int status)
{
    struct published_file *f = work->data;

    (void)status;
    f->busy = false;
    f->last_trouble = f->trouble;
    if (f->next.len) {
        write_next(f);
    }
    if (f->closing && !f->busy) {
        free_file(f);
    }
}

static void write_next(struct published_file *f)
{
    buf_release(&f->text);
    buf_take(&f->text, &f->next);
    f->busy = uv_queue_work(f->loop, &f->work, write_file, on_written) == 0;
}

void published_file_put(struct published_file *f, struct buf *text)
{
    buf_release(&f->next);
    buf_take(&f->next, text);
    if (!f->busy) {
        write_next(f);
    }
}

int published_file_trouble(const struct published_file *f)
{
    return f->last_trouble;
}

void published_file_close(struct published_file *f)
{
    if (!f) {
        return;
    }
    f->closing = true;
    if (!f->busy) {
        free_file(f);
    }
}
