/*
 * fuzz_replay DIRECTORY...: every file there through the fuzz target, as it is, cut short, and with
 * some bytes changed. The changes are the same at each run; what fails is written to standard
 * error first, so it can join the corpus.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_BYTES_MAX 8192 /* larger files are run as they are, once */
#define CUTS_MAX 48
#define CHANGES 40

static uint64_t next_random(uint64_t *state) /* xorshift64 */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void run_cuts(const uint8_t *bytes, size_t size)
{
    size_t step = size / CUTS_MAX + 1;

    for (size_t cut = 0; cut < size; cut += step) {
        LLVMFuzzerTestOneInput(bytes, cut);
        LLVMFuzzerTestOneInput(bytes + cut, size - cut);
    }
}

/* One to four bytes become others, mostly such as mean something. */
static void run_changes(const uint8_t *bytes, size_t size)
{
    static const char telling[] = "{}[]\",:\\ \n\t0-+.eEun\x7f\x80\xc3\xe2\xf0\xff\x01";
    uint8_t copy[FILE_BYTES_MAX];
    uint64_t state = 88172645463325252U + size;

    for (unsigned i = 0; size && i < CHANGES; i++) {
        memcpy(copy, bytes, size);
        for (uint64_t n = next_random(&state) % 4 + 1; n; n--) {
            uint64_t r = next_random(&state);

            copy[r % size] = r >> 40 & 3 ? (uint8_t)telling[(r >> 32) % (sizeof telling - 1)]
                                         : (uint8_t)(r >> 48);
        }
        LLVMFuzzerTestOneInput(copy, size);
    }
}

static bool run_file(const char *directory, const char *name)
{
    static uint8_t bytes[1 << 20];
    char path[4096];
    size_t size;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return false;
    }
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    if (size <= FILE_BYTES_MAX) {
        run_cuts(bytes, size);
        run_changes(bytes, size);
    }
    return true;
}

int main(int argc, char **argv)
{
    unsigned files = 0;
    bool good = true;

    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);
        struct dirent *entry;

        if (!directory) {
            fprintf(stderr, "fuzz_replay: %s is not there: left out\n", argv[i]);
            continue;
        }
        while ((entry = readdir(directory))) {
            if (entry->d_name[0] != '.') {
                good &= run_file(argv[i], entry->d_name);
                files++;
            }
        }
        closedir(directory);
    }
    printf("fuzz_replay: %u files\n", files);
    return good && files ? 0 : 1;
}
