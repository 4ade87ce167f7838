import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { problemsOf, recordsOf, rowsOf, surveyOf } from './test/reading.js';

const ANY_CURRENCY = { currency: undefined };

function sample(name: string): Buffer {
  return readFileSync(new URL(`./samples/${name}`, import.meta.url));
}

const GERMAN = sample('german-v02.xml').toString('utf8');

test('a German statement of version 2: who, what for, the bank’s reference, and both balances', async () => {
  const rows = await rowsOf(GERMAN, { ...ANY_CURRENCY, withCounterparty: true, withDescription: true });
  expect(rows).toMatchObject([
    {
      line: 18,
      accountId: 'DE02100500000123456789',
      currency: 'EUR',
      amount: -125_050n,
      bookedOn: 1_704_240_000_000_000n,
      kind: 'PMNT-ICDT-ESCT',
      reference: '2024010312345678000',
      counterparty: 'Vermietung M&M DE02120300000000202051',
      description: 'Miete Januar Wohnung 7',
    },
    { amount: 300_000n, kind: 'NTRF+153', purpose: 'SALA', reference: '', counterparty: 'Muster GmbH' },
  ]);
  const records = await recordsOf(GERMAN, ANY_CURRENCY);
  expect(records.map(({ kind }) => kind)).toEqual(['opening', 'movement', 'movement', 'closing']);
  expect(await surveyOf(GERMAN, ANY_CURRENCY)).toMatchObject({ rows: 2, balances: 2 });
});

test('a Swiss statement of version 4: below zero at first, and one entry for several payments', async () => {
  const rows = await rowsOf(sample('swiss-v04.xml'), ANY_CURRENCY);
  expect(rows).toMatchObject([
    {
      amount: 20_000n,
      reference: '20240105001',
      description: '210000000003139471430009017 120000000000234478943216899',
    },
  ]);
  expect([...(await surveyOf(sample('swiss-v04.xml'), ANY_CURRENCY)).accounts.values()]).toMatchObject([
    { startBalance: -12_005n, sum: 20_000n },
  ]);
});

test('version 8 with prefixes in an envelope, in ISO-8859-1: pages with interim balances, a pending entry, a reversal', async () => {
  const text = sample('nordic-v08.xml');
  const rows = await rowsOf(text, { ...ANY_CURRENCY, withDescription: true });
  expect(rows).toMatchObject([
    {
      accountId: '500012-34567',
      amount: -550n,
      bookedOn: 1_709_251_200_000_000n,
      counterparty: 'Café Åre',
      description: 'Kortköp <café>',
    },
    { amount: 200n, kind: 'RET' },
  ]);
  expect(await surveyOf(text, ANY_CURRENCY)).toMatchObject({ rows: 2, balances: 4 });
});

test.each([
  [
    'an amount with a sign',
    GERMAN.replace('>1250.50<', '>-1250.50<'),
    'line 18: the amount "-1250.50" has a sign',
  ],
  ['a decimal comma', GERMAN.replace('>1250.50<', '>1250,50<'), 'line 18: the amount "1250,50" is no number'],
  [
    'a day',
    GERMAN.replace('2024-01-03</Dt></BookgDt>', '2024-01-32</Dt></BookgDt>'),
    'line 18: the booking day "2024-01-32" is no day',
  ],
  [
    'a direction',
    GERMAN.replace('<CdtDbtInd>DBIT', '<CdtDbtInd>OUT'),
    'line 18: <CdtDbtInd> is "OUT", neither CRDT nor DBIT',
  ],
  [
    'an entry without an amount',
    GERMAN.replace('<Amt Ccy="EUR">1250.50</Amt>', ''),
    'line 18: the element lacks <Amt@Ccy>',
  ],
  ['a currency', GERMAN.replaceAll('Ccy="EUR"', 'Ccy="XQQ"'), 'line 10: "XQQ" is no currency of ISO 4217'],
  [
    'a closing balance',
    GERMAN.replace('5749.50', '5749.51'),
    'line 14: account DE02100500000123456789 closes with 5749.51 EUR',
  ],
])('%s that is wrong is a problem with its line', async (_, text, problem) => {
  expect((await problemsOf(text, ANY_CURRENCY))[0]).toContain(problem);
});

test.each([
  ['an element that is not closed', GERMAN.replace('</Ntry>', ''), /^line \d+: this is no well-formed XML: /],
  ['a file that is cut off', GERMAN.slice(0, 1500), /no well-formed XML/],
  [
    'an entity of its own',
    `<!DOCTYPE a [<!ENTITY a "a">]>${GERMAN.slice(GERMAN.indexOf('<Document'))}`,
    /declares a document type/,
  ],
  [
    'a report within the day',
    GERMAN.replaceAll('BkToCstmrStmt', 'BkToCstmrAcctRpt'),
    /line 3: this is a camt.052/,
  ],
  [
    'a notification',
    GERMAN.replaceAll('BkToCstmrStmt', 'BkToCstmrDbtCdtNtfctn'),
    /line 3: this is a camt.054/,
  ],
  ['another XML', '<html><body/></html>', /holds no <BkToCstmrStmt>/],
])('%s is refused as a whole', async (_, text, problem) => {
  expect((await problemsOf(text, ANY_CURRENCY)).join('\n')).toMatch(problem);
});

test('an entry has the same id in a later file that contains it, by the bank’s reference where there is one', async () => {
  const ids = async (text: string): Promise<string[]> =>
    (await rowsOf(text, ANY_CURRENCY)).map(({ movementId }) => movementId);
  const entry = GERMAN.slice(GERMAN.indexOf('<Ntry>'), GERMAN.indexOf('</Ntry>') + '</Ntry>'.length);
  const longer = GERMAN.replace('<Ntry>', `${entry.replace('1250.50', '1.00')}<Ntry>`);
  expect(await ids(longer)).toEqual(expect.arrayContaining(await ids(GERMAN)));
});
