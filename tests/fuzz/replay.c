/* Runs a fuzz target over the files named, and over all files of the directories named. With every
 * file go its beginnings and some of its mutations, always the same ones. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1024 * 1024)
#ifdef FUZZ_SLOW /* a target that takes milliseconds */
#define MUTATIONS 20
#define PREFIX_STEP 24
#else
#define MUTATIONS 200
#define PREFIX_STEP 1
#endif

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* In a block of exactly its size, so that a sanitizer sees a read past the end. */
static void run_exact(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    FUZZ_CHECK(copy);
    memcpy(copy, bytes, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void run_mutations(uint8_t *bytes, size_t len)
{
    static const char favourites[] = "[]{}\\,-:0909az@/?#.%\r\n\"\0\xff\x80";
    uint64_t state = UINT64_C(88172645463325252) ^ len;

    for (int i = 0; i < MUTATIONS && len; i++) {
        size_t at = (size_t)(next_random(&state) % len);
        uint8_t before = bytes[at];

        bytes[at] = (uint8_t)favourites[next_random(&state) % sizeof favourites];
        run_exact(bytes, len);
        if (i % 4 == 0) { /* every fourth change stays */
            bytes[at] = before;
        }
    }
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_MAX);
    size_t len;

    FUZZ_CHECK(file && bytes);
    len = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    for (size_t part = 0; part <= len && part <= 512; part += PREFIX_STEP) {
        run_exact(bytes, part);
    }
    run_exact(bytes, len);
    run_mutations(bytes, len);
    free(bytes);
}

static int run_directory(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int count = 0;

    FUZZ_CHECK(dir);
    while ((entry = readdir(dir))) {
        char name[4096];

        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            run_file(name);
            count++;
        }
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        struct stat st;

        FUZZ_CHECK(stat(argv[i], &st) == 0);
        if (S_ISDIR(st.st_mode)) {
            count += run_directory(argv[i]);
        } else {
            run_file(argv[i]);
            count++;
        }
    }
    printf("%d files\n", count);
    return count ? 0 : 1;
}
