/**
 * Leaves the terminal to the shell: what Ctrl-Z and `bg` do, without their keys.
 *
 * A process that has threads cannot be forked into the background. So it stops, whereupon the shell
 * takes its terminal back and shows its prompt, and is continued at once by a child that has nothing
 * else to do. Started by something without job control, it merely goes on where it was.
 *
 * Threads  main thread.
 */
#ifndef SCRAPETOP_CMD_BACKGROUND_H
#define SCRAPETOP_CMD_BACKGROUND_H

/** Returns when the process runs on, after some hundredths of a second. */
void background_enter(void);

#endif
