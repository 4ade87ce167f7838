/** TLS of the gRPC door, and of the connections to other processes of ours. */
import * as grpc from '@grpc/grpc-js';
import type { Certificates, TlsMaterial } from '../certificates.js';

/** What the gRPC door is opened with. The library takes each new certificate from the next connection on. */
export function serverCredentials(certificates: Certificates | undefined): grpc.ServerCredentials {
  if (certificates === undefined) return grpc.ServerCredentials.createInsecure();
  const provider = providerOf(certificates);
  // The library's names of the first two are the wrong way round: the certificate of the server comes first.
  const clientCa = certificates.present.clientCa === undefined ? null : provider;
  return grpc.experimental.createCertificateProviderServerCredentials(provider, clientCa, clientCa !== null);
}

/**
 * What another process of ours is called with. It must show a certificate of one of the roots; ours is shown to it.
 * @param ca roots in PEM; undefined: those that Node knows
 */
export function peerCredentials(
  own: TlsMaterial | undefined,
  ca: Buffer | undefined,
): grpc.ChannelCredentials {
  if (own === undefined) return grpc.credentials.createInsecure();
  return grpc.credentials.createSsl(ca ?? null, own.key, own.certificate);
}

type CaListener = grpc.experimental.CaCertificateUpdateListener;
type IdentityListener = grpc.experimental.IdentityCertificateUpdateListener;

function providerOf(certificates: Certificates): grpc.experimental.CertificateProvider {
  const ofCa = new Set<CaListener>();
  const ofIdentity = new Set<IdentityListener>();
  const sendCa = (listener: CaListener, { clientCa }: TlsMaterial) => {
    listener(clientCa === undefined ? null : { caCertificate: clientCa });
  };
  const sendIdentity = (listener: IdentityListener, { certificate, key }: TlsMaterial) => {
    listener({ certificate, privateKey: key });
  };
  certificates.onChange((material) => {
    for (const listener of ofCa) sendCa(listener, material);
    for (const listener of ofIdentity) sendIdentity(listener, material);
  });
  return {
    // The library is ready for the first one only after it has added its listener.
    addCaCertificateListener: (listener) => {
      ofCa.add(listener);
      queueMicrotask(() => {
        sendCa(listener, certificates.present);
      });
    },
    removeCaCertificateListener: (listener) => ofCa.delete(listener),
    addIdentityCertificateListener: (listener) => {
      ofIdentity.add(listener);
      queueMicrotask(() => {
        sendIdentity(listener, certificates.present);
      });
    },
    removeIdentityCertificateListener: (listener) => ofIdentity.delete(listener),
  };
}
