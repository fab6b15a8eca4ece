/**
 * A fuzz target: takes any bytes and must neither crash nor break what it asserts.
 *
 * Built with replay.c it goes through the files of its corpus, as ctest does; with clang's libFuzzer
 * (preset fuzz) it finds new ones:
 *
 *     build/fuzz/tests/fuzz/fuzz_glob -max_total_time=60 tests/fuzz/corpus/glob
 */
#ifndef SCRAPETOP_TESTS_FUZZ_H
#define SCRAPETOP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Not assert: these hold in every build. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
