/** Every reason of common.v1.ErrorReason with its gRPC code, as documented beside it in error_reason.proto. */
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';

/** What follows from a reason alone. */
export interface CatalogueEntry {
  readonly code: Code;
  /** When to try again unless the thrower knows better; present exactly for the reasons that carry RetryInfo. */
  readonly retryAfter_ms?: number;
}

const invalid: CatalogueEntry = { code: Code.InvalidArgument };
const notFound: CatalogueEntry = { code: Code.NotFound };
const exists: CatalogueEntry = { code: Code.AlreadyExists };
const state: CatalogueEntry = { code: Code.FailedPrecondition };
const exhausted: CatalogueEntry = { code: Code.ResourceExhausted };

/** The catalogue. The compiler refuses a reason without an entry. */
export const ERROR_CATALOGUE: Readonly<Record<ErrorReason, CatalogueEntry>> = {
  [ErrorReason.UNSPECIFIED]: { code: Code.Internal },

  [ErrorReason.INVALID_FIELD]: invalid,
  [ErrorReason.UNKNOWN_FIELD]: invalid,
  [ErrorReason.MALFORMED_MESSAGE]: invalid,
  [ErrorReason.UNKNOWN_CURRENCY]: invalid,
  [ErrorReason.UNBALANCED_ENTRIES]: invalid,
  [ErrorReason.TIME_OUT_OF_RANGE]: invalid,
  [ErrorReason.INVALID_PAGE_TOKEN]: invalid,
  [ErrorReason.INVALID_CONSISTENCY_TOKEN]: invalid,
  [ErrorReason.INVALID_RESUME_TOKEN]: invalid,
  [ErrorReason.POSITION_OUT_OF_RANGE]: invalid,
  [ErrorReason.ASSET_CODE_RESERVED]: invalid,

  [ErrorReason.LEDGER_NOT_FOUND]: notFound,
  [ErrorReason.ACCOUNT_NOT_FOUND]: notFound,
  [ErrorReason.TRANSACTION_NOT_FOUND]: notFound,
  [ErrorReason.PAYMENT_NOT_FOUND]: notFound,
  [ErrorReason.PROJECTION_NOT_FOUND]: notFound,
  [ErrorReason.DEAD_LETTER_NOT_FOUND]: notFound,
  [ErrorReason.EVENT_NOT_FOUND]: notFound,

  [ErrorReason.LEDGER_ALREADY_EXISTS]: exists,
  [ErrorReason.ACCOUNT_ALREADY_EXISTS]: exists,
  [ErrorReason.REQUEST_ID_REUSED]: exists,
  [ErrorReason.ASSET_ALREADY_EXISTS]: exists,
  [ErrorReason.ASSET_DIFFERS]: exists,

  [ErrorReason.VERSION_MISMATCH]: { code: Code.Aborted },
  [ErrorReason.BALANCE_OVERFLOW]: { code: Code.OutOfRange },

  [ErrorReason.CURRENCY_MISMATCH]: state,
  [ErrorReason.ACCOUNT_TYPE]: state,
  [ErrorReason.ACCOUNT_IS_CLOSED]: state,
  [ErrorReason.ACCOUNT_NOT_FROZEN]: state,
  [ErrorReason.ACCOUNT_NOT_EMPTY]: state,
  [ErrorReason.PAYMENT_DECLINED]: state,
  [ErrorReason.PAYMENT_ENDED]: state,
  [ErrorReason.HOLD_EXPIRED]: state,
  [ErrorReason.CAPTURE_EXCEEDS_HOLD]: state,
  [ErrorReason.AUTHORIZATION_BELOW_CAPTURED]: state,
  [ErrorReason.REFUND_EXCEEDS_CAPTURED]: state,
  [ErrorReason.FEE_REFUND_EXCEEDS_CHARGED]: state,
  [ErrorReason.FEE_EXCEEDS_AMOUNT]: invalid,
  [ErrorReason.NOT_REVERSIBLE]: state,
  [ErrorReason.ALREADY_REVERSED]: state,
  [ErrorReason.PAYMENT_HAS_REFUNDS]: state,
  [ErrorReason.HISTORY_LOST]: state,
  [ErrorReason.PROJECTION_STATE]: state,
  [ErrorReason.TOO_MANY_FEES]: state,
  [ErrorReason.DEAD_LETTER_COUNT]: state,
  [ErrorReason.DEAD_LETTER_WAITS]: state,

  [ErrorReason.PERIOD_CLOSED]: state,
  [ErrorReason.PERIOD_IN_FUTURE]: invalid,
  [ErrorReason.PERIOD_ALREADY_CLOSED]: state,
  [ErrorReason.PERIOD_NOT_CLOSED]: state,

  [ErrorReason.QUEUE_FULL]: { code: Code.ResourceExhausted, retryAfter_ms: 100 },
  [ErrorReason.MESSAGE_TOO_LARGE]: exhausted,
  [ErrorReason.READER_TOO_SLOW]: exhausted,
  [ErrorReason.RATE_LIMITED]: { code: Code.ResourceExhausted, retryAfter_ms: 1000 },
  [ErrorReason.TOO_MANY_STREAMS]: { code: Code.ResourceExhausted, retryAfter_ms: 1000 },

  [ErrorReason.READ_MODEL_BEHIND]: { code: Code.Unavailable, retryAfter_ms: 100 },
  [ErrorReason.OUTCOME_UNKNOWN]: { code: Code.Unavailable, retryAfter_ms: 100 },
  [ErrorReason.DEPENDENCY_UNAVAILABLE]: { code: Code.Unavailable, retryAfter_ms: 1000 },
  [ErrorReason.NOT_SERVING]: { code: Code.Unavailable, retryAfter_ms: 1000 },

  [ErrorReason.DEADLINE_EXCEEDED]: { code: Code.DeadlineExceeded },
  [ErrorReason.CANCELLED]: { code: Code.Canceled },
  [ErrorReason.UNKNOWN_METHOD]: { code: Code.Unimplemented },
  [ErrorReason.UNSUPPORTED_ENCODING]: { code: Code.Unimplemented },
  [ErrorReason.WRONG_MESSAGE_COUNT]: { code: Code.Unimplemented },
  [ErrorReason.HOST_NOT_ALLOWED]: { code: Code.PermissionDenied },
  [ErrorReason.UNAUTHENTICATED]: { code: Code.Unauthenticated },
  [ErrorReason.PERMISSION_DENIED]: { code: Code.PermissionDenied },
  [ErrorReason.INTERNAL]: { code: Code.Internal },

  [ErrorReason.WEBHOOK_NOT_FOUND]: notFound,
  [ErrorReason.WEBHOOK_ALREADY_EXISTS]: exists,
  [ErrorReason.WEBHOOK_URL_NOT_ALLOWED]: invalid,
  [ErrorReason.TOO_MANY_WEBHOOKS]: state,
  [ErrorReason.WEBHOOK_DELIVERY_NOT_FOUND]: notFound,

  [ErrorReason.SCHEDULE_NOT_FOUND]: notFound,
  [ErrorReason.SCHEDULE_ALREADY_EXISTS]: exists,
  [ErrorReason.TOO_MANY_SCHEDULES]: state,
  [ErrorReason.SCHEDULE_RULE_INVALID]: invalid,
  [ErrorReason.SCHEDULE_RULE_ENDLESS]: invalid,
  [ErrorReason.SCHEDULE_RULE_EMPTY]: invalid,
  [ErrorReason.SCHEDULE_RULE_TOO_FREQUENT]: invalid,
  [ErrorReason.SCHEDULE_RULE_TOO_LONG]: invalid,
  [ErrorReason.UNKNOWN_TIME_ZONE]: invalid,
  [ErrorReason.SCHEDULE_IN_PAST]: invalid,
  [ErrorReason.SCHEDULE_ENDED]: state,
};
