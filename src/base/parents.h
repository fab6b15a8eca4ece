/**
 * Parents: the directories above a file or directory that is to be created.
 *
 * To write "tables/may/items.csv", the directories that are missing on the way are made. Nothing is
 * reported from here: where a directory cannot be made, opening the file says so, by its own name.
 *
 * Threads  any; blocks on the disk.
 */
#ifndef SCRAPETOP_BASE_PARENTS_H
#define SCRAPETOP_BASE_PARENTS_H

#include <sys/types.h>

/** Makes every directory before the last "/" of `path` that is not there, with `mode` less the umask, and makes
 *  their names durable. Leaves errno as it was. */
void parents_make(const char *path, mode_t mode);

#endif
