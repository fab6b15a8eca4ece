#include "ui/crash.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define CRASH_STACK_BYTES 65536

#define SIGNALS 65 /* Linux has 1 to 64 */

/* Faults of our own: we catch them even if a sanitizer does, too; its handler runs after ours. */
static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

/* By default these do not end a process. (SIGKILL and SIGSTOP cannot be caught.) */
static const int harmless[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU };

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* A signal handler is handed nothing, so what it needs stands here. `armed` is written last and
 * read first. */
static struct {
    volatile sig_atomic_t armed;
    int fd;
    struct termios mode;
    char reset[CRASH_RESET_MAX];
    size_t reset_bytes;
    struct sigaction before[SIGNALS];
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

/* The armed terminal, if any; and disarms. In a handler: async-signal-safe. */
static void restore(void)
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

static bool is_among(const int *list, size_t count, int signal_number)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == signal_number) {
            return true;
        }
    }
    return false;
}

static void on_end(int signal_number)
{
    static const char crashed[] =
        "\nscrapetop " SCRAPETOP_VERSION ": internal error, the program ends here. What was "
        "committed is safe; the same command resumes the run.\n";
    static const char ended[] = "\nscrapetop: ended by a signal. What was committed is safe; the "
                                "same command resumes the run.\n";
    bool is_crash = is_among(crashes, COUNT(crashes), signal_number);

    restore();
    if (write(STDERR_FILENO, is_crash ? crashed : ended,
              is_crash ? sizeof crashed - 1 : sizeof ended - 1) < 0) {
        /* no stderr, no message */
    }
    sigaction(signal_number, &crash.before[signal_number], NULL);
    raise(signal_number); /* delivered when this handler returns */
}

void crash_install(void)
{
    stack_t stack = { .ss_sp = crash_stack, .ss_size = sizeof crash_stack };
    struct sigaction action = { .sa_handler = on_end, .sa_flags = SA_ONSTACK };

    sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGTTOU); /* from the background tcsetattr would stop us */
    for (int number = 1; number < SIGNALS; number++) {
        struct sigaction *before = &crash.before[number];

        if (is_among(harmless, COUNT(harmless), number) || sigaction(number, NULL, before) != 0) {
            continue; /* or it is one of the C library's own */
        }
        if (before->sa_handler == SIG_DFL || is_among(crashes, COUNT(crashes), number)) {
            sigaction(number, &action, NULL);
        }
    }
}
