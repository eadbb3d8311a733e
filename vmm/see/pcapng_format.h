/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PCAPNG_FORMAT_H
#define VMM_PCAPNG_FORMAT_H

/* Numbers of pcapng files, for who writes and who reads them: sections 3.5 and 4.1 to 4.3 of
 * draft-ietf-opsawg-pcapng. */

/* Types of blocks. */
#define PCAPNG_SECTION_HEADER        0x0a0d0d0au
#define PCAPNG_INTERFACE_DESCRIPTION 1u
#define PCAPNG_ENHANCED_PACKET       6u

#define PCAPNG_BYTE_ORDER_MAGIC 0x1a2b3c4du
#define PCAPNG_VERSION_MAJOR    1u

/* Codes of options. */
#define PCAPNG_OPT_END       0u
#define PCAPNG_OPT_COMMENT   1u
#define PCAPNG_SHB_USERAPPL  4u
#define PCAPNG_IF_NAME       2u
#define PCAPNG_IF_TSRESOL    9u
#define PCAPNG_EPB_FLAGS     2u
#define PCAPNG_EPB_DROPCOUNT 4u
#define PCAPNG_EPB_PACKETID  5u
#define PCAPNG_EPB_QUEUE     6u

#endif
