#include "control/socket_place.h"

#include "base/buf.h"
#include "base/json_scan.h"
#include "store/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES sizeof "/4194304.9.sock"
#define FILE_BYTES_MAX 4096
#define ENDING ".sock"

enum result socket_place(char path[SOCKET_PATH_MAX], struct err *err)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int len = runtime && runtime[0] == '/'
                  ? snprintf(path, SOCKET_PATH_MAX, "%s/scrapetop", runtime)
                  : snprintf(path, SOCKET_PATH_MAX, "/tmp/scrapetop-%lu", (unsigned long)getuid());

    if (len < 0 || (size_t)len + NAME_BYTES > SOCKET_PATH_MAX) {
        return err_set(err, RESULT_LIMIT, "E-CTL5",
                       "XDG_RUNTIME_DIR is too long for a socket's path");
    }
    return RESULT_OK;
}

enum result socket_place_make(char path[SOCKET_PATH_MAX], struct err *err)
{
    struct stat at;
    enum result result = socket_place(path, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST) {
        return err_set_errno(err, errno, "E-CTL5", "cannot make %s", path);
    }
    if (lstat(path, &at) != 0) {
        return err_set_errno(err, errno, "E-CTL5", "cannot look at %s", path);
    }
    if (!S_ISDIR(at.st_mode) || at.st_uid != getuid() || (at.st_mode & (S_IRWXG | S_IRWXO))) {
        return err_set(err, RESULT_DENIED, "E-CTL5",
                       "%s is not a directory of this user alone (mode 0700)", path);
    }
    return RESULT_OK;
}

enum result socket_place_of(pid_t pid, unsigned number, char path[SOCKET_PATH_MAX], struct err *err)
{
    char which[16] = "";
    enum result result = socket_place(path, err);

    if (result == RESULT_OK) {
        size_t used = strlen(path);

        if (number > 1) {
            snprintf(which, sizeof which, ".%u", number);
        }
        snprintf(path + used, SOCKET_PATH_MAX - used, "/%ld%s" ENDING, (long)pid, which);
    }
    return result;
}

static bool to_pid(struct str digits, pid_t *pid)
{
    uint64_t number;

    if (!str_to_u64(digits, &number) || number < 1 || number > INT32_MAX) {
        return false;
    }
    *pid = (pid_t)number;
    return true;
}

pid_t socket_place_pid(const char *name)
{
    struct str digits = str_view(name), number;
    size_t ending = sizeof ENDING - 1;
    pid_t pid;

    if (digits.len <= ending || memcmp(digits.data + digits.len - ending, ENDING, ending) != 0) {
        return 0;
    }
    number = (struct str){ digits.data, digits.len - ending };
    digits = str_cut(&number, '.');
    if ((number.len && (number.len != 1 || number.data[0] < '2' || number.data[0] > '9')) ||
        !to_pid(digits, &pid)) {
        return 0;
    }
    return pid;
}

/* A small regular file of ours, and no link, appended to `out`. */
static bool read_control(const char *run, struct buf *out)
{
    char name[4096], bytes[FILE_BYTES_MAX];
    struct stat at;
    ssize_t got = -1;
    int fd;

    if (snprintf(name, sizeof name, "%s/" RUN_DIR_CONTROL, run) >= (int)sizeof name) {
        return false;
    }
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    if (fstat(fd, &at) == 0 && S_ISREG(at.st_mode) && at.st_uid == getuid()) {
        got = read(fd, bytes, sizeof bytes);
    }
    close(fd);
    return got > 0 && buf_append(out, bytes, (size_t)got) == RESULT_OK;
}

static bool find_in_run(const char *run, char path[SOCKET_PATH_MAX])
{
    struct buf text = { 0 };
    struct str socket;
    bool found = false;

    if (read_control(run, &text) && json_check(buf_view(&text), JSON_DEPTH_MAX, NULL) &&
        json_find(buf_view(&text), STR("/socket"), &socket)) {
        struct buf plain = { .max = SOCKET_PATH_MAX - 1 };
        const char *name = NULL;

        if (json_unescape(&plain, json_string_raw(socket), NULL) == RESULT_OK &&
            !memchr(plain.data ? plain.data : "", '\0', plain.len)) {
            name = buf_cstr(&plain);
        }
        found = name && name[0] == '/' && strlen(name) < SOCKET_PATH_MAX;
        if (found) {
            memcpy(path, name, strlen(name) + 1);
        }
        buf_release(&plain);
    }
    buf_release(&text);
    return found;
}

enum result socket_place_find(const char *word, char path[SOCKET_PATH_MAX], struct err *err)
{
    struct stat at;
    pid_t pid;

    if (stat(word, &at) == 0 && S_ISDIR(at.st_mode)) {
        return find_in_run(word, path)
                   ? RESULT_OK
                   : err_set(err, RESULT_NOT_FOUND, "E-CTL6", "no run is live in %s", word);
    }
    if (to_pid(str_view(word), &pid)) {
        return socket_place_of(pid, 1, path, err);
    }
    if (stat(word, &at) == 0 && S_ISSOCK(at.st_mode) && strlen(word) < SOCKET_PATH_MAX) {
        snprintf(path, SOCKET_PATH_MAX, "%s", word);
        return RESULT_OK;
    }
    return err_set(err, RESULT_NOT_FOUND, "E-CTL6",
                   "\"%s\" is neither a run directory nor a process number", word);
}

void socket_place_each(bool (*each)(void *context, pid_t pid, const char *path), void *context)
{
    char place[SOCKET_PATH_MAX], path[SOCKET_PATH_MAX];
    bool goes_on = true;
    struct dirent *entry;
    DIR *dir;

    if (socket_place(place, NULL) != RESULT_OK || !(dir = opendir(place))) {
        return;
    }
    while (goes_on && (entry = readdir(dir))) {
        pid_t pid = socket_place_pid(entry->d_name);

        int len = pid ? snprintf(path, sizeof path, "%s/%s", place, entry->d_name) : 0;

        if (pid && len > 0 && (size_t)len < sizeof path) {
            goes_on = each(context, pid, path);
        }
    }
    closedir(dir);
}
