import { useCallback, useEffect, useRef, useState } from "react";
import type { Backend, Thread } from "../../backend";

const INTERVAL = 4000;

/** The messages, read again every few seconds while the page is visible; `onWritten` is called when there are others. */
export function useThread(backend: Backend | null, conversationId: string, onWritten: () => void) {
  const [thread, setThread] = useState<Thread>();
  const [failed, setFailed] = useState(false);
  const newest = useRef<string>(undefined);

  const read = useCallback(async () => {
    if (backend === null) return;
    try {
      const now = await backend.readThread(conversationId);
      setThread(now);
      setFailed(false);
      const last = now.messages.at(-1)?.id ?? "";
      if (newest.current !== undefined && newest.current !== last) onWritten();
      newest.current = last;
    } catch {
      setFailed(true);
    }
  }, [backend, conversationId, onWritten]);

  useEffect(() => {
    const readIfVisible = () => document.visibilityState === "visible" && void read();
    void read();
    const timer = setInterval(readIfVisible, INTERVAL);
    document.addEventListener("visibilitychange", readIfVisible);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", readIfVisible);
    };
  }, [read]);

  return { thread, failed, read };
}
