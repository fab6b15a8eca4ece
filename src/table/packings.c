#include "table/packing.h"

const struct table_packing *const table_packings[] = { &gzip_packing, &zstd_packing, NULL };
