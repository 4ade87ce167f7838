import { test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startPlatform } from './platform.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
const ledger = (p: any, l: string) => p.grpc(LedgerCommandService).createLedger({ ledgerId: l, requestId: randomUUID() });
test.each(['none', 'events', 'both nested'])('%s', async (what) => {
  const p: any = await startPlatform();
  await ledger(p, 'l');
  const watches: Record<string, any> = { events: () => p.grpc(EventQueryService).watchEvents({ ledgerId: 'l' }), transactions: () => p.grpc(TransactionQueryService).watchTransactions({ ledgerId: 'l' }) };
  for (let i = 0; i < 20; i++) {
    for (const w of what === 'both nested' ? ['events', 'transactions'] : what === 'none' ? [] : [what])
    for await (const _ of watches[w]()) { if (what === 'both nested') await p.grpc(AccountQueryService).getBalance({ledgerId: 'l', accountId: 'x'}).catch(() => 0); break; }
  }
  await p.connect(AccountQueryService).getBalance({ledgerId: 'l', accountId: 'x'}).catch(() => 0);  await new Promise((r) => setTimeout(r, 12000));
  const a = Date.now();
  const timer = setInterval(async () => { const m = await fetch(p.connectUrl + '/metrics').then((r) => r.text()).catch(String); process.stdout.write(what + ' still draining ' + m.split('\n').filter((l) => /open|flight|stream/.test(l) && !l.startsWith('#')).join(' ; ') + '\n'); }, 2000);
  await Promise.race([p.standalone.drain(), new Promise((r) => setTimeout(r, 5000))]);
  clearInterval(timer);
  process.stdout.write(`${what} drain ${Date.now() - a}\n`);
  await p.standalone.close();
}, 60000);
