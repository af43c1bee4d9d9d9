import type { Candidate } from "@delete/matching-client";
import { type FormEvent, type KeyboardEvent, useRef, useState } from "react";
import { Called } from "../../Name";

const MOST = 2000; // characters, as the backend has it

interface Props {
  candidate: Candidate;
  send: (id: string, body: string) => Promise<unknown>;
  onSent: () => Promise<void>;
}

/** Where I write. What is written stays until it is sent, and is sent once, however often it has to be tried. */
export function Composer({ candidate, send, onSent }: Props) {
  const [body, setBody] = useState("");
  const [status, setStatus] = useState<"open" | "sending" | "failed">("open");
  const tried = useRef({ id: "", body: "" });

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (body.trim() === "" || status === "sending") return;
    if (tried.current.body !== body) tried.current = { id: crypto.randomUUID(), body };
    setStatus("sending");
    try {
      await send(tried.current.id, body);
      tried.current = { id: "", body: "" };
      setBody("");
      setStatus("open");
      await onSent();
    } catch {
      setStatus("failed");
    }
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit();
  }

  return (
    <form className="composer" onSubmit={submit}>
      <label htmlFor="message">
        Your message to <Called candidate={candidate} />
      </label>
      <textarea
        id="message"
        dir="auto"
        rows={3}
        maxLength={MOST}
        value={body}
        readOnly={status === "sending"}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={onKeyDown}
        aria-describedby="message-error"
      />
      <p id="message-error" className="error" role="alert">
        {status === "failed" && "This was not sent. Your words are still here: please try again."}
      </p>
      <button type="submit" aria-disabled={body.trim() === "" || status === "sending"}>
        {status === "sending" ? "Sending …" : "Send"}
      </button>
    </form>
  );
}
