/**
 * Writes all of a text to a descriptor that may take less at a time, as files and pipes do.
 *
 * Threads  any. It waits for the reader of a pipe, so the loop thread writes only files with it.
 */
#ifndef SCRAPETOP_BASE_WRITE_ALL_H
#define SCRAPETOP_BASE_WRITE_ALL_H

#include "base/str.h"

/** 0, or the errno of the write that failed; then some of it may have been written. A signal is no failure. */
int write_all(int fd, struct str bytes);

#endif
