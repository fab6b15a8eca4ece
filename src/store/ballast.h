/**
 * Ballast: disk space held in reserve, to be released when the disk is full.
 *
 * At a full disk SQLite can neither commit nor shrink its own log. So while a run goes on, a file that
 * holds nothing lies in its directory; removing it lets what is in memory be written and committed. That
 * it can be made again is the proof that space has returned.
 *
 * It takes a quarter of what is free, at most BALLAST_MAX_BYTES: where little has returned, most of that is
 * for records. Less than BALLAST_MIN_BYTES is none.
 */
#ifndef SCRAPETOP_STORE_BALLAST_H
#define SCRAPETOP_STORE_BALLAST_H

#include "store/run_dir.h"

#define BALLAST_MAX_BYTES (8U << 20)
#define BALLAST_MIN_BYTES (1U << 20)

/** Makes it, or keeps the one that is there. False: no room, or a filesystem that reserves nothing;
 *  the run then has to do without. */
bool ballast_hold(const struct run_dir *dir);

void ballast_drop(const struct run_dir *dir);

#endif
