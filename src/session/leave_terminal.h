/**
 * Leaves the terminal to the shell: what Ctrl-Z and `bg` do, without their keys.
 *
 * A process that has threads cannot be forked into the background. So it stops, whereupon the shell
 * takes its terminal back and shows its prompt, and is continued at once by a child that has nothing
 * else to do. Started by something without job control, it merely goes on where it was.
 *
 * Threads  main thread.
 */
#ifndef SCRAPETOP_SESSION_LEAVE_TERMINAL_H
#define SCRAPETOP_SESSION_LEAVE_TERMINAL_H

/** Returns when the process runs on, after some hundredths of a second. */
void leave_terminal(void);

#endif
