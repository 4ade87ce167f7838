/** Asks for a token or an API key, which stays in this tab. */
import { useState } from 'react';
import { tokenStore } from '../state/session.js';

export function Login() {
  const [text, setText] = useState('');
  return (
    <main>
      <form
        className="form"
        style={{ maxWidth: 480 }}
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== '') tokenStore.set(text.trim());
        }}
      >
        <h1>Log in to Quittance</h1>
        <label className="field">
          API key or token
          <input
            type="password"
            autoComplete="off"
            value={text}
            onChange={({ target }) => setText(target.value)}
          />
          <span className="hint">
            It stays in this tab, and goes with it. <code>npm run keys</code> makes an API key; tokens come
            from your issuer.
          </span>
        </label>
        <div className="buttons">
          <button type="submit" className="primary">
            Log in
          </button>
        </div>
      </form>
    </main>
  );
}
