/** A call that changes something and is no command of a ledger. */
import type { DescMessage, DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import { callUnaryMethod, useTransport } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

/** Calls a method, then asks for everything again. */
export function useAct() {
  const transport = useTransport();
  const queries = useQueryClient();
  const [error, setError] = useState<Error | null>(null);
  const act = <I extends DescMessage, O extends DescMessage>(
    called: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
  ) => {
    setError(null);
    callUnaryMethod(transport, called, input)
      .then(() => queries.invalidateQueries())
      .catch((failure: unknown) => setError(failure instanceof Error ? failure : new Error(String(failure))));
  };
  return { act, error };
}
