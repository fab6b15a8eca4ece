/*
 * Preloaded into the program under test: the FAIL_MALLOC_AT-th allocation fails, and FAIL_MALLOC_FOR - 1
 * more after it; and all of the first thread while the file FAIL_MALLOC_WHILE is there. Without these
 * nothing fails. At the end the number of allocations is written to the file FAIL_MALLOC_COUNT, so that a
 * calm run tells how many there are to choose from.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static atomic_ulong calls;
static unsigned long fail_from, fail_to; /* none when fail_to is 0 */
static const char *fail_while;

static unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

__attribute__((constructor)) static void begin(void)
{
    unsigned long at = number_of("FAIL_MALLOC_AT", 0);

    atomic_store(&calls, 0);
    fail_while = getenv("FAIL_MALLOC_WHILE");
    if (at) {
        fail_from = at;
        fail_to = at + number_of("FAIL_MALLOC_FOR", 1);
    }
}

__attribute__((destructor)) static void end(void)
{
    unsigned long count = atomic_load(&calls);
    const char *path = getenv("FAIL_MALLOC_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;

    if (file) {
        fprintf(file, "%lu\n", count);
        fclose(file);
    }
}

static int is_there(const char *path)
{
    int before = errno, found = access(path, F_OK) == 0;

    errno = before;
    return found;
}

static int must_fail(void)
{
    unsigned long call = atomic_fetch_add(&calls, 1) + 1;

    if ((call < fail_from || call >= fail_to) &&
        !(fail_while && gettid() == getpid() && is_there(fail_while))) {
        return 0;
    }
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return must_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return must_fail() ? NULL : __libc_realloc(old, size);
}
