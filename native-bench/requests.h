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

/*
 * Write the head of a request and return its length; in a list, `number` goes round. An upload of `size` bytes is
 * application/octet-stream unless a header says otherwise; a read asks for `count` bytes from `first` on, 0 for all.
 */
size_t requests_write_upload(const struct requests *, uint64_t number, uint64_t size, char head[HEAD_MAX]);
size_t requests_write_read(const struct requests *, uint64_t number, uint64_t first, uint64_t count, char head[HEAD_MAX]);

#endif
