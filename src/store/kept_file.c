#include "store/kept_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum result kept_file_of_run(struct kept_file *f, const struct run_dir *dir, const char *name,
                             struct err *err)
{
    *f = (struct kept_file){ .dir = *dir, .name = strdup(name), .is_borrowed = true };
    return f->name ? RESULT_OK : err_nomem(err, "opening a file of the run");
}

enum result kept_file_at(struct kept_file *f, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 1;

    *f = (struct kept_file){ .dir = { .fd = -1, .lock_fd = -1 } };
    f->name = strdup(slash ? slash + 1 : path);
    f->dir.path = slash ? strndup(path, len ? len : 1) : strdup(".");
    if (!f->name || !f->dir.path) {
        kept_file_close(f);
        return err_nomem(err, "opening a file");
    }
    f->dir.fd = open(f->dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir.fd < 0 || !f->name[0]) {
        enum result result = err_set_errno(err, f->name[0] ? errno : EISDIR, "E-DIR3", "%s", path);

        kept_file_close(f);
        return result;
    }
    return RESULT_OK;
}

void kept_file_close(struct kept_file *f)
{
    if (f->name && !f->is_borrowed && f->dir.fd >= 0) {
        close(f->dir.fd);
    }
    if (!f->is_borrowed) {
        free(f->dir.path);
    }
    free(f->name);
    *f = (struct kept_file){ .name = NULL };
}

static enum result check_owner(const struct kept_file *f, int fd, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return err_set_errno(err, errno, "E-DIR3", "%s/%s: cannot read", f->dir.path, f->name);
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        return err_set(err, RESULT_DENIED, "E-SEC1", "%s/%s belongs to another user", f->dir.path,
                       f->name);
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        return err_set(err, RESULT_DENIED, "E-SEC1",
                       "%s/%s is readable by others (%04o); chmod 600 %s/%s", f->dir.path, f->name,
                       (unsigned)(st.st_mode & 07777), f->dir.path, f->name);
    }
    return RESULT_OK;
}

enum result kept_file_read(const struct kept_file *f, size_t max, struct buf *out, struct err *err)
{
    struct stat st;
    enum result result;
    int fd;

    if (fstatat(f->dir.fd, f->name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
        return err_set(err, RESULT_NOT_FOUND, "E-DIR3", "%s/%s: no such file", f->dir.path,
                       f->name);
    }
    result = run_dir_open_file(&f->dir, f->name, O_RDONLY, &fd, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = check_owner(f, fd, err);
    if (result == RESULT_OK) {
        result = run_dir_read_opened(&f->dir, f->name, fd, max, out, err);
    }
    close(fd);
    return result;
}

enum result kept_file_write(const struct kept_file *f, struct str bytes, struct err *err)
{
    return f->is_borrowed ? run_dir_replace(&f->dir, f->name, bytes, err)
                          : run_dir_replace_unlocked(&f->dir, f->name, bytes, err);
}
