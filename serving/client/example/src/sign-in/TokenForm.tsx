import { type FormEvent, useEffect, useRef, useState } from "react";

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

interface Props {
  /** Why the person has to sign in again; empty the first time. */
  notice: string;
  onToken: (token: string) => void;
  heading?: "h1" | "h2";
}

export function TokenForm({ notice, onToken, heading: Heading = "h1" }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [error, setError] = useState(notice);

  useEffect(() => field.current?.focus(), []);

  function submit(event: FormEvent) {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (JWT.test(token)) return onToken(token);
    setError(token === "" ? "Paste your token first." : "This is not a whole token: it has three parts with dots between.");
    field.current?.focus();
  }

  return (
    <form className="panel" onSubmit={submit} noValidate>
      <Heading>{Heading === "h1" ? "Sign in" : "With a token"}</Heading>
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
  );
}
