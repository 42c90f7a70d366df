import { BlockList, isIP } from 'node:net';

/** What a server can listen on: an IP address, or `localhost`. Other names may mean another machine tomorrow. */
export function isListenHost(host: string): boolean {
  return host === 'localhost' || isIP(host) !== 0;
}

/** Whether nobody but this machine reaches that host. */
export function isLoopbackHost(host: string): boolean {
  if (host === 'localhost') return true;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  const version = isIP(host);
  return version !== 0 && loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}
