#include "base/secrecy.h"

#include "base/os.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_TRACED_AT_ITS_END 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(leak_sanitizer)
#define IS_TRACED_AT_ITS_END 1
#endif
#endif

#ifdef IS_TRACED_AT_ITS_END
static void set_dumpable(bool is_dumpable)
{
    (void)is_dumpable;
}
#else
static void set_dumpable(bool is_dumpable)
{
    os_set_dumpable(is_dumpable);
}
#endif

void secrecy_begin(struct secrecy *s)
{
    struct rlimit none;

    s->begun = getrlimit(RLIMIT_CORE, &s->core) == 0;
    if (s->begun) {
        none = (struct rlimit){ 0, s->core.rlim_max }; /* which could not be raised again */
        (void)setrlimit(RLIMIT_CORE, &none);
    }
    set_dumpable(false);
}

void secrecy_end(const struct secrecy *s)
{
    if (s->begun) {
        (void)setrlimit(RLIMIT_CORE, &s->core);
    }
    set_dumpable(true);
}
