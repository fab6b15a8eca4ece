/**
 * Where the control sockets of this user's runs are.
 *
 *   $XDG_RUNTIME_DIR/scrapetop/PID.sock     or, without that: /tmp/scrapetop-UID/PID.sock
 *   RUN/control                             {"socket":"...","pid":4121,"version":"0.1.0"}, mode 0600
 *
 * The directory must be ours, no link, and closed to others. What stands in a run's `control` file was written by
 * a process that may be gone: who uses it tries to connect, and nothing else tells.
 *
 * Errors   E-CTL5 there is no safe place for a socket (RESULT_DENIED), E-CTL6 no live run is meant
 *          (RESULT_NOT_FOUND).
 * Threads  any.
 */
#ifndef SCRAPETOP_CONTROL_SOCKET_PLACE_H
#define SCRAPETOP_CONTROL_SOCKET_PLACE_H

#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

/** With its NUL; what the socket address of the smallest system takes. */
#define SOCKET_PATH_MAX 101

/** The directory of the sockets. It need not exist. RESULT_LIMIT when its path leaves no room for a name. */
MUST_CHECK enum result socket_place(char path[SOCKET_PATH_MAX], struct err *err);

/** The same, made if it is missing, and looked at. */
MUST_CHECK enum result socket_place_make(char path[SOCKET_PATH_MAX], struct err *err);

/** Runs whose processes have one number, each in a container of its own, when they share the directory. */
#define SOCKET_PLACE_NUMBERS 9

/** The path of the socket of process `pid` in it, the `number`th from 1 on: "4121.sock", "4121.2.sock". */
MUST_CHECK enum result socket_place_of(pid_t pid, unsigned number, char path[SOCKET_PATH_MAX],
                                       struct err *err);

/** The process of a socket of such a name; 0: it is none. */
pid_t socket_place_pid(const char *name);

/** A user's word for a live run, a run directory, a process number or a socket, to the path of its socket. */
MUST_CHECK enum result socket_place_find(const char *word, char path[SOCKET_PATH_MAX],
                                         struct err *err);

/** Calls `each` for every socket of this user, live or not, until it answers false. */
void socket_place_each(bool (*each)(void *context, pid_t pid, const char *path), void *context);

#endif
