/*
 * What the disk alone can do: O_DIRECT writes as the segment writer makes them, from page-aligned memory. A batch is
 * written in pieces, several in flight, then fdatasync; the next batch starts when it has returned. Prints JSON.
 *
 *   disk-write FILE fresh|written BYTES [BATCH [PIECE [DEPTH]]]     (defaults: 16 MiB, 4 MiB, 2)
 *
 * fresh: the file is made anew and grows. written: it was filled and synced before the clock starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int file, depth = 2;
static uint64_t batch_start, batch_size, piece_size = 4 << 20;
static unsigned char *memory;
static pthread_barrier_t begin, done;
static int finished;

static void die(const char *what) {
  fprintf(stderr, "disk-write: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

/* Writer number n takes pieces n, n + depth, … of each batch. */
static void *run(void *argument) {
  uint64_t first = (uint64_t)(intptr_t)argument;
  for (;;) {
    pthread_barrier_wait(&begin);
    if (finished) return NULL;
    for (uint64_t at = first * piece_size; at < batch_size; at += depth * piece_size) {
      uint64_t size = batch_size - at < piece_size ? batch_size - at : piece_size;
      if (pwrite(file, memory + at, size, batch_start + at) != (ssize_t)size) die("write");
    }
    pthread_barrier_wait(&done);
  }
}

static void fill(uint64_t bytes, uint64_t batch) {
  for (uint64_t at = 0; at < bytes; at += batch) {
    uint64_t size = bytes - at < batch ? bytes - at : batch;
    if (pwrite(file, memory, size, at) != (ssize_t)size) die("fill");
  }
  if (fsync(file) != 0) die("fsync");
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "disk-write FILE fresh|written BYTES [BATCH [PIECE [DEPTH]]]\n");
    return 2;
  }
  uint64_t bytes = strtoull(argv[3], NULL, 10) / 4096 * 4096, batch = 16 << 20;
  if (argc > 4) batch = strtoull(argv[4], NULL, 10);
  if (argc > 5) piece_size = strtoull(argv[5], NULL, 10);
  if (argc > 6) depth = atoi(argv[6]);
  unlink(argv[1]);
  file = open(argv[1], O_RDWR | O_CREAT | O_DIRECT, 0600);
  if (file < 0) die("open");
  memory = mmap(NULL, batch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) die("mmap");
  if (strcmp(argv[2], "written") == 0) fill(bytes, batch);
  for (uint64_t at = 0; at < batch; at++) memory[at] = at * 2654435761u >> 13;

  pthread_barrier_init(&begin, NULL, depth + 1);
  pthread_barrier_init(&done, NULL, depth + 1);
  pthread_t threads[depth];
  for (int i = 0; i < depth; i++) pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
  double started = now();
  for (batch_start = 0; batch_start < bytes; batch_start += batch_size) {
    batch_size = bytes - batch_start < batch ? bytes - batch_start : batch;
    pthread_barrier_wait(&begin);
    pthread_barrier_wait(&done);
    if (fdatasync(file) != 0) die("fdatasync");
  }
  double seconds = now() - started;
  finished = 1;
  pthread_barrier_wait(&begin);
  for (int i = 0; i < depth; i++) pthread_join(threads[i], NULL);
  printf("{\"file\":\"%s\",\"bytes\":%llu,\"batch\":%llu,\"piece\":%llu,\"depth\":%d,\"seconds\":%.6f,\"mbPerSecond\":%.1f}\n", argv[2],
         (unsigned long long)bytes, (unsigned long long)batch, (unsigned long long)piece_size, depth, seconds, bytes / seconds / 1e6);
  close(file);
  unlink(argv[1]);
  return 0;
}
