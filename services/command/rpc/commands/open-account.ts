/** OpenAccount. */
import { AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import { timestampOf } from '../../../../lib/base/time.js';
import { accountAnswer } from '../answer-parts.js';
import type { Answering, CommandMethod } from '../command-method.js';
import { limitsOf } from '../limits-part.js';
import { commonOf, invalidField, metadataOf, openableCurrencyOf, textOf } from '../request-parts.js';

export const openAccount: CommandMethod<'openAccount'> = {
  named: (value) => ({ case: 'openAccount', value }),
  toCommand: (request) => {
    const accountType = TYPES[request.type];
    if (request.overdraftLimit !== 0n && accountType !== 'LIABILITY') {
      throw invalidField('overdraft_limit', 'is for LIABILITY accounts only');
    }
    const limits = limitsOf(request.limits);
    if (request.limits !== undefined && accountType !== 'LIABILITY') {
      throw invalidField('limits', 'are for LIABILITY accounts only');
    }
    return {
      type: 'OpenAccount',
      ...commonOf(request),
      accountId: request.accountId,
      accountType,
      ...openableCurrencyOf(request.currency, 'currency'),
      overdraftLimit: request.overdraftLimit,
      name: textOf(request.name, 'name'),
      ownerReference: textOf(request.ownerReference, 'owner_reference'),
      metadata: metadataOf(request.metadata),
      limits,
    };
  },
  toMovement: null,
  answer: (decided) => ({
    case: 'openAccount',
    value: { $typeName: 'quittance.command.v1.OpenAccountResponse', ...openedAnswer(decided) },
  }),
};

const TYPES = {
  [AccountType.UNSPECIFIED]: 'LIABILITY',
  [AccountType.LIABILITY]: 'LIABILITY',
  [AccountType.ASSET]: 'ASSET',
  [AccountType.REVENUE]: 'REVENUE',
  [AccountType.EXPENSE]: 'EXPENSE',
  [AccountType.EQUITY]: 'EQUITY',
} as const;

function openedAnswer(decided: Answering) {
  const answer = accountAnswer(decided);
  answer.account.openTime = timestampOf(decided.event.recordedTimeMicros);
  return answer;
}
