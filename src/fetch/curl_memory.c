#include "fetch/curl_memory.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What looks for blocks that are used after they were given back must see each of them given back. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS 0
#endif
#endif
#if !defined(KEEPS) && defined(__GLIBC__)
#define KEEPS 1
#endif

#if KEEPS

#include <malloc.h>

#define SMALLEST 24U /* of glibc's blocks, which grow in steps of 16 bytes (malloc/malloc.c) */
#define STEP 16U
#define SIZES 128U /* the largest has 2,056 bytes */
#define EACH_MAX 64U
#define ALL_BYTES_MAX (1U << 20)

struct kept {
    struct kept *next;
};

static _Thread_local struct {
    bool keeps;
    size_t bytes;
    unsigned char counts[SIZES];
    struct kept *first[SIZES];
} memory;

/* Of the smallest blocks that hold so much; SIZES: of none that is kept. */
static size_t size_for(size_t bytes)
{
    size_t at = bytes <= SMALLEST ? 0 : (bytes - SMALLEST + STEP - 1) / STEP;

    return at < SIZES ? at : SIZES;
}

static void *take(size_t bytes)
{
    size_t size = size_for(bytes);
    struct kept *block = size < SIZES ? memory.first[size] : NULL;

    if (block) {
        memory.first[size] = block->next;
        memory.counts[size]--;
        memory.bytes -= SMALLEST + size * STEP;
    }
    return block;
}

static void *get(size_t bytes)
{
    void *block = take(bytes);

    return block ? block : malloc(bytes);
}

static void *get_zeroed(size_t count, size_t each)
{
    size_t bytes;
    void *block = __builtin_mul_overflow(count, each, &bytes) ? NULL : take(bytes);

    return block ? memset(block, 0, bytes) : calloc(count, each);
}

static void give_back(void *block)
{
    struct kept *kept = block;
    size_t usable, size;

    if (!block) { /* most often */
        return;
    }
    usable = malloc_usable_size(block);
    size = usable >= SMALLEST ? (usable - SMALLEST) / STEP : SIZES;
    if (!memory.keeps || size >= SIZES || memory.counts[size] == EACH_MAX ||
        memory.bytes > ALL_BYTES_MAX - SMALLEST - size * STEP) {
        free(block);
        return;
    }
    kept->next = memory.first[size];
    memory.first[size] = kept;
    memory.counts[size]++;
    memory.bytes += SMALLEST + size * STEP;
}

static void *resize(void *block, size_t bytes)
{
    size_t usable = block ? malloc_usable_size(block) : 0;
    void *larger;

    if (bytes && bytes <= usable && usable / 2 <= bytes) {
        return block;
    }
    if (bytes < usable || size_for(bytes) == SIZES) {
        return realloc(block, bytes);
    }
    larger = get(bytes);
    if (larger && block) {
        memcpy(larger, block, usable);
        give_back(block);
    }
    return larger;
}

static char *copy(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *block = get(bytes);

    return block ? memcpy(block, text, bytes) : NULL;
}

bool curl_memory_init(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, get, give_back, resize, copy, get_zeroed) ==
           CURLE_OK;
}

void curl_memory_keep(void)
{
    memory.keeps = true;
}

void curl_memory_drop(void)
{
    memory.keeps = false;
    for (size_t i = 0; i < SIZES; i++) {
        while (memory.first[i]) {
            struct kept *block = memory.first[i];

            memory.first[i] = block->next;
            free(block);
        }
        memory.counts[i] = 0;
    }
    memory.bytes = 0;
}

#else

bool curl_memory_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

void curl_memory_keep(void)
{
}

void curl_memory_drop(void)
{
}

#endif
