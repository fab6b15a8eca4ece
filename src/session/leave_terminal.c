#include "session/leave_terminal.h"

#include "base/os.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_NS 5000000
#define LOOKS_MAX 400   /* two seconds: a process that has not stopped by then will not */
#define LINGER_LOOKS 10 /* the shell notices first */

static void wait_a_little(void)
{
    struct timespec pause = { .tv_nsec = LOOK_EVERY_NS };

    nanosleep(&pause, NULL);
}

/* In a child of a process with threads: only calls that are safe in a signal handler. */
static void continue_parent(pid_t parent)
{
    int looks = 0;

    while (looks++ < LOOKS_MAX && getppid() == parent && !os_is_stopped(parent)) {
        wait_a_little();
    }
    for (int i = 0; i < LINGER_LOOKS; i++) {
        wait_a_little();
    }
    if (getppid() == parent) {
        kill(parent, SIGCONT);
    }
    _exit(0);
}

void leave_terminal(void)
{
    pid_t parent = getpid(), child;

    /* A process that has left a terminal must not be stopped by it again. */
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    child = fork();
    if (child == 0) {
        continue_parent(parent);
    }
    if (child > 0) {
        raise(SIGSTOP);
        waitpid(child, NULL, 0);
    }
}
