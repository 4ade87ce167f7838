/** The accounts of the demo. */
import { AccountType } from '../../gen/quittance/common/v1/account_pb.js';

export const LEDGER = 'demo';
export const CURRENCY = 'EUR';
export const BANK = 'bank:operating';
export const FEES = 'revenue:fees';

/** An account to open. */
export interface Role {
  readonly accountId: string;
  readonly name: string;
  readonly type: AccountType;
  /** Minor units. */
  readonly overdraftLimit: bigint;
}

const CUSTOMERS = [
  'anna',
  'ben',
  'carla',
  'deniz',
  'emil',
  'farah',
  'goran',
  'hana',
  'ivo',
  'jana',
  'kofi',
  'lena',
];
const MERCHANTS: readonly (readonly [id: string, name: string])[] = [
  ['bakery', 'Corner Bakery'],
  ['books', 'Second Page Books'],
  ['bikes', 'Spoke and Chain'],
  ['hotel', 'Hotel Miramar'],
  ['grocer', 'Green Grocer'],
  ['cinema', 'Lumen Cinema'],
];

export const CUSTOMER_IDS = CUSTOMERS.map((name) => `customer:${name}`);
export const MERCHANT_IDS = MERCHANTS.map(([id]) => `merchant:${id}`);

/** Every account of the demo. */
export const ROLES: readonly Role[] = [
  { accountId: BANK, name: 'Operating account', type: AccountType.ASSET, overdraftLimit: 0n },
  { accountId: FEES, name: 'Fees earned', type: AccountType.REVENUE, overdraftLimit: 0n },
  ...CUSTOMERS.map((name, index) => ({
    accountId: `customer:${name}`,
    name: `Customer ${name}`,
    type: AccountType.LIABILITY,
    // One in three may overdraw by 100.00.
    overdraftLimit: index % 3 === 0 ? 10_000n : 0n,
  })),
  ...MERCHANTS.map(([id, name]) => ({
    accountId: `merchant:${id}`,
    name,
    type: AccountType.LIABILITY,
    overdraftLimit: 0n,
  })),
];
