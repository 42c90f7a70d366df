/*
 * The same work as an upload, as a native program would do it: takes PUT requests on loopback one after another, hashes
 * each 1 MiB block (BLAKE3) and the whole body (BLAKE3 and SHA-256), writes it with O_DIRECT and one fdatasync a batch,
 * and answers when all of it is durable. Ends after REQUESTS.
 *
 *   receive-hash-write PORT FILE fresh|written BYTES REQUESTS      (BYTES: the largest body, for the file's size)
 *
 * Two threads share the computing: one receives and does both BLAKE3, the other SHA-256. A third spends its time waiting
 * for the disk: it writes whatever has been received since its last fdatasync, at most 16 MiB, while the next batch forms.
 * A ring of 32 blocks of 1 MiB joins them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blake3.h"

enum { BLOCK = 1 << 20, RING = 32, BATCH = 16, PAGE = 4096 };

static unsigned char *ring;
static int file;
static uint64_t file_offset; /* where the current body starts */

/* Bytes of the current body that each stage is done with. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static uint64_t body_size, received, summed, durable, body_number;
static unsigned char sha256[32];

static void die(const char *what) {
  fprintf(stderr, "receive-hash-write: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
  exit(1);
}

static uint64_t min(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void advance(uint64_t *stage, uint64_t to) {
  pthread_mutex_lock(&lock);
  *stage = to;
  pthread_cond_broadcast(&moved);
  pthread_mutex_unlock(&lock);
}

/* Waits for body `number` and for bytes after `at`; returns how far they go. The next body may begin once all stages are done. */
static uint64_t await_bytes(uint64_t number, uint64_t at, uint64_t *size) {
  pthread_mutex_lock(&lock);
  while (body_number < number || received <= at) pthread_cond_wait(&moved, &lock);
  uint64_t end = received;
  *size = body_size;
  pthread_mutex_unlock(&lock);
  return end;
}

static void *sum(void *unused) {
  (void)unused;
  EVP_MD *algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
  EVP_MD_CTX *state = EVP_MD_CTX_new();
  for (uint64_t number = 1;; number++) {
    EVP_DigestInit_ex(state, algorithm, NULL);
    for (uint64_t at = 0, size = 1; at < size;) {
      uint64_t end = min(await_bytes(number, at, &size), at + BLOCK);
      EVP_DigestUpdate(state, ring + at % (RING * BLOCK), end - at);
      at = end;
      if (at == size) EVP_DigestFinal_ex(state, sha256, NULL);
      advance(&summed, at);
    }
  }
  return NULL;
}

static void *store(void *unused) {
  (void)unused;
  for (uint64_t number = 1;; number++) {
    for (uint64_t at = 0, size = 1; at < size;) {
      uint64_t end = min(await_bytes(number, at, &size), at + (uint64_t)BATCH * BLOCK);
      end = min(end, (at / (RING * BLOCK) + 1) * RING * BLOCK); /* up to the ring's end in one write */
      if (end < size) end = end / BLOCK * BLOCK;
      uint64_t padded = (end - at + PAGE - 1) / PAGE * PAGE;
      if (pwrite(file, ring + at % (RING * BLOCK), padded, file_offset + at) != (ssize_t)padded) die("write");
      if (fdatasync(file) != 0) die("fdatasync");
      at = end;
      advance(&durable, at);
    }
  }
  return NULL;
}

static uint64_t read_head(int fd, unsigned char *extra, size_t *extra_size) {
  static char head[65536];
  size_t have = 0;
  for (;;) {
    ssize_t got = recv(fd, head + have, sizeof head - 1 - have, 0);
    if (got <= 0) return UINT64_MAX;
    have += got;
    head[have] = 0;
    char *end = strstr(head, "\r\n\r\n");
    if (end == NULL) continue;
    char *length = strcasestr(head, "\r\ncontent-length:");
    if (length == NULL) die("no content-length");
    *extra_size = have - (end + 4 - head);
    memcpy(extra, end + 4, *extra_size);
    return strtoull(length + 17, NULL, 10);
  }
}

static void take_body(int fd, uint64_t size, const unsigned char *extra, size_t extra_size) {
  blake3_hasher whole, block;
  unsigned char id[32], key[32];
  blake3_hasher_init(&whole);
  pthread_mutex_lock(&lock);
  body_size = size;
  received = summed = durable = 0;
  body_number++;
  pthread_mutex_unlock(&lock);

  for (uint64_t at = 0; at < size; at += BLOCK) {
    pthread_mutex_lock(&lock);
    while (at + BLOCK > min(summed, durable) + (uint64_t)RING * BLOCK) pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
    unsigned char *slot = ring + at % (RING * BLOCK);
    uint64_t count = min(BLOCK, size - at), have = 0;
    if (at == 0) memcpy(slot, extra, have = extra_size);
    while (have < count) {
      ssize_t got = recv(fd, slot + have, count - have, 0);
      if (got <= 0) die("body broke off");
      have += got;
    }
    blake3_hasher_init(&block);
    blake3_hasher_update(&block, slot, count);
    blake3_hasher_finalize(&block, id, 32);
    blake3_hasher_update(&whole, slot, count);
    if (at + count == size) blake3_hasher_finalize(&whole, key, 32);
    advance(&received, at + count);
  }
  pthread_mutex_lock(&lock);
  while (min(summed, durable) < size) pthread_cond_wait(&moved, &lock);
  pthread_mutex_unlock(&lock);

  char body[256], answer[512];
  int length = 0;
  for (int i = 0; i < 32; i++) length += sprintf(body + length, "%02x", key[i]);
  body[length++] = ' ';
  for (int i = 0; i < 32; i++) length += sprintf(body + length, "%02x", sha256[i]);
  int total = sprintf(answer, "HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%.*s", length, length, body);
  if (send(fd, answer, total, MSG_NOSIGNAL) != total) die("send");
}

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "receive-hash-write PORT FILE fresh|written BYTES REQUESTS\n");
    return 2;
  }
  uint64_t largest = (strtoull(argv[4], NULL, 10) + BLOCK - 1) / BLOCK * BLOCK;
  int requests = atoi(argv[5]), on = 1;
  ring = mmap(NULL, RING * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  unlink(argv[2]);
  file = open(argv[2], O_RDWR | O_CREAT | O_DIRECT, 0600);
  if (ring == MAP_FAILED || file < 0) die(argv[2]);
  if (strcmp(argv[3], "written") == 0) {
    for (uint64_t at = 0; at < largest * requests; at += BLOCK)
      if (pwrite(file, ring, BLOCK, at) != BLOCK) die("fill");
    if (fsync(file) != 0) die("fsync");
  }
  int server = socket(AF_INET, SOCK_STREAM, 0), buffer = 4 << 20;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(server, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(server, (struct sockaddr *)&here, sizeof here) != 0 || listen(server, 16) != 0) die("listen");
  pthread_t summer, writer;
  pthread_create(&summer, NULL, sum, NULL);
  pthread_create(&writer, NULL, store, NULL);
  printf("ready\n");
  fflush(stdout);
  static unsigned char extra[65536];
  for (int served = 0; served < requests;) {
    int fd = accept(server, NULL, NULL);
    while (served < requests) {
      size_t extra_size;
      uint64_t size = read_head(fd, extra, &extra_size);
      if (size == UINT64_MAX) break;
      if (size == 0 || size > largest) die("body size");
      take_body(fd, size, extra, extra_size);
      file_offset += largest;
      served++;
    }
    close(fd);
  }
  unlink(argv[2]);
  return 0;
}
