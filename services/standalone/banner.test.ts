import { expect, test } from '@jest/globals';
import { bannerText, nextCommands } from './banner.js';

function nextOn(host: string, grpc: string): string[] {
  return nextCommands(host, { grpc, connect: '' });
}

test('on the default port the demo needs no address', () => {
  expect(nextOn('127.0.0.1', '127.0.0.1:50051')[0]).toBe('npm run demo');
  expect(nextOn('0.0.0.0', '0.0.0.0:50051')[0]).toBe('npm run demo');
});

test.each([
  ['127.0.0.1', '127.0.0.1:9001', '127.0.0.1:9001'],
  ['0.0.0.0', '0.0.0.0:9001', 'localhost:9001'],
  ['::1', '[::1]:50051', '[::1]:50051'],
  ['192.168.1.2', '192.168.1.2:50051', '192.168.1.2:50051'],
])('a server on %s at %s is proposed as %s in every command', (host, grpc, reached) => {
  const [demo, list] = nextOn(host, grpc);
  expect(demo).toBe(`npm run demo -- --address ${reached}`);
  expect(list?.endsWith(`http://${reached}`)).toBe(true);
});

test('the block names the console where there is one', () => {
  const addresses = {
    grpc: '127.0.0.1:50051',
    connect: 'http://127.0.0.1:8081',
    console: 'http://127.0.0.1:8081/console/',
  };
  const text = bannerText({ version: '1.2.3', dataDirectory: '/srv/data', addresses, next: [] });
  expect(text.split('\n')).toContain('  console  http://127.0.0.1:8081/console/');
});

test('the block says where everything is', () => {
  const addresses = { grpc: '127.0.0.1:50051', connect: 'http://127.0.0.1:8081' };
  const text = bannerText({ version: '1.2.3', dataDirectory: '/srv/data', addresses, next: ['one', 'two'] });
  expect(text).toBe(
    [
      '',
      'Quittance 1.2.3 is ready. Ctrl-C stops it.',
      '  data     /srv/data',
      '  gRPC     127.0.0.1:50051',
      '  Connect  http://127.0.0.1:8081',
      '  try      one',
      '           two',
      '',
      '',
    ].join('\n'),
  );
});
