/**
 * Parents: the directories above a file or directory that somebody wants to have.
 *
 * Whoever names "tables/may/items.csv" wants the table, so what is missing on the way is made. Nothing is
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
