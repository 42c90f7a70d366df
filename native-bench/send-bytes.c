/*
 * Sends N bytes to an HTTP server over loopback and measures until the answer has come: `repeat` requests on each of
 * `connections` keep-alive connections, one thread a connection. Prints one line of JSON.
 *
 *   send-bytes PORT METHOD PATH BYTES [CONNECTIONS [REPEAT [DISTINCT]]]
 *
 * Bytes are pseudo-random (xorshift64*). DISTINCT 1 (default) gives every request other bytes by writing its number
 * into each 64 KiB, so that no server can take a block for one it has; 0 sends the same bytes every time.
 * PATH may hold %d: connection * repeat + request.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { STEP = 64 << 10, STEPS_A_CALL = 8, PATTERN = 64 << 20 };

static int port, connections = 1, repeat = 1, distinct = 1;
static const char *method, *path;
static uint64_t size, run_id;
static unsigned char *pattern;
static double *latencies;
static pthread_barrier_t start_line;

static void die(const char *what) {
  fprintf(stderr, "send-bytes: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void send_all(int fd, const void *from, size_t count) {
  const char *at = from;
  while (count > 0) {
    ssize_t sent = send(fd, at, count, MSG_NOSIGNAL);
    if (sent <= 0) die("send");
    at += sent;
    count -= sent;
  }
}

/* The body straight from the pattern; with `distinct`, a mark of 24 bytes stands at the front of each 64 KiB. */
static void send_body(int fd, uint64_t number) {
  uint64_t marks[STEPS_A_CALL][3];
  struct iovec parts[2 * STEPS_A_CALL];
  for (uint64_t at = 0; at < size;) {
    int count = 0;
    ssize_t wanted = 0;
    for (int step = 0; step < STEPS_A_CALL && at < size; step++, at += STEP) {
      size_t length = size - at < STEP ? size - at : STEP;
      size_t marked = !distinct ? 0 : length < sizeof marks[0] ? length : sizeof marks[0];
      marks[step][0] = number, marks[step][1] = at, marks[step][2] = run_id;
      parts[count++] = (struct iovec){marks[step], marked};
      parts[count++] = (struct iovec){pattern + at % PATTERN + marked, length - marked};
      wanted += length;
    }
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    if (sendmsg(fd, &message, MSG_NOSIGNAL) != wanted) die("send");
  }
}

/* Reads one answer with Content-Length (or none) and returns its status. */
static int read_answer(int fd) {
  char head[65536];
  size_t have = 0;
  for (;;) {
    ssize_t got = recv(fd, head + have, sizeof head - 1 - have, 0);
    if (got <= 0) die("no answer");
    have += got;
    head[have] = 0;
    char *end = strstr(head, "\r\n\r\n");
    if (end == NULL) continue;
    char *length = strcasestr(head, "\r\ncontent-length:");
    size_t need = (end + 4 - head) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    if (have >= need) return atoi(head + 9);
  }
}

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, buffer = 4 << 20;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
  return fd;
}

static void *run(void *argument) {
  int connection = (int)(intptr_t)argument, fd = dial();
  pthread_barrier_wait(&start_line);
  for (int request = 0; request < repeat; request++) {
    uint64_t number = (uint64_t)connection * repeat + request;
    char target[1024], head[2048];
    snprintf(target, sizeof target, path, (int)number);
    int length = snprintf(head, sizeof head,
                          "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/octet-stream\r\nContent-Length: %llu\r\n\r\n",
                          method, target, port, (unsigned long long)size);
    double started = now();
    send_all(fd, head, length);
    send_body(fd, number);
    int status = read_answer(fd);
    latencies[number] = now() - started;
    if (status < 200 || status > 299) {
      fprintf(stderr, "send-bytes: the server answered %d\n", status);
      exit(1);
    }
  }
  close(fd);
  return NULL;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "send-bytes PORT METHOD PATH BYTES [CONNECTIONS [REPEAT [DISTINCT]]]\n");
    return 2;
  }
  port = atoi(argv[1]);
  method = argv[2];
  path = argv[3];
  size = strtoull(argv[4], NULL, 10);
  if (argc > 5) connections = atoi(argv[5]);
  if (argc > 6) repeat = atoi(argv[6]);
  if (argc > 7) distinct = atoi(argv[7]);
  run_id = (uint64_t)time(NULL) << 20 ^ getpid();
  pattern = malloc(PATTERN);
  uint64_t state = 0x9e3779b97f4a7c15 ^ (distinct ? run_id : 0);
  for (size_t at = 0; at < PATTERN; at += 8) {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    uint64_t word = state * 0x2545f4914f6cdd1d;
    memcpy(pattern + at, &word, 8);
  }
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
         total, (unsigned long long)(size * total), connections, seconds, size * total / seconds / 1e6, total / seconds,
         latencies[total / 2] * 1e3, latencies[(int)(total * 0.99)] * 1e3, latencies[total - 1] * 1e3);
  return 0;
}
