/* Preloaded into redis-server: shows it the wall clock that the test sets. libfaketime cannot do
 * this, because jemalloc, which Debian's build allocates with, asks for the time while libfaketime
 * allocates. Here nothing allocates. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Two numbers of milliseconds: the time at which the clock stands, unless zero; and what is added
 * to the real time otherwise. */
static const volatile int64_t *control;

__attribute__((constructor)) static void open_control(void) {
  const char *path = getenv("TOWER_BEARER_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *map = file < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
  if (map == MAP_FAILED) {
    perror("clock.c: TOWER_BEARER_CLOCK");
    _exit(1);
  }
  close(file);
  control = map;
}

static int wall_clock(struct timespec *out) {
  if (syscall(SYS_clock_gettime, CLOCK_REALTIME, out)) return -1;
  if (!control) return 0; /* Other libraries start before this one. */
  int64_t millis = control[0];
  if (millis) {
    out->tv_sec = 0;
    out->tv_nsec = 0;
  } else {
    millis = control[1];
  }
  int64_t nanos = out->tv_nsec + millis % 1000 * 1000000;
  int64_t carry = nanos < 0 ? -1 : nanos / 1000000000;
  out->tv_sec += millis / 1000 + carry;
  out->tv_nsec = nanos - carry * 1000000000;
  return 0;
}

int clock_gettime(clockid_t id, struct timespec *out) {
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) return wall_clock(out);
  return (int)syscall(SYS_clock_gettime, id, out);
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec now;
  (void)zone;
  if (wall_clock(&now)) return -1;
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  if (wall_clock(&now)) return -1;
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
