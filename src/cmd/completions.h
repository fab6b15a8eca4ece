/**
 * The shells' completions, made of the tables of options: for bash, zsh and fish.
 *
 * Completed are subcommands, options, values that are words of a known set (option_row.words), files and
 * directories. The texts are printed once by the build and installed; no shell runs this program to complete.
 *
 * Ownership  tables are borrowed for the call. Threads: none of its own.
 */
#ifndef SCRAPETOP_CMD_COMPLETIONS_H
#define SCRAPETOP_CMD_COMPLETIONS_H

#include "cmd/options.h"

/** False when there is no such shell here; nothing is printed then. */
bool completions_print(const char *shell, const struct option_table *const *tables, size_t count,
                       FILE *to);

#endif
