import { createContext, type ReactNode, use, useCallback, useState } from "react";

/** What the app says at the bottom of the page for a while, and what can be done about it. */
export interface Notice {
  /** A later notice with the same id takes the place of the earlier one. */
  id: string;
  text: ReactNode;
  action?: { label: string; run: () => void } | { label: string; address: string };
  /** Stays until it is dismissed, whatever else is said meanwhile. */
  failed?: boolean;
  /** The action takes the focus, for who uses the keyboard; when the notice goes, this element has it. */
  focusAfter?: HTMLElement | null;
}

interface Notices {
  notices: Notice[];
  tell: (notice: Notice) => void;
  dismiss: (id: string) => void;
}

const NoticesContext = createContext<Notices | null>(null);

export function useNotices(): Notices {
  const notices = use(NoticesContext);
  if (notices === null) throw new Error("useNotices is for what is inside NoticesProvider");
  return notices;
}

/** Keeps the newest notice, and every failure. */
export function NoticesProvider({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<Notice[]>([]);

  const tell = useCallback((notice: Notice) => {
    setNotices((before) => [...before.filter(({ id, failed }) => failed && id !== notice.id), notice]);
  }, []);

  const dismiss = useCallback((id: string) => {
    setNotices((before) => before.filter((notice) => notice.id !== id));
  }, []);

  return <NoticesContext value={{ notices, tell, dismiss }}>{children}</NoticesContext>;
}
