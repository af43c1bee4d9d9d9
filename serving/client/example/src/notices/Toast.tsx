import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { type Notice, useNotices } from "./notices";

const DURATION = 8000;

/** A notice. It stays while it has the focus or the pointer; Escape dismisses it. */
export function Toast({ notice }: { notice: Notice }) {
  const { dismiss } = useNotices();
  const { action, failed, focusAfter, id, text } = notice;
  const [held, setHeld] = useState(false);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (focusAfter) box.current?.querySelector<HTMLElement>("button, a")?.focus();
  }, [notice, focusAfter]);

  useEffect(() => {
    if (failed || held) return;
    const waiting = setTimeout(dismiss, DURATION, id);
    return () => clearTimeout(waiting);
  }, [dismiss, failed, held, id, notice]);

  function leave() {
    if (box.current?.contains(document.activeElement)) {
      const next = focusAfter?.isConnected ? focusAfter : document.querySelector<HTMLElement>("main h1");
      next?.focus();
    }
    dismiss(id);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Escape") leave();
  }

  return (
    <div
      ref={box}
      className={failed ? "toast failed" : "toast"}
      onKeyDown={onKeyDown}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
    >
      <p>{text}</p>
      {action && "run" in action && (
        <button
          type="button"
          onClick={() => {
            leave();
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      {action && "address" in action && (
        <a href={action.address} onClick={() => dismiss(id)}>
          {action.label}
        </a>
      )}
      <button type="button" aria-label="Dismiss" onClick={leave}>
        <span aria-hidden="true">✕</span>
      </button>
    </div>
  );
}
