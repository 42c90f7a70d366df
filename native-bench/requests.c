#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PATHS_MAX = 200000, PATH_MAX_LENGTH = HEAD_MAX / 2 };

static void refuse(const char *what, const char *which) {
  fprintf(stderr, "%s%s\n", what, which);
  exit(2);
}

void requests_add_header(struct requests *requests, const char *header) {
  size_t length = strlen(header), at = requests->headers_length;
  if (strchr(header, ':') == NULL || strpbrk(header, "\r\n") != NULL) refuse("no header: ", header);
  if (at + length + 2 >= sizeof requests->headers) refuse("too many headers: ", header);
  requests->headers_length += sprintf(requests->headers + at, "%s\r\n", header);
  if (strncasecmp(header, "content-type:", 13) == 0) requests->has_type = 1;
}

static void read_paths(struct requests *requests) {
  char *line = NULL;
  size_t room = 0;
  requests->paths = malloc(PATHS_MAX * sizeof *requests->paths);
  while (getline(&line, &room, stdin) > 0) {
    line[strcspn(line, "\r\n")] = 0;
    if (line[0] == 0) continue;
    if (requests->path_count == PATHS_MAX) refuse("more paths than 200,000, from ", line);
    if (strlen(line) > PATH_MAX_LENGTH) refuse("too long a path: ", line);
    requests->paths[requests->path_count++] = strdup(line);
  }
  free(line);
  if (requests->path_count == 0) refuse("no paths", " on standard input");
}

void requests_take_path(struct requests *requests, const char *argument) {
  if (strlen(argument) > PATH_MAX_LENGTH) refuse("too long a path: ", argument);
  if (strcmp(argument, "-") == 0) read_paths(requests);
  else requests->path = argument;
}

int requests_are_numbered(const struct requests *requests) {
  return requests->path != NULL && strstr(requests->path, "%d") != NULL;
}

/* Up to, not including, the line that ends it. Everything in it has a limit, and together they are below HEAD_MAX. */
static size_t write_head(const struct requests *requests, uint64_t number, char head[HEAD_MAX]) {
  const char *path = requests->path ? requests->path : requests->paths[number % requests->path_count];
  const char *hole = requests_are_numbered(requests) ? strstr(path, "%d") : NULL;
  int length = sprintf(head, "%.32s ", requests->method);
  if (hole == NULL) length += sprintf(head + length, "%s", path);
  else length += sprintf(head + length, "%.*s%llu%s", (int)(hole - path), path, (unsigned long long)number, hole + 2);
  return length + sprintf(head + length, " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", requests->port, requests->headers);
}

size_t requests_write_upload(const struct requests *requests, uint64_t number, uint64_t size, char head[HEAD_MAX]) {
  size_t length = write_head(requests, number, head);
  if (!requests->has_type) length += sprintf(head + length, "Content-Type: application/octet-stream\r\n");
  return length + sprintf(head + length, "Content-Length: %llu\r\n\r\n", (unsigned long long)size);
}

size_t requests_write_read(const struct requests *requests, uint64_t number, uint64_t first, uint64_t count, char head[HEAD_MAX]) {
  size_t length = write_head(requests, number, head);
  unsigned long long from = first, to = first + count - 1;
  if (count > 0) length += sprintf(head + length, "Range: bytes=%llu-%llu\r\n", from, to);
  return length + sprintf(head + length, "\r\n");
}
