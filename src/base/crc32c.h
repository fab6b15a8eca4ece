/**
 * CRC-32C (Castagnoli), the checksum of every stored record.
 *
 * By the processor's own instruction where it has one (SSE 4.2 with PCLMUL, ARMv8 CRC), asked for at run time,
 * else by a table; both give the same number.
 *
 * Source  RFC 3720 appendix B.4 has the vectors that the test checks.
 */
#ifndef SCRAPETOP_BASE_CRC32C_H
#define SCRAPETOP_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** CRC of what `crc` stands for (0: nothing yet) followed by `bytes`. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

/** The table's way, whatever the processor has; for comparing. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
