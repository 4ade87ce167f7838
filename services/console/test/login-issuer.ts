/** An issuer where a browser can log in: by the authorization code flow, with PKCE, for one client. */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startIssuer, type TestIssuer } from '../../standalone/test/issuer.js';

export const CLIENT_ID = 'console';

export interface LoginIssuer {
  readonly issuer: TestIssuer;
  /** What each login asked for, in order. */
  readonly asked: readonly URLSearchParams[];
}

/** @param scope of the tokens that it gives */
export async function startLoginIssuer(scope: string): Promise<LoginIssuer> {
  const asked: URLSearchParams[] = [];
  const codes = new Map<string, URLSearchParams>();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const url = new URL(request.url ?? '/', issuer.config.issuer);
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        sendJson(response, 200, {
          issuer: issuer.config.issuer,
          authorization_endpoint: `${issuer.config.issuer}/authorize`,
          token_endpoint: `${issuer.config.issuer}/token`,
        });
        return true;
      case '/authorize': {
        const code = randomUUID();
        codes.set(code, url.searchParams);
        asked.push(url.searchParams);
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        const answer = { code, state: url.searchParams.get('state') ?? '', iss: issuer.config.issuer };
        for (const [name, value] of Object.entries(answer)) back.searchParams.set(name, value);
        response.writeHead(302, { location: back.href }).end();
        return true;
      }
      case '/token': {
        const form = new URLSearchParams(await bodyOf(request));
        const begun = codes.get(form.get('code') ?? '');
        codes.delete(form.get('code') ?? '');
        const isRight = begun !== undefined && isSame(begun, form);
        const token = isRight ? await issuer.token({ sub: 'operator', scope }) : '';
        sendJson(
          response,
          isRight ? 200 : 400,
          isRight ? { access_token: token, token_type: 'Bearer' } : { error: 'invalid_grant' },
        );
        return true;
      }
      default:
        return false;
    }
  };
  const issuer = await startIssuer(serve);
  return { issuer, asked };
}

/** Whether who brings the code is who asked for it. */
function isSame(begun: URLSearchParams, form: URLSearchParams): boolean {
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  return (
    begun.get('code_challenge_method') === 'S256' &&
    begun.get('code_challenge') === challenge &&
    begun.get('redirect_uri') === form.get('redirect_uri') &&
    begun.get('client_id') === CLIENT_ID &&
    form.get('client_id') === CLIENT_ID
  );
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const headers = { 'content-type': 'application/json', 'access-control-allow-origin': '*' };
  response.writeHead(status, headers).end(JSON.stringify(body));
}
