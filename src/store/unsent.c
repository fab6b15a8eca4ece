#include "store/unsent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNSENT_NAME "unsent"

static bool write_at(int fd, const void *bytes, size_t len, off_t at)
{
    return pwrite(fd, bytes, len, at) == (ssize_t)len;
}

static off_t offset_of(size_t place)
{
    return (off_t)(place * sizeof(uint64_t)); /* the boot stands where place 0 would */
}

size_t unsent_left(const struct run_dir *dir, uint64_t boot, uint64_t ids[UNSENT_MAX])
{
    uint64_t page[1 + UNSENT_MAX];
    size_t count = 0;
    ssize_t got;
    int fd;

    if (!boot || run_dir_open_file(dir, UNSENT_NAME, O_RDONLY, &fd, NULL) != RESULT_OK) {
        return 0;
    }
    got = pread(fd, page, sizeof page, 0);
    close(fd);
    if (got != (ssize_t)sizeof page || page[0] != boot) {
        return 0;
    }
    for (size_t place = 1; place <= UNSENT_MAX; place++) {
        if (page[place]) {
            ids[count++] = page[place];
        }
    }
    return count;
}

enum result unsent_forget(const struct run_dir *dir, struct err *err)
{
    if (unlinkat(dir->fd, UNSENT_NAME, 0) != 0 && errno != ENOENT) {
        return err_set_errno(err, errno, "E-DIR3", "%s/" UNSENT_NAME ": cannot remove it",
                             dir->path);
    }
    return RESULT_OK;
}

void unsent_open(struct unsent *u, const struct run_dir *dir)
{
    *u = (struct unsent){ .dir = dir, .fd = -1 };
}

static void lose(struct unsent *u)
{
    if (u->fd >= 0) {
        close(u->fd);
    }
    u->fd = -1;
    u->is_lost = true;
}

void unsent_close(struct unsent *u)
{
    if (u->fd >= 0) {
        (void)unlinkat(u->dir->fd, UNSENT_NAME, 0); /* whose ids name no mark any more */
        lose(u);
    }
}

/* Whole before anything relies on it: a place is written over later, and no disk is too full for that. */
static bool make_file(struct unsent *u, uint64_t boot)
{
    uint64_t page[1 + UNSENT_MAX] = { boot };

    if (u->is_lost || !boot ||
        run_dir_open_file(u->dir, UNSENT_NAME, O_RDWR | O_CREAT | O_TRUNC, &u->fd, NULL) !=
            RESULT_OK) {
        u->is_lost = true;
        return false;
    }
    if (!write_at(u->fd, page, sizeof page, 0)) {
        unsent_close(u);
        return false;
    }
    return true;
}

uint16_t unsent_put(struct unsent *u, uint64_t id, uint64_t boot)
{
    size_t at = u->from, looked = 0;

    if (u->is_lost || (u->fd < 0 && !make_file(u, boot))) {
        return 0;
    }
    while (u->ids[at] && ++looked < UNSENT_MAX) {
        at = (at + 1) % UNSENT_MAX;
    }
    if (u->ids[at] || !write_at(u->fd, &id, sizeof id, offset_of(at + 1))) {
        return 0;
    }
    u->ids[at] = id;
    u->from = (at + 1) % UNSENT_MAX;
    return (uint16_t)(at + 1);
}

bool unsent_clear(struct unsent *u, uint16_t place)
{
    const uint64_t none = 0;

    if (!place || u->fd < 0) {
        return true;
    }
    u->ids[place - 1] = 0;
    if (write_at(u->fd, &none, sizeof none, offset_of(place))) {
        return true;
    }
    /* A file that is too short is not believed either. */
    if (ftruncate(u->fd, 0) == 0 || unlinkat(u->dir->fd, UNSENT_NAME, 0) == 0) {
        lose(u);
        return true;
    }
    return false;
}
