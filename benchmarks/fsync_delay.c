/* Makes every flush to disk take a millisecond longer, as on a disk that does not cache.
 *
 * Built by the benchmarks and preloaded into the Postgres of one measurement:
 *     cc -shared -fPIC -O2 -o fsync_delay.so fsync_delay.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <time.h>

#define DELAY_NS 1000000L

static void wait_a_millisecond(void)
{
    struct timespec left = {0, DELAY_NS};

    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

int fsync(int fd)
{
    static int (*next)(int);

    if (!next)
        next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_a_millisecond();
    return next(fd);
}

int fdatasync(int fd)
{
    static int (*next)(int);

    if (!next)
        next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_a_millisecond();
    return next(fd);
}
