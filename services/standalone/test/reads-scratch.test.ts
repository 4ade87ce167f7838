import http2 from 'node:http2';
import { test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startPlatform } from './platform.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
const ledger = (p: any, l: string) => p.grpc(LedgerCommandService).createLedger({ ledgerId: l, requestId: randomUUID() });
const sessions: any[] = [];
const real = http2.createServer;
(http2 as any).createServer = (...args: any[]) => { const srv = (real as any)(...args); srv.on('session', (x: any) => { sessions.push(x); x.on('close', () => process.stdout.write('session closed\n')); x.on('stream', (st: any) => { st.on('close', () => process.stdout.write(`stream ${st.id} closed rst ${st.rstCode} ab ${st.aborted} ${Date.now() % 100000}\n`)); }); }); return srv; };
const dump = () => sessions.map((x) => { const k = Object.getOwnPropertySymbols(x).find((y) => String(y) === 'Symbol(state)'); const st = (x as any)[k as any]; return { closed: x.closed, destroyed: x.destroyed, streams: [...(st?.streams?.values() ?? [])].map((q: any) => [q.id, q.closed, q.destroyed, q.aborted, q.writableEnded, q.readableEnded]), pending: st?.pendingStreams?.size, sock: x.socket?.remotePort, flags: st?.flags, sockDestroyed: x.socket?.destroyed, state: x.state }; });
test.each(['events'])('%s', async (what) => {
  const p: any = await startPlatform();
  await ledger(p, 'l');
  const watches: Record<string, any> = { events: () => p.grpc(EventQueryService).watchEvents({ ledgerId: 'l' }), transactions: () => p.grpc(TransactionQueryService).watchTransactions({ ledgerId: 'l' }) };
  for (let i = 0; i < 2; i++) {
    for (const w of what === 'both nested' ? ['events', 'transactions'] : what === 'none' ? [] : [what])
    for await (const _ of watches[w]()) { process.stdout.write('break ' + Date.now() % 100000 + '\n'); if (what === 'both nested') await p.grpc(AccountQueryService).getBalance({ledgerId: 'l', accountId: 'x'}).catch(() => 0); break; }
  }
  await p.connect(AccountQueryService).getBalance({ledgerId: 'l', accountId: 'x'}).catch(() => 0);  await new Promise((r) => setTimeout(r, 12000));
  const a = Date.now();
  const timer = setInterval(async () => { process.stdout.write(JSON.stringify(dump()) + '\n'); const m = await fetch(p.connectUrl + '/metrics').then((r) => r.text()).catch(String); process.stdout.write(what + ' still draining ' + m.split('\n').filter((l) => /open|flight|stream/.test(l) && !l.startsWith('#')).join(' ; ') + '\n'); }, 2000);
  await Promise.race([p.standalone.drain(), new Promise((r) => setTimeout(r, 5000))]);
  clearInterval(timer);
  process.stdout.write(`${what} drain ${Date.now() - a}\n`);
  await p.standalone.close();
}, 60000);
