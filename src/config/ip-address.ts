import { BlockList, isIP, SocketAddress } from 'node:net';

/** An address in the one form in which it is compared, logged and noted; undefined for any other text. IPv4 within IPv6 is IPv4. */
export function canonicalAddress(text: string): string | undefined {
  const [bare = ''] = text.split('%', 1);
  const version = isIP(bare);
  if (version === 0) return undefined;
  if (version === 4) return bare;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return IPV4_IN_IPV6.exec(address)?.[1] ?? address;
}

/** Whom one line of a provider belongs to: the address, or of IPv6 the 64 bits that everybody has a network of. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, GROUPS - before.length - after.length) }, () => '0');
  return `${[...before, ...zeros, ...after].slice(0, GROUPS / 2).join(':')}::/64`;
}

/** Addresses and networks: `10.0.0.0/8`, `::1`. Undefined when one of them is neither. */
export function parseNetworks(texts: readonly string[]): BlockList | undefined {
  const list = new BlockList();
  for (const text of texts) if (!addNetwork(list, text)) return undefined;
  return list;
}

/** @param address in canonical form. */
export function isWithin(list: BlockList, address: string): boolean {
  return list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

function addNetwork(list: BlockList, text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (bits === undefined) {
    list.addAddress(address, family);
    return true;
  }
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (version === 6 ? 128 : 32)) return false;
  list.addSubnet(address, Number(bits), family);
  return true;
}

const GROUPS = 8;
const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;
