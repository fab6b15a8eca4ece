/** `--version`: ours, and those of the libraries that are linked at this moment. */
#ifndef SCRAPETOP_CMD_VERSION_H
#define SCRAPETOP_CMD_VERSION_H

#include <stdio.h>

void version_print(FILE *to);

#endif
