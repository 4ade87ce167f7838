/** Why a connection or a stream is ended (RFC 9113, 7). */
export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

/** A fault of the peer that ends the connection. */
export class Http2Error extends Error {
  override readonly name = 'Http2Error';

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** The peer breaks a rule of HTTP/2. */
export function protocolError(message: string): Http2Error {
  return new Http2Error(ErrorCode.protocolError, message);
}

/** A frame has not the size that its type asks for. */
export function frameSizeError(message: string): Http2Error {
  return new Http2Error(ErrorCode.frameSizeError, message);
}
