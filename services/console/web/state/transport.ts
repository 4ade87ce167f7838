/** The public contract over Connect, with the caller's own token. In a distributed set-up each service has an origin of its own. */
import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { logOut, noteRefusal, ownBase, type Settings, tokenStore } from './session.js';

const withToken: Interceptor = (next) => async (request) => {
  const token = tokenStore.get();
  if (token !== undefined) request.header.set('Authorization', `Bearer ${token}`);
  try {
    return await next(request);
  } catch (error) {
    const { code } = ConnectError.from(error);
    // A token that has expired: the page asks for another one.
    if (code === Code.Unauthenticated && token === tokenStore.get()) logOut();
    if (code === Code.PermissionDenied) noteRefusal(request.method);
    throw error;
  }
};

const transports = new Map<string, Transport>();

/** The transport of an address, made once. */
function to(baseUrl: string): Transport {
  const known = transports.get(baseUrl);
  if (known !== undefined) return known;
  const made = createConnectTransport({ baseUrl, useBinaryFormat: true, interceptors: [withToken] });
  transports.set(baseUrl, made);
  return made;
}

/** A process that this page calls. */
export interface ReachedProcess {
  readonly origin: string;
  readonly transport: Transport;
}

/** Each process that this page calls, once: the one that serves it first. */
export function processTransports({ commandOrigin, projectorOrigin }: Settings): readonly ReachedProcess[] {
  const own = ownBase();
  const origins = new Set([own, commandOrigin ?? own, projectorOrigin ?? own]);
  return [...origins].map((origin) => ({ origin, transport: to(origin) }));
}

/** One transport per process, chosen by the package of the method. */
export function createRoutedTransport({ commandOrigin, projectorOrigin }: Settings): Transport {
  const own = to(ownBase());
  const command = to(commandOrigin ?? ownBase());
  const projector = to(projectorOrigin ?? ownBase());
  const of = (service: string) =>
    service.startsWith('quittance.command.')
      ? command
      : service.startsWith('quittance.ops.')
        ? projector
        : own;
  return {
    unary: (method, ...rest) => of(method.parent.typeName).unary(method, ...rest),
    stream: (method, ...rest) => of(method.parent.typeName).stream(method, ...rest),
  };
}
