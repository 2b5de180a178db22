/*
 * With 64-bit times on a 32-bit machine glibc calls sendmsg(2) and the like by
 * other names, and ld's --wrap makes other names of those.
 */
#ifndef LIB_TIME64_H
#define LIB_TIME64_H

#include <sys/types.h>

#if defined(__GLIBC__) && defined(__USE_TIME_BITS64) && __TIMESIZE == 32
#define __real_getsockopt __real___getsockopt64
#define __wrap_getsockopt __wrap___getsockopt64
#define __real_recvmmsg __real___recvmmsg64
#define __wrap_recvmmsg __wrap___recvmmsg64
#define __real_recvmsg __real___recvmsg64
#define __wrap_recvmsg __wrap___recvmsg64
#define __real_sendmmsg __real___sendmmsg64
#define __wrap_sendmmsg __wrap___sendmmsg64
#define __real_sendmsg __real___sendmsg64
#define __wrap_sendmsg __wrap___sendmsg64
#endif

#endif
