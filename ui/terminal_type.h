/**
 * Which description of terminfo's a terminal is driven by.
 *
 * Its own, where it is installed. kitty, foot, ghostty and others bring one that the machine at the other end of
 * an ssh session often has not; they do what xterm does, whose description stands in.
 *
 * Threads  loop thread, before curses has a screen: it asks curses, which keeps globals.
 */
#ifndef SCRAPETOP_UI_TERMINAL_TYPE_H
#define SCRAPETOP_UI_TERMINAL_TYPE_H

/** `type` itself, a static name that stands in for it, or NULL: nothing is known of it. `fd` is the terminal. */
const char *terminal_type_choose(const char *type, int fd);

#endif
