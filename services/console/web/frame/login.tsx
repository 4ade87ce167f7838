/** Asks for a login at the issuer where there is one, else for a token or an API key, which stays in this tab. */
import { useState } from 'react';
import { beginLogin, loginProblemStore } from '../state/oidc.js';
import { type LoginSettings, settingsStore, tokenStore } from '../state/session.js';
import { useStore } from '../state/store.js';

export function Login() {
  const { login } = useStore(settingsStore);
  return (
    <main>
      <div className="form" style={{ maxWidth: 480 }}>
        <h1>Log in to Quittance</h1>
        {login === undefined ? (
          <TokenForm />
        ) : (
          <>
            <IssuerLogin login={login} />
            <details>
              <summary>With an API key or a token</summary>
              <TokenForm />
            </details>
          </>
        )}
      </div>
    </main>
  );
}

function IssuerLogin({ login }: { readonly login: LoginSettings }) {
  const problem = useStore(loginProblemStore);
  const begin = () => {
    loginProblemStore.set('');
    beginLogin(login).catch((error: unknown) => {
      loginProblemStore.set(error instanceof Error ? error.message : String(error));
    });
  };
  return (
    <>
      <div className="buttons">
        <button type="button" className="primary" onClick={begin}>
          Log in at {new URL(login.issuer).host}
        </button>
      </div>
      {problem === '' ? null : (
        <p className="error" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

function TokenForm() {
  const [text, setText] = useState('');
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== '') tokenStore.set(text.trim());
      }}
    >
      <label className="field">
        API key or token
        <input
          type="password"
          autoComplete="off"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <span className="hint">
          It stays in this tab, and goes with it. <code>npm run keys</code> makes an API key; tokens come from
          your issuer.
        </span>
      </label>
      <div className="buttons">
        <button type="submit" className="primary">
          Log in
        </button>
      </div>
    </form>
  );
}
