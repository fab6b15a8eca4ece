#include "ui/crash.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define CRASH_STACK_BYTES 65536

static const int caught[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

#define CAUGHT_COUNT (sizeof caught / sizeof caught[0])

/* A signal handler is handed nothing, so what it needs stands here. `armed` is written last and
 * read first. */
static struct {
    volatile sig_atomic_t armed;
    int fd;
    struct termios mode;
    char reset[CRASH_RESET_MAX];
    size_t reset_bytes;
    struct sigaction before[CAUGHT_COUNT];
} crash;

static char crash_stack[CRASH_STACK_BYTES];

void crash_arm(int fd, const struct termios *mode, struct str reset)
{
    crash.armed = 0;
    crash.fd = fd;
    crash.mode = *mode;
    crash.reset_bytes = reset.len < CRASH_RESET_MAX ? reset.len : CRASH_RESET_MAX;
    memcpy(crash.reset, reset.data, crash.reset_bytes);
    crash.armed = 1;
}

void crash_disarm(void)
{
    crash.armed = 0;
}

void crash_restore(void)
{
    if (!crash.armed) {
        return;
    }
    crash.armed = 0;
    /* The descriptor is non-blocking: a stalled terminal loses the text, never the core file. */
    if (write(crash.fd, crash.reset, crash.reset_bytes) < 0) {
        /* nothing left to be done for the screen; its mode is still put back */
    }
    tcsetattr(crash.fd, TCSANOW, &crash.mode);
}

static void on_crash(int signal_number)
{
    static const char message[] =
        "\nscrapetop " SCRAPETOP_VERSION ": internal error, the program ends here. What was "
        "committed is safe; the same command resumes the run.\n";

    crash_restore();
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0) {
        /* no stderr, no message */
    }
    for (size_t i = 0; i < CAUGHT_COUNT; i++) {
        if (caught[i] == signal_number) {
            sigaction(signal_number, &crash.before[i], NULL);
        }
    }
    raise(signal_number); /* delivered when this handler returns */
}

void crash_install(void)
{
    stack_t stack = { .ss_sp = crash_stack, .ss_size = sizeof crash_stack };
    struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };

    sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < CAUGHT_COUNT; i++) {
        sigaction(caught[i], &action, &crash.before[i]);
    }
}
