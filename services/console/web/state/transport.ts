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

/** One transport per process, chosen by the package of the method. */
export function createRoutedTransport({ commandOrigin, projectorOrigin }: Settings): Transport {
  const to = (baseUrl: string) =>
    createConnectTransport({ baseUrl, useBinaryFormat: true, interceptors: [withToken] });
  const own = to(ownBase());
  const command = commandOrigin === null ? own : to(commandOrigin);
  const projector = projectorOrigin === null ? own : to(projectorOrigin);
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
