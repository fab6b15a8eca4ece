/**
 * A file without a name for what memory has no room for, where TMPDIR says or in /tmp.
 *
 * Ownership  the descriptor is the caller's; with it the file is gone.
 * Errors     -1 and errno.
 * Threads    any, while no other thread changes the environment.
 */
#ifndef SCRAPETOP_BASE_TEMPORARY_FILE_H
#define SCRAPETOP_BASE_TEMPORARY_FILE_H

int temporary_file(void);

#endif
