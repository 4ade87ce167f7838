import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { arrivals } from './arrivals.js';

function stream(highWaterMark = 16): PassThrough {
  return new PassThrough({ objectMode: true, highWaterMark });
}

/** Everything until the end, in the groups in which it came. */
async function groupsOf(arriving: AsyncIterator<readonly number[]>): Promise<number[][]> {
  const groups: number[][] = [];
  for (let next = await arriving.next(); next.done !== true; next = await arriving.next()) {
    groups.push([...next.value]);
  }
  return groups;
}

test('what arrives together comes together, what arrives later alone', async () => {
  const call = stream();
  const arriving = arrivals<number>(call);
  const first = arriving.next();
  for (const message of [1, 2, 3]) call.write(message);
  expect(await first).toEqual({ done: false, value: [1, 2, 3] });
  const second = arriving.next();
  call.write(4);
  expect(await second).toEqual({ done: false, value: [4] });
});

test('nothing is lost at the end, and in order', async () => {
  const call = stream();
  const sent = Array.from({ length: 2_000 }, (_, index) => index);
  for (const message of sent) call.write(message);
  call.end();
  const groups = await groupsOf(arrivals<number>(call));
  expect(groups.flat()).toEqual(sent);
});

test('a sender waits while too much has arrived that nobody asks for', async () => {
  const call = stream(1);
  const arriving = arrivals<number>(call);
  const paused = new Promise((resolve) => call.once('pause', resolve));
  let sent = 0;
  const send = () => {
    while (sent < 1_000) {
      sent += 1;
      if (!call.write(sent)) return;
    }
    call.end();
  };
  call.on('drain', send);
  send();
  await paused;
  expect(sent).toBeLessThan(1_000);
  const groups = await groupsOf(arriving);
  expect(groups.flat()).toHaveLength(1_000);
});

test('a caller who leaves before the end is CANCELLED, after what has arrived', async () => {
  const call = stream();
  const arriving = arrivals<number>(call);
  const first = arriving.next();
  call.write(1);
  expect(await first).toEqual({ done: false, value: [1] });
  const second = arriving.next();
  call.destroy();
  await expect(second).rejects.toMatchObject({ reason: ErrorReason.CANCELLED });
});
