import { test } from '@jest/globals';
import { LedgerFixture, testId } from '../../../test/ledger-fixture.js';
import { Books, named, callFor } from '../verify/test/books.js';
import { writeFileSync } from 'node:fs';
test('bench', async () => {
  const fixture = new LedgerFixture();
  let n = 1;
  const base = () => ({ ledgerId: 'main', requestId: testId(n++) });
  const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
  fixture.run({ case: 'createLedger', value: base() });
  for (let a = 0; a < 1000; a++)
    fixture.run({
      case: 'openAccount',
      value: { ...base(), accountId: `a${a}`, currency: 'EUR', overdraftLimit: 10n ** 15n },
    });
  const open: string[] = [];
  for (let i = 0; fixture.events.length < 50_000; i++) {
    const parties = { payerAccountId: `a${(i * 7) % 1000}`, payeeAccountId: `a${(i * 7 + 13) % 1000}` };
    const b = base();
    if (i % 10 === 8) {
      fixture.run({ case: 'authorizePayment', value: { ...b, ...parties, amount: eur(100n) } });
      open.push(b.requestId);
    } else if (i % 10 === 9)
      fixture.run({
        case: 'capturePayment',
        value: { ...b, paymentId: open.shift() ?? '', amount: eur(100n) },
      });
    else fixture.run({ case: 'submitPayment', value: { ...b, ...parties, amount: eur(10n) } });
    if (i % 5000 === 0) fixture.now += 600_000_000n;
  }
  const books = await Books.open(fixture);
  await books.settle();
  await books.pool.query('analyze');
  const out: string[] = [];
  for (const limits of [{}, {}, { mostChains: 100 }, { mostAccounts: 250 }]) {
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    const start = performance.now(),
      cpu = process.cpuUsage();
    let worst = 0,
      last = performance.now();
    const timer = setInterval(() => {
      const t = performance.now();
      worst = Math.max(worst, t - last - 1);
      last = t;
    }, 1);
    const report = await books.verify('main', books.deps(limits), callFor(600_000));
    clearInterval(timer);
    const ms = performance.now() - start;
    const c = process.cpuUsage(cpu);
    out.push(
      `${JSON.stringify(limits)} ${ms.toFixed(0)} ms ${((fixture.events.length / ms) * 1000).toFixed(0)} events/s cpu ${((c.user + c.system) / 1000).toFixed(0)} ms worst block ${worst.toFixed(0)} ms rss +${((process.memoryUsage().rss - before) / 1e6).toFixed(0)} MB findings ${named(report).length} ${JSON.stringify(report.verdict?.outcomes.map((o) => String(o.compared)))}`,
    );
  }
  writeFileSync('/tmp/verify-bench.txt', out.join('\n') + '\n');
  await books.close();
}, 400_000);
