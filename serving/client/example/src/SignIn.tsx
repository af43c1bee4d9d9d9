import { type FormEvent, useEffect, useRef, useState } from "react";
import { Brand } from "./Brand";

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

interface Props {
  /** Why the person has to sign in again; empty the first time. */
  notice: string;
  onToken: (token: string) => void;
}

export function SignIn({ notice, onToken }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [error, setError] = useState(notice);

  useEffect(() => {
    document.title = "Sign in to Delete";
    field.current?.focus();
  }, []);

  function submit(event: FormEvent) {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (JWT.test(token)) return onToken(token);
    setError(token === "" ? "Paste your token first." : "This is not a whole token: it has three parts with dots between.");
    field.current?.focus();
  }

  return (
    <main className="sign-in">
      <Brand />
      <form onSubmit={submit} noValidate>
        <h1>Sign in</h1>
        <label htmlFor="token">Your token</label>
        <textarea
          id="token"
          ref={field}
          rows={4}
          autoComplete="off"
          spellCheck={false}
          required
          aria-invalid={error !== ""}
          aria-describedby="token-hint token-error"
        />
        <p id="token-hint" className="quiet">
          In development <code>matching token WHO</code> prints one.
        </p>
        <p id="token-error" className="error" role="alert">
          {error}
        </p>
        <button type="submit">Sign in</button>
      </form>
    </main>
  );
}
