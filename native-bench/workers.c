#include "workers.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct worker {
  pthread_t thread;
  int number;
  struct tally tally;
};

static pthread_barrier_t start_line;
static void (*task)(int number, struct tally *tally);

void workers_start(void) { pthread_barrier_wait(&start_line); }

static void *run(void *argument) {
  struct worker *worker = argument;
  task(worker->number, &worker->tally);
  return NULL;
}

struct run workers_run(int count, void (*work)(int number, struct tally *tally)) {
  struct worker *workers = calloc(count, sizeof *workers);
  struct run all = {0};
  task = work;
  pthread_barrier_init(&start_line, NULL, count + 1);
  for (int i = 0; i < count; i++) {
    workers[i].number = i;
    if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0) {
      perror("thread");
      exit(1);
    }
  }
  workers_start();
  double started = now(), used = cpu_seconds();
  for (int i = 0; i < count; i++) pthread_join(workers[i].thread, NULL);
  all.seconds = now() - started;
  all.cpu_seconds = cpu_seconds() - used;
  for (int i = 0; i < count; i++) {
    tally_merge(&all.tally, &workers[i].tally);
    free(workers[i].tally.latencies);
  }
  free(workers);
  return all;
}
