/* Makes every flush of the disk take longer; loaded by LD_PRELOAD. FLUSH_DELAY_MICROSECONDS says by how much. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>

static void delay(void) {
    const char *said = getenv("FLUSH_DELAY_MICROSECONDS");
    long microseconds = said ? atol(said) : 0;
    struct timespec left = {microseconds / 1000000, microseconds % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0) {
    }
}

#define SLOW(kind, name, parameters, arguments)                         \
    kind name parameters {                                              \
        static kind(*real) parameters;                                  \
        if (!real) real = (kind(*) parameters)dlsym(RTLD_NEXT, #name);  \
        delay();                                                        \
        return real arguments;                                          \
    }

SLOW(int, fsync, (int file), (file))
SLOW(int, fdatasync, (int file), (file))
SLOW(int, syncfs, (int file), (file))
SLOW(int, sync_file_range, (int file, off64_t offset, off64_t bytes, unsigned int flags), (file, offset, bytes, flags))
SLOW(void, sync, (void), ())
