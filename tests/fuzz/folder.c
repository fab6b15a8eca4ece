#include "tests/fuzz/folder.h"

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

static void empty(int fd)
{
    DIR *dir = fdopendir(fd);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (entry->d_type == DT_DIR) {
            int inner = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

            if (inner >= 0) {
                empty(inner);
            }
            unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
        } else {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void forget(void)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        empty(fd);
    }
    rmdir(directory);
}

struct folder_path folder_at(const char *name)
{
    struct folder_path path;

    if (!directory[0]) {
        snprintf(directory, sizeof directory, "%s/scrapetop-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        FUZZ_CHECK(mkdtemp(directory));
        atexit(forget);
    }
    snprintf(path.text, sizeof path.text, "%s/%s", directory, name);
    return path;
}

struct folder_path folder_put(const char *name, const void *bytes, size_t len)
{
    struct folder_path path = folder_at(name);
    int fd = open(path.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    close(fd);
    return path;
}

char *folder_get(const char *name, size_t *len)
{
    struct folder_path path = folder_at(name);
    FILE *file = fopen(path.text, "rb");
    struct stat st;
    char *bytes;

    if (!file) {
        return NULL;
    }
    FUZZ_CHECK(fstat(fileno(file), &st) == 0);
    bytes = malloc((size_t)st.st_size + 1);
    FUZZ_CHECK(bytes);
    *len = fread(bytes, 1, (size_t)st.st_size, file);
    fclose(file);
    return bytes;
}
