import t from 'tap';
import { renderNginxConfig } from '../../../../bench/harness/nginx-server.ts';
import { renderGarageConfig } from '../../../../bench/peers/garage.ts';

t.test('nginx listens on loopback and takes no files unless it is to', async (t) => {
  const serving = renderNginxConfig({ port: 8123, root: '/srv', sendfile: 'on' }, { asRoot: false });
  t.match(serving, 'listen 127.0.0.1:8123 reuseport; root /srv;');
  t.match(serving, 'sendfile on;');
  t.notMatch(serving, /dav|user root/);
  const taking = renderNginxConfig({ port: 8123, root: '/srv', sendfile: 'off', takesFiles: true }, { asRoot: true });
  t.match(taking, 'dav_methods PUT; create_full_put_path on; client_max_body_size 0;');
  t.match(taking, 'user root;');
});

t.test('Garage listens on loopback and syncs when it is to', async (t) => {
  const place = { home: '/home', data: '/home/data', port: 3900, otherPorts: [3901] };
  const config = renderGarageConfig(place, { syncs: true, rpcSecret: 'ab' });
  t.match(config, /^api_bind_addr = "127\.0\.0\.1:3900"$/m);
  t.match(config, /^rpc_bind_addr = "127\.0\.0\.1:3901"$/m);
  t.match(config, /^metadata_dir = "\/home\/data\/meta"$/m);
  t.match(config, /^metadata_fsync = true\ndata_fsync = true$/m);
  t.match(renderGarageConfig(place, { syncs: false, rpcSecret: 'ab' }), /^metadata_fsync = false\ndata_fsync = false$/m);
});
