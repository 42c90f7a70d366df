import t from 'tap';
import { networkOf } from '../../../src/config/ip-address.ts';
import { ClientAddresses, type ClientAddressOptions } from '../../../src/http/client-address.ts';

const PROXY = '10.1.0.7';
const trustedProxies = [PROXY, '10.2.0.0/16', '2001:db8:1::/48'];

/** Of a request with these headers, from the first proxy unless said otherwise. */
function addressOf(
  headers: Readonly<Record<string, string>>,
  { peer = PROXY, ...changes }: Partial<ClientAddressOptions> & { readonly peer?: string } = {},
): string | undefined {
  const addresses = new ClientAddresses({ trustedProxies, header: 'auto', ...changes });
  return addresses.of({ remoteAddress: peer, header: (name) => headers[name] });
}

const xff = (text: string) => addressOf({ 'x-forwarded-for': text });
const forwarded = (text: string) => addressOf({ forwarded: text });

t.test('without trusted proxies it is the peer, whatever a header says', async (t) => {
  const headers = { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' };
  t.equal(addressOf(headers, { trustedProxies: [] }), PROXY);
  t.equal(addressOf(headers, { peer: '198.51.100.9' }), '198.51.100.9', 'a peer that is no proxy of ours is not believed');
  t.equal(addressOf({}), PROXY);
  t.equal(addressOf({}, { peer: '' }), undefined, 'a peer that is gone');
});

t.test('addresses have one form', async (t) => {
  t.equal(addressOf({}, { peer: '::ffff:192.0.2.1' }), '192.0.2.1');
  t.equal(addressOf({}, { peer: '2001:0DB8:0000:0000:0000:0000:0000:0001' }), '2001:db8::1');
  t.equal(addressOf({}, { peer: 'fe80::1%eth0' }), 'fe80::1');
  t.equal(addressOf({ 'x-forwarded-for': '192.0.2.1' }, { peer: `::ffff:${PROXY}` }), '192.0.2.1', 'the proxy too');
});

t.test('the right-most address that is no proxy is the client, and what it wrote to the left is not looked at', async (t) => {
  t.equal(xff('192.0.2.1'), '192.0.2.1');
  t.equal(xff('1.1.1.1, 192.0.2.1'), '192.0.2.1', 'spoofed');
  t.equal(xff(`1.1.1.1, ${PROXY}, 192.0.2.1`), '192.0.2.1', 'spoofed with the name of a proxy');
  t.equal(xff('1.1.1.1, 192.0.2.1, 10.2.3.4, 10.2.9.9'), '192.0.2.1', 'behind a line of proxies');
  t.equal(xff('192.0.2.1, 2001:db8:1::5'), '192.0.2.1');
  t.equal(xff('10.2.3.4'), '10.2.3.4', 'a request of a proxy itself');
  t.equal(xff(' , 192.0.2.1 ,, '), '192.0.2.1');
  t.equal(xff(''), PROXY);
});

t.test('what is no address ends what is known', async (t) => {
  for (const text of ['unknown', '192.0.2.1, unknown', '192.0.2.1, _hidden', '192.0.2.1, 999.1.1.1', '192.0.2.1, <script>']) {
    t.equal(xff(text), PROXY, text);
  }
  t.equal(xff('192.0.2.1, garbage, 10.2.3.4'), '10.2.3.4', 'the last proxy that is known');
});

t.test('ports and brackets are taken off', async (t) => {
  t.equal(xff('192.0.2.1:4711'), '192.0.2.1');
  t.equal(xff('[2001:db8::1]:4711'), '2001:db8::1');
  t.equal(xff('[2001:db8::1]'), '2001:db8::1');
  t.equal(xff('2001:db8::1'), '2001:db8::1');
});

t.test('Forwarded is read as RFC 7239 has it', async (t) => {
  t.equal(forwarded('for=192.0.2.1'), '192.0.2.1');
  t.equal(forwarded('For="[2001:db8::1]:4711";proto=https;by=203.0.113.43'), '2001:db8::1');
  t.equal(forwarded('proto=https; for = 192.0.2.1'), '192.0.2.1');
  t.equal(forwarded('for=1.1.1.1, for=192.0.2.1;proto=https, for=10.2.3.4'), '192.0.2.1');
  t.equal(forwarded('for=192.0.2.1, proto=https'), PROXY, 'a proxy that does not say for whom');
  t.equal(forwarded('for=192.0.2.1, for=unknown'), PROXY);
  t.equal(forwarded('host="a,b;for=1.1.1.1";for=192.0.2.1'), '192.0.2.1', "a Host is the client's");
  t.equal(forwarded('for=1.1.1.1;x=", for=192.0.2.1;host="a\\"b"'), '192.0.2.1', 'with an escaped quote in it');
  t.equal(forwarded('for=192.0.2.1;for=1.1.1.1'), PROXY, 'twice');
});

t.test('quotes the client left open hide nothing of what the proxy wrote', async (t) => {
  for (const evil of ['for="1.1.1.1', 'for=1.1.1.1"', '"', 'for="1.1.1.1, for="', 'for="a\\"']) {
    t.equal(forwarded(`${evil}, for=192.0.2.1`), '192.0.2.1', evil);
    t.equal(forwarded(`${evil}, for="[2001:db8::1]"`), '2001:db8::1', evil);
  }
});

t.test('of two headers one is named, or they agree, or neither is believed', async (t) => {
  const both = { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.2' };
  t.equal(addressOf(both), PROXY);
  t.equal(addressOf(both, { header: 'x-forwarded-for' }), '192.0.2.1');
  t.equal(addressOf(both, { header: 'forwarded' }), '192.0.2.2');
  t.equal(addressOf({ ...both, forwarded: 'for=192.0.2.1' }), '192.0.2.1');
  t.equal(addressOf({ forwarded: 'for=192.0.2.2' }, { header: 'x-forwarded-for' }), PROXY, 'the other one is not looked at');
});

t.test('a long header costs no more than its length', async (t) => {
  t.equal(forwarded(`${'for="a,'.repeat(2000)}, for=192.0.2.1`), '192.0.2.1');
  t.equal(xff(`${'1.1.1.1,'.repeat(2000)}192.0.2.1`), '192.0.2.1');
});

t.test('a network is an IPv4 address, or 64 bits of an IPv6 address', async (t) => {
  t.equal(networkOf('192.0.2.1'), '192.0.2.1');
  t.equal(networkOf('2001:db8::1'), networkOf('2001:db8::ffff:ffff:ffff:ffff'));
  t.equal(networkOf('2001:db8:0:1::1'), '2001:db8:0:1::/64');
  t.equal(networkOf('::1'), '0:0:0:0::/64');
  t.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
});
