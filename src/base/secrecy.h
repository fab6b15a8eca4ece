/**
 * Secrecy: no copy is made of the memory of a process that holds secrets.
 *
 * Neither as a core dump, nor by another process of the same user (ptrace, /proc/PID/mem and environ). Only root can
 * still do that, and a debugger or tracer that was there before.
 *
 * Not with AddressSanitizer: its search for leaks traces the process, at its end.
 *
 * Ownership  nothing to release.
 * Errors     none: where the system refuses, all is as it was.
 * Threads    before the first thread.
 */
#ifndef SCRAPETOP_BASE_SECRECY_H
#define SCRAPETOP_BASE_SECRECY_H

#include <stdbool.h>
#include <sys/resource.h>

struct secrecy {
    struct rlimit core; /* as it was */
    bool begun;
};

void secrecy_begin(struct secrecy *secrecy);

/** As it was before: for who looks for a fault of this program. */
void secrecy_end(const struct secrecy *secrecy);

#endif
