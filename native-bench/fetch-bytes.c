/*
 * Gets a URL over loopback and throws the bytes away: REPEAT requests on each of CONNECTIONS keep-alive connections, one
 * thread a connection. With RANGE each request asks for that many bytes at a random multiple of RANGE below SPAN.
 * Checks status and length, not content. Prints one line of JSON.
 *
 *   fetch-bytes PORT PATH [CONNECTIONS [REPEAT [RANGE SPAN]]]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 20 };

static int port, connections = 1, repeat = 1;
static const char *path;
static uint64_t range, span, total_bytes;
static double *latencies;
static pthread_barrier_t start_line;

static void die(const char *what) {
  fprintf(stderr, "fetch-bytes: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
  return fd;
}

/* Reads one answer and returns the size of its body. */
static uint64_t read_answer(int fd, char *buffer) {
  size_t have = 0;
  for (;;) {
    ssize_t got = recv(fd, buffer + have, BUFFER - 1 - have, 0);
    if (got <= 0) die("no answer");
    have += got;
    buffer[have] = 0;
    char *end = memmem(buffer, have, "\r\n\r\n", 4);
    if (end == NULL) continue;
    int status = atoi(buffer + 9);
    if (status != (range ? 206 : 200)) {
      fprintf(stderr, "fetch-bytes: the server answered %d\n", status);
      exit(1);
    }
    *end = 0;
    char *length = strcasestr(buffer, "\r\ncontent-length:");
    if (length == NULL) die("no content-length");
    uint64_t size = strtoull(length + 17, NULL, 10), body = have - (end + 4 - buffer);
    while (body < size) {
      got = recv(fd, buffer, BUFFER, 0);
      if (got <= 0) die("answer broke off");
      body += got;
    }
    if (body != size) die("more bytes than announced");
    return size;
  }
}

static void *run(void *argument) {
  int connection = (int)(intptr_t)argument, fd = dial();
  char *buffer = malloc(BUFFER), request[2048];
  uint64_t bytes = 0, state = 88172645463325252ull + connection * 7919;
  pthread_barrier_wait(&start_line);
  for (int index = 0; index < repeat; index++) {
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", path, port);
    if (range) {
      state ^= state << 13, state ^= state >> 7, state ^= state << 17;
      uint64_t at = state % (span / range) * range;
      length += snprintf(request + length, sizeof request - length, "Range: bytes=%llu-%llu\r\n", (unsigned long long)at,
                         (unsigned long long)(at + range - 1));
    }
    length += snprintf(request + length, sizeof request - length, "\r\n");
    double started = now();
    if (send(fd, request, length, MSG_NOSIGNAL) != length) die("send");
    uint64_t size = read_answer(fd, buffer);
    if (range && size != range) die("another range than asked for");
    latencies[connection * repeat + index] = now() - started;
    bytes += size;
  }
  __atomic_add_fetch(&total_bytes, bytes, __ATOMIC_RELAXED);
  close(fd);
  free(buffer);
  return NULL;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int main(int argc, char **argv) {
  if (argc < 3 || argc == 6) {
    fprintf(stderr, "fetch-bytes PORT PATH [CONNECTIONS [REPEAT [RANGE SPAN]]]\n");
    return 2;
  }
  port = atoi(argv[1]);
  path = argv[2];
  if (argc > 3) connections = atoi(argv[3]);
  if (argc > 4) repeat = atoi(argv[4]);
  if (argc > 6) range = strtoull(argv[5], NULL, 10), span = strtoull(argv[6], NULL, 10);
  int total = connections * repeat;
  latencies = calloc(total, sizeof *latencies);
  pthread_barrier_init(&start_line, NULL, connections + 1);
  pthread_t threads[connections];
  for (int i = 0; i < connections; i++) pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
  pthread_barrier_wait(&start_line);
  double started = now();
  for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
  double seconds = now() - started;
  qsort(latencies, total, sizeof *latencies, ascending);
  printf("{\"requests\":%d,\"bytes\":%llu,\"connections\":%d,\"seconds\":%.6f,\"mbPerSecond\":%.1f,\"requestsPerSecond\":%.1f,"
         "\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"maxMs\":%.3f}\n",
         total, (unsigned long long)total_bytes, connections, seconds, total_bytes / seconds / 1e6, total / seconds,
         latencies[total / 2] * 1e3, latencies[(int)(total * 0.99)] * 1e3, latencies[total - 1] * 1e3);
  return 0;
}
