/*
 * What the clients are asked to send, from the command line and standard input: `-H 'Name: value'` any number of times,
 * and a PATH that may be
 *   a path with %d        the number of the request stands there
 *   -                     paths are read from standard input, one a line, up to 200,000, and taken as they are
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stddef.h>
#include <stdint.h>

enum { HEAD_MAX = 32 << 10 };

struct requests {
  const char *method;
  int port;
  const char *path; /* NULL when there is a list */
  char **paths;
  uint64_t path_count;
  char headers[HEAD_MAX / 4];
  size_t headers_length;
  int has_type; /* among the headers */
};

/* Takes "Name: value"; ends the program when it is none, or when there is no more room. */
void requests_add_header(struct requests *, const char *header);

/* PATH; ends the program when standard input holds no path, or too many. */
void requests_take_path(struct requests *, const char *argument);

/* Whether each request has a path of its own by its number. */
int requests_are_numbered(const struct requests *);

/* Writes a head up to, not including, the line that ends it. Returns its length; `number` counts modulo the list. */
size_t requests_write_head(const struct requests *, uint64_t number, char head[HEAD_MAX]);

/* Adds a line, without a line's end, to a head; returns the new length. */
size_t requests_add_line(char head[HEAD_MAX], size_t length, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Ends the head. */
size_t requests_end_head(char head[HEAD_MAX], size_t length);

#endif
