/**
 * Ballast: space held back, to be given up when the disk is full.
 *
 * At a full disk SQLite can neither commit nor shrink its own log. So while a run goes on, a file of
 * BALLAST_BYTES that holds nothing lies in its directory; removing it lets what is in memory be
 * written and committed. That it can be made again is the proof that space has returned.
 */
#ifndef SCRAPETOP_STORE_BALLAST_H
#define SCRAPETOP_STORE_BALLAST_H

#include "store/run_dir.h"

#define BALLAST_BYTES (8U << 20)

/** Makes it, or keeps the one that is there. False: no room, or a filesystem that reserves nothing;
 *  the run then has to do without. */
bool ballast_hold(const struct run_dir *dir);

void ballast_drop(const struct run_dir *dir);

#endif
