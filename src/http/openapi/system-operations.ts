import type { Operation } from './operation.ts';

export const systemOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/health',
    operationId: 'getHealth',
    tag: 'System',
    summary: 'Is the process alive?',
    answers: { 200: { description: 'It is.', json: 'Health' } },
    problems: [],
  },
  {
    method: 'get',
    path: '/v1/ready',
    operationId: 'getReady',
    tag: 'System',
    summary: 'Can it serve, and what does it depend on?',
    answers: {
      200: { description: 'Ready, or degraded but serving.', json: 'Readiness' },
      503: { description: 'Unavailable.', json: 'Readiness' },
    },
    problems: [],
  },
  {
    method: 'get',
    path: '/metrics',
    operationId: 'getMetrics',
    tag: 'System',
    summary: 'Metrics for Prometheus.',
    answers: { 200: { description: 'Text exposition format.', media: ['text/plain'] } },
    problems: [],
  },
  {
    method: 'get',
    path: '/v1/openapi.json',
    operationId: 'getOpenApi',
    tag: 'System',
    summary: 'This document.',
    answers: { 200: { description: 'OpenAPI 3.1.', json: 'OpenApi' } },
    problems: [],
  },
];
